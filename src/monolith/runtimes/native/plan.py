"""From the stack to processes: pure functions that turn the container's world into this machine's.

Names of services become loopback, paths in the container become paths in the data folder.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from monolith.errors import UserError
from monolith.files import sources
from monolith.manifest.models import Native, Scalar
from monolith.manifest.stack import Entry, Stack
from monolith.project import Project
from monolith.runtimes.names import on_loopback
from monolith.runtimes.native.places import Places

VAULT = "vault"
WATCHER = "bootstrap"
"""The service that unseals Vault again. In containers bootstrap does the rest, too."""
_PORT = re.compile(r"\{port:([0-9]+)\}")


@dataclass(frozen=True)
class Program:
    """One process: what is run, with what, as whom, and how its health is asked.

    `installed` is the folder of its environment, `configuration` a digest of the files it mounts.
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    cwd: Path
    user: str
    prepare: list[str]
    check_command: list[str]
    check_port: int
    check_path: str
    ports: dict[int, str]
    folders: list[Path]
    depends_on: list[str]
    installed: Path
    configuration: str
    stop_signal: str
    database: str
    extensions: list[str]

    @property
    def has_check(self) -> bool:
        """Whether its health can be asked; without, it is healthy while it runs."""
        return bool(self.check_command or self.check_port)

    @property
    def revision(self) -> str:
        """Changes when the process would have to be restarted to be up to date."""
        content = [
            self.command, self.environment, str(self.cwd), self.user, self.stop_signal,
            self.configuration,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


FindTool = Callable[[str], Path | None]
"""Name of a tool -> its program; None when there is none."""


def offered(stack: Stack, tool: FindTool) -> list[Entry]:
    """The services that run natively, in the order of the stack."""
    return [entry for entry in stack.services.values() if is_offered(entry, tool)]


def is_offered(entry: Entry, tool: FindTool) -> bool:
    """Whether a service runs natively: it says how, and its program is there."""
    native = entry.monolith.native
    return native is not None and (native.tool is None or tool(native.tool) is not None)


class Planner:
    """Makes the programs of one stack.

    `environments` maps a lock file to the folder of its installed environment; `secrets` gives
    the secret variables of a service, and is asked for nothing but those; `tool` finds programs.
    """

    def __init__(
        self,
        stack: Stack,
        project: Project,
        environments: Callable[[Path], Path],
        secrets: Callable[[str], dict[str, str]],
        tool: FindTool = lambda _: None,
    ) -> None:
        self.stack = stack
        self.project = project
        self.places = Places(project.data)
        self.environments = environments
        self.secrets = secrets
        self.tool = tool

    def programs(self) -> list[Program]:
        """Every offered service as a program."""
        return [self.program(entry) for entry in offered(self.stack, self.tool)]

    def program(self, entry: Entry) -> Program:
        """One service as a program."""
        native = _native(entry)
        check, database = entry.monolith.check, entry.monolith.database
        return Program(
            name=entry.name,
            command=self._texts(entry, native.command),
            environment=self._environment(entry, native),
            cwd=self.project.root / native.cwd if native.cwd else self.project.data,
            user=native.user or "",
            prepare=self._texts(entry, native.prepare),
            check_command=self._texts(entry, native.check),
            check_port=self._port(entry, check.port) if check else 0,
            check_path=check.path or "" if check else "",
            ports={out: entry.port_variable(inner) for inner, out in entry.published().items()},
            folders=self._folders(entry),
            depends_on=self._depends_on(entry),
            installed=self._installed(native),
            configuration=self._configuration(entry),
            stop_signal=native.stop_signal,
            database=entry.database if database else "",
            extensions=database.extensions if database else [],
        )

    def text(self, entry: Entry, text: str) -> str:
        """One text of the manifest as it has to read on this machine."""
        text = _mapped(entry, text).replace("{state}", str(self.places.state))
        text = text.replace("{loopback}", self.places.loopback)
        if "{site}" in text:
            text = text.replace("{site}", str(self._site_packages(entry)))
        text = _PORT.sub(lambda match: str(self._port(entry, int(match[1]))), text)
        return on_loopback(text, self._port_of)

    def _texts(self, entry: Entry, texts: list[str]) -> list[str]:
        return [self.text(entry, text) for text in texts]

    def _environment(self, entry: Entry, native: Native) -> dict[str, str]:
        values: dict[str, Scalar] = {**entry.model.environment, **native.environment}
        mapped = {
            name: self.text(entry, _plain(value))
            for name, value in values.items()
            if value is not None
        }
        return mapped | {"PATH": self._path(entry, native)}

    def secret_environment(self, service: str) -> dict[str, str]:
        """The secret variables of a service; only names of services are changed in them."""
        found = self.secrets(service)
        return {name: on_loopback(value, self._port_of) for name, value in found.items()}

    def _path(self, entry: Entry, native: Native) -> str:
        installed = self._installed(native)
        own = installed if native.tool else installed / "bin"
        return ":".join(
            [*self._texts(entry, native.path), str(own), "/usr/local/bin:/usr/bin:/bin"]
        )

    def _installed(self, native: Native) -> Path:
        """The folder of its environment, or the one that its program is in."""
        if native.requirements:
            return self.environments(self.project.root / native.requirements)
        program = self.tool(native.tool or "")
        return program.parent if program else self.project.cache

    def _site_packages(self, entry: Entry) -> Path:
        folder = self._installed(_native(entry))
        return next(folder.glob("lib/python*/site-packages"), folder)

    def _folders(self, entry: Entry) -> list[Path]:
        secrets = self.places.secrets
        return [
            source
            for source, _, writable in entry.mounts()
            if writable and not source.is_relative_to(secrets)
        ]

    def _configuration(self, entry: Entry) -> str:
        """Digest of the files below `config` that it mounts, without the manifest itself."""
        config = self.project.root / "config"
        mounted = [source for source, _, _ in entry.mounts() if source.is_relative_to(config)]
        files = [file for source in mounted for file in sources(source) if not _is_manifest(file)]
        digest = hashlib.sha256()
        for file in sorted(files):
            digest.update(str(file.relative_to(config)).encode() + file.read_bytes())
        return digest.hexdigest()

    def _port(self, entry: Entry, inner: int) -> int:
        return entry.published().get(inner, inner)

    def _port_of(self, service: str, inner: int) -> int:
        return self._port(self.stack.services[service], inner)

    def _depends_on(self, entry: Entry) -> list[str]:
        """What it waits for: also for Vault, where its secrets come from there."""
        names = [*entry.model.depends_on, *[VAULT] * bool(entry.monolith.secrets)]
        services = self.stack.services
        return [
            name
            for name in dict.fromkeys(names)
            if name in services and is_offered(services[name], self.tool)
        ]


def _native(entry: Entry) -> Native:
    if entry.monolith.native is None:
        raise UserError(f"{entry.monolith.title} is not offered natively.")
    return entry.monolith.native


def _is_manifest(file: Path) -> bool:
    return file.name.startswith("compose.") or file.stem == "requirements"


def _mapped(entry: Entry, text: str) -> str:
    """`text` with the container's paths as paths of this machine; paths in addresses stay."""
    sources = {target: str(source) for source, target, _ in entry.mounts()}
    if not sources:
        return text
    targets = "|".join(re.escape(target) for target in sorted(sources, key=len, reverse=True))
    # In one go, since a path of this machine may start like a path in the container.
    return re.sub(rf"(?<![\w.}}/-])({targets})(?=/|$)", lambda match: sources[match[1]], text)


def _plain(value: Scalar) -> str:
    """As Compose writes it into a container's environment."""
    return str(value).lower() if isinstance(value, bool) else str(value)
