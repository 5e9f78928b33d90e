"""Routers, services and middlewares for Traefik, from the manifests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from monolith.manifest.models import Url
from monolith.manifest.stack import Entry, Stack

Target = Callable[[Entry, int], str]
"""(service, port in the container) -> base address, such as `http://127.0.0.1:5000`."""


@dataclass
class _Tables:
    """Traefik's three tables, by name."""

    routers: dict[str, Any] = field(default_factory=dict)
    services: dict[str, Any] = field(default_factory=dict)
    middlewares: dict[str, Any] = field(default_factory=dict)


def routes(stack: Stack, entries: list[Entry], target: Target) -> str:
    """Traefik's dynamic configuration as YAML, for the file provider."""
    tables = _Tables()
    for entry in entries:
        urls = [url for url in [entry.monolith.url, *entry.monolith.routes] if url]
        for number, url in enumerate(urls):
            name = f"{entry.name}-{number}" if number else entry.name
            _add_route(tables, name, url, stack.domain)
            if url.port:
                server = {"url": target(entry, url.port)}
                tables.services[name] = {"loadBalancer": {"servers": [server]}}
    # Traefik refuses a table that is there and empty.
    content = {name: table for name, table in vars(tables).items() if table}
    return yaml.safe_dump({"http": content}, sort_keys=True)


def _add_route(tables: _Tables, name: str, url: Url, domain: str) -> None:
    service = url.service or name
    tables.routers[name] = {"rule": rule(url, domain), "service": service}
    for number, (source, target) in enumerate(url.redirects.items()):
        redirect = f"{name}-redirect-{number}"
        tables.routers[redirect] = {
            "rule": f"{_host(url, domain)} && Path(`{source}`)",
            "service": service,
            "middlewares": [redirect],
        }
        tables.middlewares[redirect] = {
            "redirectRegex": {
                "regex": f"^(https?://[^/]+){source}",
                "replacement": f"${{1}}{target}",
            }
        }


def rule(url: Url, domain: str) -> str:
    """The rule of one route: its host, and its paths if it has any."""
    if not url.paths:
        return _host(url, domain)
    return f"{_host(url, domain)} && ({' || '.join(map(_path, url.paths))})"


def _path(path: str) -> str:
    """`/x/` is everything below; `/x` is itself and everything below, but not `/x-y`."""
    if path.endswith("/"):
        return f"PathPrefix(`{path}`)"
    return f"Path(`{path}`) || PathPrefix(`{path}/`)"


def _host(url: Url, domain: str) -> str:
    return f"Host(`{url.host}.{domain}`)"
