"""A session whose runtime does nothing but answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monolith.cli.session import Session
from monolith.manifest.stack import Stack
from monolith.project import Project
from monolith.runtimes.base import Reporter, ServiceStatus
from monolith.runtimes.choice import Choice


@dataclass
class FakeRuntime:
    """Answers what a test says; `runs` keeps the arguments of Python."""

    name: str = "compose"
    rows: list[ServiceStatus] = field(default_factory=list)
    client: dict[str, str] = field(default_factory=dict)
    answer: Callable[[list[str]], tuple[int, Any]] = lambda arguments: (0, {})
    lines: list[tuple[str, str]] = field(default_factory=list)
    runs: list[list[str]] = field(default_factory=list)

    def up(self, reporter: Reporter) -> bool:
        return True

    def down(self, reporter: Reporter) -> bool:
        return True

    def restart(self, services: list[str], reporter: Reporter) -> None:
        pass

    def status(self) -> list[ServiceStatus]:
        return self.rows

    def logs(self, services: list[str], lines: int, *, follow: bool) -> Iterator[tuple[str, str]]:
        yield from self.lines

    def client_environment(self) -> dict[str, str]:
        return self.client

    def prepare_flows(self, reporter: Reporter) -> None:
        reporter.done("prefect_flows", "installed")

    def run_python(
        self, arguments: list[str], *, folder: Path | None = None, capture: bool = False
    ) -> tuple[int, str]:
        self.runs.append(arguments)
        code, answer = self.answer(arguments)
        return code, f"a word before\n{json.dumps(answer)}\n"

    def site(self) -> None:
        return None

    def inside(self, arguments: list[str]) -> int:
        return 0


class FakeSession(Session):
    """A session with that runtime."""

    def __init__(self, runtime: FakeRuntime, stack: Stack, root: Path) -> None:
        super().__init__("", "")
        self.__dict__ |= {
            "runtime": runtime, "stack": stack, "choice": Choice(runtime.name, "a test"),
            "project": Project(root, root / "data", root / "cache"),
        }  # fmt: skip

    def runtime_alone(self) -> Any:
        return self.runtime
