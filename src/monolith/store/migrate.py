"""From one store to the other, on an engine: beside it, once more with nobody writing, and over.

Most is copied while the applications run. Then those that have a key are stopped, what changed in
the meantime is copied, and the stack files are switched. The former data stay as they are.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monolith.errors import UserError, shown
from monolith.manifest.stack import Entry, Stack
from monolith.runtimes.base import Reporter
from monolith.runtimes.compose import commands
from monolith.runtimes.compose.engine import Engine, failed
from monolith.runtimes.compose.lock import hold
from monolith.store import beside, switch

_NEEDED = ("s3", "vault")
_KEY = "S3_ACCESS_KEY"


@dataclass(frozen=True)
class Migration:
    """From the store `kind` that the stack includes to `other`, of which `entry` is the service."""

    engine: Engine
    stack: Stack
    root: Path
    kind: str
    other: str
    entry: Entry
    reporter: Reporter

    def run(self) -> int:
        """All of it. Returns 0, or the exit code of a copying that did not come to its end."""
        switch.check(self.stack.file, self.kind, self.other, self.root)
        name = uuid.uuid4().hex
        with hold(self.engine.folder) as lock:
            self._must_run()
            with self._beside():
                code = self._copy(name, final=False)
                if not code:
                    self._stop(lock)
                    code = self._copy(name, final=True)
            if not code:
                self._switch()
        return code

    def _must_run(self) -> None:
        running = {one.service for one in self.engine.own_containers() if one.is_running}
        if missing := [name for name in _NEEDED if name not in running]:
            raise UserError(f"Not running: {', '.join(missing)}.", hint="./monolith up")

    @contextlib.contextmanager
    def _beside(self) -> Iterator[None]:
        """The other store in a container of its own for the block."""
        words = beside.project(self.entry, network=f"{self.engine.project}_default")
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(words, file)
            file.flush()
            compose = ["docker", "compose", "-p", f"{self.engine.project}-store-next",
                       "-f", file.name]  # fmt: skip
            self.reporter.step(self.other, "starting beside")
            try:
                self._must([*compose, "up", "--detach", "--wait", "--quiet-pull"])
                self.reporter.done(self.other, "healthy beside")
                yield
            finally:
                self._must([*compose, "down"])

    def _copy(self, name: str, *, final: bool) -> int:
        """In the platform's own container, where the services' names and keys are known."""
        words = ["store", "copy", self.other, name, *["--final"] * final]
        return self.engine.attached(commands.once(self.engine.file, words))

    def _stop(self, lock: int) -> None:
        running = {one.service for one in self.engine.own_containers() if one.is_running}
        # Bootstrap would see the switch, and set the former store up as the other.
        names = [name for name in [*holders(self.stack), commands.BOOTSTRAP] if name in running]
        if not names:
            return
        self.reporter.step("applications", f"stopping {', '.join(names)}")
        words = commands.stop(self.engine.file, names)
        code, lines = self.engine.finish(words, lock)
        if code:
            raise failed(words, "\n".join(lines))
        self.reporter.done("applications", f"stopped: {', '.join(names)}")

    def _switch(self) -> None:
        paths = switch.files(self.stack.file, self.stack.file.parent)
        for path in switch.write(paths, self.kind, self.other):
            self.reporter.done(shown(path, self.root), f"includes config/{self.other}")

    def _must(self, words: list[str]) -> None:
        result = self.engine.run(words, merged=True)
        if result.returncode:
            raise failed(words, result.stdout)


def holders(stack: Stack) -> list[str]:
    """The services that are given a key of the store, be it that of another."""
    return [
        name
        for name, entry in stack.services.items()
        if any(_KEY in text for pair in entry.monolith.secrets.items() for text in pair)
    ]
