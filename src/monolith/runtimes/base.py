"""What every runtime offers, and the shapes it answers with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from monolith.bootstrap.site import Site

State = Literal["healthy", "done", "starting", "unhealthy", "stopped", "not offered"]
"""`done`: a service that ends by itself has ended well."""
WELL: tuple[State, ...] = ("healthy", "done", "not offered")
"""States in which there is nothing to put right."""


@dataclass(frozen=True)
class ServiceStatus:
    """One row of `monolith status`. Sizes are bytes, `uptime` seconds.

    `restarts` counts the ones that nobody asked for; `oom_killed`: memory ran out since the start.
    """

    name: str
    state: State
    address: str = ""
    uptime: float = 0.0
    memory: int = 0
    memory_limit: int = 0
    pid: int = 0
    reason: str = ""
    restarts: int = 0
    oom_killed: bool = False

    @property
    def is_well(self) -> bool:
        """Whether there is nothing to put right."""
        return self.state in WELL

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

    def prepare_flows(self, reporter: Reporter) -> None:
        """Install what `run_python` needs, where it is missing."""
        ...

    def run_python(
        self, arguments: list[str], *, folder: Path | None = None, capture: bool = False
    ) -> tuple[int, str]:
        """Run `python ARGUMENTS...` in the flows' environment, in `folder` or where the user is.

        Returns the exit code, and standard output when it is captured.
        """
        ...

    def site(self) -> Site | None:
        """What bootstrap works on. None: it is reached from within only, see `inside`."""
        ...

    def inside(self, arguments: list[str]) -> int:
        """Run `monolith ARGUMENTS...` where the services are reached; returns its exit code.

        Only where `site` is None. Standard input, output and errors are this process's own.
        """
        ...
