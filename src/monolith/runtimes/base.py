"""What every runtime offers, and the shapes it answers with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Protocol

State = Literal["healthy", "starting", "unhealthy", "stopped", "not offered"]


@dataclass(frozen=True)
class ServiceStatus:
    """One row of `monolith status`. Sizes are bytes, `uptime` seconds."""

    name: str
    state: State
    address: str = ""
    uptime: float = 0.0
    memory: int = 0
    memory_limit: int = 0
    pid: int = 0
    reason: str = ""

    def as_dict(self) -> dict[str, object]:
        """Shape of one entry under `services` in `--json` output."""
        return asdict(self)


class Reporter(Protocol):
    """Is told what a long command is doing."""

    def step(self, subject: str, text: str) -> None:
        """`subject` (a service, or what is worked on) is now in the state `text`."""
        ...

    def done(self, subject: str, text: str) -> None:
        """`subject` has reached its end state `text`."""
        ...


class Runtime(Protocol):
    """The verbs, with the same meaning in every runtime. All raise UserError."""

    name: str

    def up(self, reporter: Reporter) -> bool:
        """Start what is not running; returns when all is healthy. False: nothing had to change."""
        ...

    def down(self, reporter: Reporter) -> bool:
        """Stop everything, keep the data. False: nothing was running."""
        ...

    def restart(self, services: list[str], reporter: Reporter) -> None:
        """Stop and start the named services, or all."""
        ...

    def status(self) -> list[ServiceStatus]:
        """The state of every service of the stack."""
        ...

    def logs(self, services: list[str], lines: int, *, follow: bool) -> Iterator[tuple[str, str]]:
        """(service, line): the last `lines` of each, and with `follow` the ones to come."""
        ...

    def client_environment(self) -> dict[str, str]:
        """Variables with which the user's own programs find the services."""
        ...

    def run_python(
        self, arguments: list[str], *, folder: Path | None = None, capture: bool = False
    ) -> tuple[int, str]:
        """Run `python ARGUMENTS...` in the flows' environment, in `folder` or where the user is.

        Returns the exit code, and standard output when it is captured.
        """
        ...
