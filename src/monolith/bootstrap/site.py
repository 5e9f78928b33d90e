"""What every bootstrap step works on: one installation, seen from where the code runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from monolith.errors import UserError
from monolith.manifest.stack import Entry, Stack
from monolith.secrets.store import Store


@dataclass(frozen=True)
class Site:
    """An installation. `locate` turns `<service>.service.consul:<port>` in a text into the address
    that is reached from here; `restart` stops and starts a service; `offered` says whether a
    service of the stack runs at all here; `in_containers` whether folders need the owners that
    containers expect.
    """

    stack: Stack
    data: Path
    store: Store
    locate: Callable[[str], str]
    restart: Callable[[str], None]
    offered: Callable[[Entry], bool]
    in_containers: bool

    def address(self, service: str, port: int) -> str:
        """`host:port` of a service from here."""
        return self.locate(f"{self.stack.service(service).alias}:{port}")

    def url(self, service: str, port: int) -> str:
        """`http://host:port` of a service from here."""
        return f"http://{self.address(service, port)}"

    def entries(self) -> list[Entry]:
        """The services that run here, in the order of the stack."""
        return [entry for entry in self.stack.services.values() if self.offered(entry)]

    def has(self, service: str) -> bool:
        """Whether a service of that name runs here."""
        entry = self.stack.services.get(service)
        return entry is not None and self.offered(entry)

    def secret(self, service: str, key: str) -> str:
        """A value of the secret store; a UserError when it was not generated yet."""
        value = self.store.read(service).get(key, "")
        if not value:
            told = f"The secret store has no {key} of {service} yet."
            raise UserError(told, hint="run `monolith bootstrap secrets` first")
        return value
