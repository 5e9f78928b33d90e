"""What the manifests say of each service, as far as the portal needs it, as JSON.

It is made by a process of its own (`monolith portal --catalogue`), whose memory is given back: the
models of the manifests are larger than the portal.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from monolith.manifest.stack import Entry, Stack

_PORTS = {"consul": 8500, "prefect": 4200, "mlflow": 5000, "alertmanager": 9093, "prometheus": 9090}
"""Services that are asked -> port of their API."""
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}|\d+(\.\d+)+")


@dataclass(frozen=True)
class Card:
    """One service. `check` is the name of its check in Consul, `ends` whether it ends by itself.

    `address` is empty where there is no page, `memory_limit` is bytes.
    """

    name: str
    title: str
    about: str
    address: str
    access: str
    version: str
    memory_limit: int
    check: str
    ends: bool


@dataclass(frozen=True)
class Catalogue:
    """All services in their order, and the addresses of those that are asked."""

    stack: str
    cards: list[Card]
    sources: dict[str, str]

    def address(self, name: str) -> str:
        """Where people find a service; empty when there is none of that name."""
        return next((card.address for card in self.cards if card.name == name), "")

    def text(self) -> str:
        """JSON, which `parse` reads."""
        return json.dumps(asdict(self))


def parse(text: str) -> Catalogue:
    """The catalogue that wrote itself as `text`."""
    found = json.loads(text)
    return Catalogue(found["stack"], [Card(**card) for card in found["cards"]], found["sources"])


def of(stack: Stack, name: str, locate: Callable[[str], str]) -> Catalogue:
    """The catalogue of a stack; `locate` as in `bootstrap.site.Site`."""
    services = stack.services
    sources = {
        service: "http://" + locate(f"{services[service].alias}:{port}")
        for service, port in _PORTS.items()
        if service in services
    }
    return Catalogue(name, [_card(stack, entry) for entry in services.values()], sources)


def _card(stack: Stack, entry: Entry) -> Card:
    from monolith.render.consul import check_name

    block = entry.monolith
    return Card(
        name=entry.name,
        title=block.title,
        about=block.about,
        # The object store's address is for programs: a browser is refused there.
        address="" if block.store else stack.address(entry, stack.http_port),
        access=block.access,
        version=version(entry.model.image),
        memory_limit=entry.memory_limit,
        check=check_name(entry) if block.check else "",
        ends=entry.is_one_shot,
    )


def version(image: str) -> str:
    """`ghcr.io/mlflow/mlflow:v3.17.2-full` -> `3.17.2`; the tag where it has no such number."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    match = _VERSION.search(tag)
    return match[0] if match else tag
