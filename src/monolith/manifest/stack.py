"""A loaded stack: services with their place, and the questions everybody asks of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monolith.errors import UserError
from monolith.manifest import words
from monolith.manifest.models import Monolith, Service, size_in_bytes
from monolith.manifest.yamlfile import Document

DOMAIN_SUFFIX = ".service.consul"
_VARIABLE = re.compile(r"\$\{(MONOLITH_\w+)")


@dataclass(frozen=True)
class Entry:
    """One service of a stack: its name, its model, the folder and file that describe it."""

    name: str
    model: Service
    folder: Path
    document: Document
    raw: dict[str, Any]

    @property
    def monolith(self) -> Monolith:
        """The `x-monolith` block."""
        return self.model.x_monolith

    @property
    def alias(self) -> str:
        """Its name for other services, in every runtime."""
        return self.name + DOMAIN_SUFFIX

    @property
    def database(self) -> str:
        """Name of its PostgreSQL role and database."""
        return self.name.replace("-", "_")

    @property
    def memory_limit(self) -> int:
        """Memory cap in bytes."""
        deploy = self.model.deploy
        return size_in_bytes(deploy.resources.limits.memory) if deploy else 0

    @property
    def is_one_shot(self) -> bool:
        """Whether it ends by itself when its work is done."""
        return self.model.restart in ("on-failure", "no")

    def ports(self) -> dict[int, int]:
        """Container port -> loopback port, as Compose publishes it."""
        return {inner: outer for _, outer, inner in map(_split_port, self.model.ports)}

    def published(self) -> dict[int, int]:
        """Container port -> loopback port, with those that are published natively only."""
        native = self.monolith.native
        ports = native.ports if native else {}
        return {int(inner): int(outer) for inner, outer in ports.items()} | self.ports()

    def port_variable(self, inner: int) -> str:
        """The setting that changes the loopback port of a container port, or an empty text."""
        for text, port in zip(self.raw.get("ports", []), self.model.ports, strict=True):
            if _split_port(port)[2] == inner and (match := _VARIABLE.search(text)):
                return match[1]
        native = self.raw["x-monolith"].get("native") or {}
        match = _VARIABLE.search(str(native.get("ports", {}).get(str(inner), "")))
        return match[1] if match else ""

    def mounts(self) -> list[tuple[Path, str, bool]]:
        """Bind mounts as (absolute source, path in the container, writable)."""
        return [_split_mount(text, self.folder) for text in self.model.volumes]


@dataclass(frozen=True)
class Stack:
    """All services of one stack file, in the order of its includes."""

    name: str
    file: Path
    services: dict[str, Entry]
    values: dict[str, str]
    meanings: dict[str, str]
    defaults: dict[str, str]

    @property
    def kind(self) -> str:
        """What people call it: the middle of `docker-compose.<kind>.yaml`."""
        return self.file.name.removeprefix("docker-compose.").removesuffix(".yaml")

    @property
    def domain(self) -> str:
        """The domain that people use."""
        return self.setting("MONOLITH_DOMAIN")

    @property
    def http_port(self) -> int:
        """Port of the front door on this machine."""
        return int(self.setting("MONOLITH_HTTP_PORT") or 80)

    def setting(self, name: str) -> str:
        """Value of a setting: the operator's, else the default of the fragments."""
        return self.values.get(name) or self.defaults.get(name, "")

    def service(self, name: str) -> Entry:
        """The service called `name`; a UserError with the nearest one when there is none."""
        if name in self.services:
            return self.services[name]
        hint = words.did_you_mean(name, self.services, f"one of: {', '.join(self.services)}")
        raise UserError(f"There is no service `{name}` in this stack.", hint=hint)

    def by_url(self) -> list[Entry]:
        """Services that have an address for people."""
        return [entry for entry in self.services.values() if entry.monolith.url]

    def address(self, entry: Entry, http_port: int) -> str:
        """Address for people, such as `http://mlflow.monolith.localhost:8080`."""
        url = entry.monolith.url
        port = "" if http_port == 80 else f":{http_port}"
        return f"http://{url.name(self.domain)}{port}" if url else ""


def _split_port(text: str) -> tuple[str, int, int]:
    address, outer, inner = text.split("/")[0].split(":")
    return address, int(outer), int(inner)


def _split_mount(text: str, folder: Path) -> tuple[Path, str, bool]:
    source, target, *mode = text.split(":")
    return (folder / source).resolve(), target, mode != ["ro"]
