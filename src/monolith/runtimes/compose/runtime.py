"""The Compose runtime: the verbs, each a short list of steps."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from monolith.bootstrap.site import Site
from monolith.errors import UserError
from monolith.manifest.stack import Entry, Stack
from monolith.project import Project
from monolith.runtimes.base import Reporter, ServiceStatus
from monolith.runtimes.compose import commands, images, preflight, status
from monolith.runtimes.compose.containers import Container
from monolith.runtimes.compose.engine import Engine, failed
from monolith.runtimes.compose.lock import hold
from monolith.runtimes.compose.starting import Watch
from monolith.runtimes.flows import FlowRunner, client_variables
from monolith.runtimes.names import on_loopback

_POLL_SECONDS = 0.5
_LINE = re.compile(
    r"(\x1b\[K)?(?P<service>[a-z][a-z0-9-]*)-[0-9]+( *\| ?| (?=exited with code ))(?P<text>.*)"
)


class ComposeRuntime:
    """Runs one stack as containers. See `runtimes.base.Runtime` for the verbs."""

    name = "compose"

    def __init__(self, stack: Stack, project: Project) -> None:
        self.stack = stack
        self.root = project.root
        self.engine = Engine(stack)
        self.flows = FlowRunner(project, _home(project))

    def up(self, reporter: Reporter) -> bool:
        """Start what is not running or not as described, wait until all is healthy."""
        preflight.compose_plugin(self.engine)
        with hold(self.engine.folder) as lock:
            before = self._own_containers()
            preflight.other_stack(self.stack, before, self.root)
            preflight.free_ports(self.stack, before, self.engine)
            images.ensure(self.stack, self.engine, lock, reporter)
            Watch(self.stack, self.engine, reporter, before).start_all(lock)
            return self._marks(self.engine.containers()) != self._marks(before)

    def down(self, reporter: Reporter) -> bool:
        """Stop and remove all containers."""
        with hold(self.engine.folder) as lock:
            before = self._own_containers()
            self._take_down(commands.down(self.engine.file), before, lock, reporter)
            return any(container.is_running for container in before)

    def restart(self, services: list[str], reporter: Reporter) -> None:
        """Stop the named services (all: none named), then `up`."""
        names = [self.stack.service(name).name for name in services] or [*self.stack.services]
        with hold(self.engine.folder) as lock:
            found = self._own_containers()
            # What `up` would refuse leaves nothing stopped.
            preflight.other_stack(self.stack, found, self.root)
            chosen = [one for one in found if one.service in names]
            if chosen:
                words = commands.stop(self.engine.file, [one.service for one in chosen])
                self._take_down(words, chosen, lock, reporter)
        self.up(reporter)

    def status(self) -> list[ServiceStatus]:
        """Every service of the stack."""
        found = self.engine.own_containers()
        return status.rows(self.stack, found, self.engine.memory(found), time.time())

    def logs(self, services: list[str], lines: int, *, follow: bool) -> Iterator[tuple[str, str]]:
        """The last lines of each service, then, with `follow`, what comes."""
        names = [self.stack.service(name).name for name in services] or [*self.stack.services]
        ids = {container.service: container.id for container in self.engine.own_containers()}
        known = [name for name in names if name in ids]
        if follow and known:
            words = commands.follow(self.engine.file, known, lines)
            yield from _split(self.engine.stream(words))
        for name in [] if follow else known:
            yield from ((name, line) for line in self.engine.log(ids[name], lines))

    def client_environment(self) -> dict[str, str]:
        """What SDKs need to find the services, where these publish a port on this machine."""
        return client_variables(self.stack.services.values(), self._text)

    def prepare_flows(self, reporter: Reporter) -> None:
        """Install the flows' environment where it is missing: flows run on this machine."""
        self.flows.prepare(reporter)

    def run_python(
        self, arguments: list[str], *, folder: Path | None = None, capture: bool = False
    ) -> tuple[int, str]:
        """Run `python ARGUMENTS...` with the flows' environment and the addresses of services."""
        return self.flows.run(arguments, self.client_environment(), folder, capture=capture)

    def site(self) -> Site | None:
        """None: names of services are known within the containers' network only."""
        return None

    def inside(self, arguments: list[str]) -> int:
        """Run `monolith ARGUMENTS...` in the bootstrap container."""
        running = [one.service for one in self._own_containers() if one.state == "running"]
        if commands.BOOTSTRAP not in running:
            raise UserError("The bootstrap container does not run.", hint="./monolith up")
        terminal = sys.stdin.isatty() and sys.stdout.isatty()
        return self.engine.attached(commands.inside(self.engine.file, arguments, terminal=terminal))

    def _own_containers(self) -> list[Container]:
        """The project's containers; a UserError where another clone uses its name."""
        found = self.engine.containers()
        preflight.own_project(self.engine, found)
        return found

    def _marks(self, found: Iterable[Container]) -> set[tuple[str, float]]:
        """What differs when something was changed; Compose runs again what ends by itself."""
        one_shots = {entry.name for entry in self.stack.services.values() if entry.is_one_shot}
        return {container.mark for container in found if container.service not in one_shots}

    def _text(self, _: Entry, text: str) -> str | None:
        """A text with loopback in it; None where a port in it is not published."""
        try:
            return on_loopback(text, lambda name, port: self.stack.service(name).ports()[port])
        except KeyError:
            return None

    def _take_down(
        self, words: list[str], found: list[Container], lock: int, reporter: Reporter
    ) -> None:
        """Run a command that stops containers, and tell as they end."""
        left = {container.service for container in found if container.is_running}
        for name in sorted(left):
            reporter.step(name, "stopping")
        with self.engine.task(words, lock) as task:
            code = None
            while code is None:
                code = task.wait(_POLL_SECONDS)
                left -= self._ended(left, reporter)
            if code:
                raise failed(words, "\n".join(task.lines))

    def _ended(self, names: set[str], reporter: Reporter) -> set[str]:
        """Those of the named services that run no more; told."""
        running = {one.service for one in self.engine.containers() if one.is_running}
        for name in sorted(names - running):
            reporter.done(name, "stopped")
        return names - running


def _home(project: Project) -> Path:
    """Where Prefect's client keeps what belongs to this installation.

    Not in the data folder, which belongs to root when the engine has made it.
    """
    digest = hashlib.sha256(os.fsencode(project.data.resolve())).hexdigest()[:12]
    return project.cache / "prefect-client" / digest


def _split(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """`mlflow-1  | text` -> (mlflow, text); other words of Compose itself have no service."""
    for line in lines:
        if match := _LINE.fullmatch(line):
            yield match["service"], match["text"]
        elif line.strip():
            yield "", line
