"""What Consul's catalog holds: where each service is, how its health is asked, its routes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from monolith.manifest.stack import Entry
from monolith.render import traefik

MARK = "monolith"
"""Key of the metadata by which a registration of ours is known; its value is the digest."""

# Consul registers itself under this name, and once a minute puts back what was written over.
_RESERVED = ("consul",)

Locate = Callable[[str], str]
"""A text with `<service>.service.consul:<port>` -> the same with the address reached from here."""


def registrations(entries: list[Entry], domain: str, locate: Locate) -> list[dict[str, Any]]:
    """One definition for the agent's API per port of each service that can be reached or asked."""
    return [_definition(entry, port, domain, locate) for entry in entries for port in _ports(entry)]


def _ports(entry: Entry) -> list[int]:
    """Ports that are routed to or asked, in that order, each once."""
    block = entry.monolith
    places = [block.url, *block.routes, block.check]
    return list(dict.fromkeys(place.port for place in places if place and place.port))


def _name(entry: Entry, port: int) -> str:
    """The service's name; with the port where one service has several."""
    if port == _ports(entry)[0] and entry.name not in _RESERVED:
        return entry.name
    return f"{entry.name}-{port}"


def _definition(entry: Entry, port: int, domain: str, locate: Locate) -> dict[str, Any]:
    name = _name(entry, port)
    host, _, outer = locate(f"{entry.alias}:{port}").rpartition(":")
    definition: dict[str, Any] = {
        "ID": name,
        "Name": name,
        "Address": host,
        "Port": int(outer),
        "Tags": traefik.tags(_routers(entry, port, domain), name),
    }
    if check := _check(entry, locate):
        definition["Check"] = check
    return definition | {"Meta": {MARK: _digest(definition)}}


def _routers(entry: Entry, port: int, domain: str) -> list[traefik.Router]:
    """The routers that lead to a port; what Traefik answers itself goes with the first one."""
    first = _ports(entry)[0]
    return [router for router in traefik.routers(entry, domain) if (router.port or first) == port]


def _check(entry: Entry, locate: Locate) -> dict[str, Any]:
    """The service's check, for each of its ports: a service that fails leaves all of its routes."""
    check = entry.monolith.check
    if not check:
        return {}
    address = locate(f"{entry.alias}:{check.port}")
    asked = {"HTTP": f"http://{address}{check.path}"} if check.path else {"TCP": address}
    return {"Name": check_name(entry), **asked, "Interval": "10s", "Timeout": "5s"}


def check_name(entry: Entry) -> str:
    """Name of the check of a service, the same at each of its ports."""
    return f"{entry.name} answers"


def _digest(definition: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()[:16]
