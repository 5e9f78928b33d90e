"""Consul's catalog: every service with its health check and its routes, and no more than that."""

from __future__ import annotations

from typing import Any

from monolith.bootstrap import waiting
from monolith.bootstrap.http import Api
from monolith.bootstrap.site import Site
from monolith.render.consul import MARK, registrations

SERVICE, PORT = "consul", 8500


def ensure(site: Site) -> list[str]:
    """Register what is new or has changed, remove what is gone. Returns both, in words."""
    url = site.url(SERVICE, PORT)
    # Without a leader Consul answers, too: with an empty text.
    waiting.until_answers(
        f"{url}/v1/status/leader", "Consul has a leader",
        accepted=lambda answer: answer.is_success and bool(answer.json()),
    )  # fmt: skip
    api = Api("Consul", url)
    found = registrations(site.entries(), site.stack.domain, site.locate)
    wanted = {definition["ID"]: definition for definition in found}
    present = _present(api)
    return _register(api, wanted, present) + _remove(api, sorted(present.keys() - wanted))


def _present(api: Api) -> dict[str, str]:
    """What is registered by us: its name, and the digest of its definition."""
    services = api.get("/v1/agent/services")
    marked = {name: (service.get("Meta") or {}).get(MARK) for name, service in services.items()}
    return {name: digest for name, digest in marked.items() if digest}


def _register(api: Api, wanted: dict[str, dict[str, Any]], present: dict[str, str]) -> list[str]:
    changes = []
    for name, definition in wanted.items():
        if present.get(name) != definition["Meta"][MARK]:
            query = {"replace-existing-checks": "true"}
            api.send("PUT", "/v1/agent/service/register", params=query, json=definition)
            changes.append(f"registered {name}")
    return changes


def _remove(api: Api, gone: list[str]) -> list[str]:
    for name in gone:
        api.send("PUT", f"/v1/agent/service/deregister/{name}")
    return [f"removed {name}" for name in gone]
