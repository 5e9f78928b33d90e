"""Routers, services and middlewares for Traefik, from the manifests: as a file, and as tags."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from monolith.manifest.models import Url
from monolith.manifest.stack import Entry, Stack

Target = Callable[[Entry, int], str]
"""(service, port in the container) -> base address, such as `http://127.0.0.1:5000`."""


@dataclass(frozen=True)
class Router:
    """What one router matches and where it leads: a port of the service, or a part of Traefik.

    `owner` is the router of the address it belongs to; of itself, unless it only redirects.
    """

    name: str
    owner: str
    rule: str
    port: int | None
    inside: str
    redirect: dict[str, str] = field(default_factory=dict)


@dataclass
class _Tables:
    """Traefik's three tables, by name."""

    routers: dict[str, Any] = field(default_factory=dict)
    services: dict[str, Any] = field(default_factory=dict)
    middlewares: dict[str, Any] = field(default_factory=dict)


def routers(entry: Entry, domain: str) -> list[Router]:
    """Every router of one service: of its address, its further routes, and their redirects."""
    urls = [url for url in [entry.monolith.url, *entry.monolith.routes] if url]
    return [
        router
        for number, url in enumerate(urls)
        for router in _routers(
            f"{entry.name}-{number}" if number else entry.name, url, domain, closed(entry, url.port)
        )
    ]


def closed(entry: Entry, port: int | None) -> list[str]:
    """Paths of a port that are not for the outside: what Prometheus asks there."""
    paths = [one.path.partition("?")[0] for one in entry.monolith.metrics if one.port == port]
    return list(dict.fromkeys(paths))


def _routers(name: str, url: Url, domain: str, closed: list[str]) -> list[Router]:
    inside = url.service or ""
    own = Router(name, name, rule(url, domain, closed), url.port, inside)
    return [own] + [
        Router(
            f"{name}-redirect-{number}", name, f"{_host(url, domain)} && Path(`{source}`)",
            url.port, inside, _redirect(source, target),
        )
        for number, (source, target) in enumerate(url.redirects.items())
    ]  # fmt: skip


def _redirect(source: str, target: str) -> dict[str, str]:
    """Traefik's `redirectRegex`, which keeps host, port and query."""
    return {"regex": f"^(https?://[^/]+){source}", "replacement": f"${{1}}{target}"}


def routes(stack: Stack, entries: list[Entry], target: Target) -> str:
    """Traefik's dynamic configuration as YAML, for the file provider."""
    tables = _Tables()
    for entry in entries:
        for router in routers(entry, stack.domain):
            _add(tables, router)
            if router.port:
                server = {"url": target(entry, router.port)}
                tables.services[router.owner] = {"loadBalancer": {"servers": [server]}}
    # Traefik refuses a table that is there and empty.
    content = {name: table for name, table in vars(tables).items() if table}
    return yaml.safe_dump({"http": content}, sort_keys=True)


def _add(tables: _Tables, router: Router) -> None:
    service = router.inside or router.owner
    tables.routers[router.name] = {"rule": router.rule, "service": service}
    if router.redirect:
        tables.routers[router.name]["middlewares"] = [router.name]
        tables.middlewares[router.name] = {"redirectRegex": router.redirect}


def tags(found: list[Router], service: str) -> list[str]:
    """The same as tags of a service in Consul's catalog; no router: no tags."""
    lines = ["traefik.enable=true"] if found else []
    for router in found:
        base = f"traefik.http.routers.{router.name}"
        lines += [f"{base}.rule={router.rule}", f"{base}.service={router.inside or service}"]
        if router.redirect:
            lines.append(f"{base}.middlewares={router.name}")
            middleware = f"traefik.http.middlewares.{router.name}.redirectregex"
            lines += [f"{middleware}.{key}={text}" for key, text in router.redirect.items()]
    return lines


def rule(url: Url, domain: str, closed: list[str]) -> str:
    """The rule of one route: its host, its paths if it has any, and what stays closed below it."""
    parts = [_host(url, domain)]
    if url.paths:
        parts.append(f"({' || '.join(map(_path, url.paths))})")
    parts += [f"!{_in_any_case(path)}" for path in closed]
    return " && ".join(parts)


def _path(path: str) -> str:
    """`/x/` is everything below; `/x` is itself and everything below, but not `/x-y`."""
    if path.endswith("/"):
        return f"PathPrefix(`{path}`)"
    return f"Path(`{path}`) || PathPrefix(`{path}/`)"


def _in_any_case(path: str) -> str:
    """As `_path`, and `/X`: to some servers that is the same."""
    return f"PathRegexp(`(?i)^{re.escape(path.rstrip('/'))}(/|$)`)"


def _host(url: Url, domain: str) -> str:
    return f"Host(`{url.name(domain)}`)"
