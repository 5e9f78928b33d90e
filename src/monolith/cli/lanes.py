"""Running the lanes of `test`: short ones in turn, long ones side by side as far as they can."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path

from monolith.cli import screen

# Each spends half its time waiting for servers, so two of them run at any time. No container of
# another lane survives `compose`, which restarts the engine.
_WAITS_FOR = {"native": (), "compose": (), "full": ("compose",), "store": ("compose", "native")}


@dataclass
class Lane:
    """Commands of one lane, and what of it this machine cannot run."""

    commands: list[list[str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


class Runner:
    """Runs lanes in the checkout at `root`; `failed` has the names of those that did not pass."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.failed: list[str] = []
        self._printing = threading.Lock()

    def run(self, lanes: dict[str, Lane]) -> None:
        """Every lane, also behind one that fails."""
        long = {name: lane for name, lane in lanes.items() if name in _WAITS_FOR}
        for name, lane in lanes.items():
            if name not in long or len(long) == 1:
                self._run(name, lane, told_apart=False)
        if len(long) > 1:
            self._side_by_side(long)

    def _side_by_side(self, lanes: dict[str, Lane]) -> None:
        sorter = TopologicalSorter({name: set(_WAITS_FOR[name]) & set(lanes) for name in lanes})
        sorter.prepare()
        running: dict[Future[None], str] = {}
        with ThreadPoolExecutor() as pool:
            while sorter.is_active():
                for name in sorter.get_ready():
                    running[pool.submit(self._run, name, lanes[name], told_apart=True)] = name
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    future.result()
                    sorter.done(running.pop(future))

    def _run(self, name: str, lane: Lane, *, told_apart: bool) -> None:
        for command in lane.commands:
            with self._printing:
                screen.out.rule(f"{name}: {' '.join(Path(word).name for word in command)[:60]}")
            if self._code(name, command, told_apart=told_apart):
                self.failed.append(name)

    def _code(self, name: str, command: list[str], *, told_apart: bool) -> int:
        """Exit code; `told_apart` puts the lane's name in front of every line it prints."""
        pipe = subprocess.PIPE if told_apart else None
        with subprocess.Popen(
            command, cwd=self.root, env=self._environment(name), stdout=pipe,
            stderr=subprocess.STDOUT if told_apart else None, text=True, errors="replace",
        ) as process:  # fmt: skip
            for line in process.stdout or ():
                with self._printing:
                    sys.stdout.write(f"{name:<7} | {line}")
                    sys.stdout.flush()
        return process.returncode

    def _environment(self, name: str) -> dict[str, str]:
        own = {"PYTHONPATH": str(self.root / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        if name in _WAITS_FOR:
            own["PYTEST_DEBUG_TEMPROOT"] = str(_temporary(name))
        return {**os.environ, **own}


def _temporary(name: str) -> Path:
    """Where a lane's folders are: pytest closes theirs to other users whenever one starts."""
    folder = Path(tempfile.gettempdir()) / f"monolith-{name}-{os.geteuid()}"
    folder.mkdir(0o755, exist_ok=True)
    return folder
