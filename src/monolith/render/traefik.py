"""Routers and services for Traefik, from the manifests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from monolith.manifest.models import Url
from monolith.manifest.stack import Entry, Stack

Target = Callable[[Entry, int], str]
"""(service, port in the container) -> base address, such as `http://127.0.0.1:5000`."""


def routes(stack: Stack, entries: list[Entry], target: Target) -> str:
    """Traefik's dynamic configuration as YAML, for the file provider."""
    routers: dict[str, Any] = {}
    services: dict[str, Any] = {}
    for entry in entries:
        urls = [url for url in [entry.monolith.url, *entry.monolith.routes] if url]
        for number, url in enumerate(urls):
            name = f"{entry.name}-{number}" if number else entry.name
            routers[name] = {"rule": rule(url, stack.domain), "service": url.service or name}
            if url.port:
                server = {"url": target(entry, url.port)}
                services[name] = {"loadBalancer": {"servers": [server]}}
    return yaml.safe_dump({"http": {"routers": routers, "services": services}}, sort_keys=True)


def rule(url: Url, domain: str) -> str:
    """The rule of one route: its host, and its paths if it has any."""
    host = f"Host(`{url.host}.{domain}`)"
    if not url.paths:
        return host
    paths = " || ".join(f"PathPrefix(`{path.removesuffix('*')}`)" for path in url.paths)
    return f"{host} && ({paths})"
