"""How things look: progress, tables, sizes. Colours and motion only on a terminal."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table

if TYPE_CHECKING:
    from monolith.runtimes.choice import Choice

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

STYLES = {
    "healthy": "green",
    "done": "green",
    "starting": "yellow",
    "unhealthy": "red",
    "stopped": "dim",
}


class Progress:
    """Tells what a long command does: a live table on a terminal, else a line per change.

    Use as a context manager; it is a `runtimes.base.Reporter`, called from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._rows: dict[str, tuple[str, float, bool]] = {}
        self._live = Live(console=err, refresh_per_second=8, get_renderable=self._table)

    def __enter__(self) -> Self:
        if err.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if err.is_terminal:
            self._live.stop()

    def step(self, subject: str, text: str) -> None:
        """See Reporter."""
        self._set(subject, text, ended=False)

    def done(self, subject: str, text: str) -> None:
        """See Reporter."""
        self._set(subject, text, ended=True)

    def _set(self, subject: str, text: str, *, ended: bool) -> None:
        passed = time.monotonic() - self._began
        with self._lock:
            self._rows[subject] = (text, passed, ended)
        if not err.is_terminal:
            err.print(f"{passed:6.1f} s  {subject:<18} {text}")

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        now = time.monotonic() - self._began
        with self._lock:
            for subject, (text, since, ended) in self._rows.items():
                mark = "[green]✓[/]" if ended else Spinner("dots")
                table.add_row(mark, subject, text, f"{since if ended else now:.1f} s")
        return table


def runtime(choice: Choice) -> None:
    """Say in one line which runtime it is, and why."""
    err.print(f"[dim]Runtime: {choice.name} ({escape(choice.why)}).[/]")


def megabytes(size: int) -> str:
    """`12345678` -> `12 MB`; an empty text for nothing."""
    return f"{size / 2**20:.0f} MB" if size else ""


def duration(seconds: float) -> str:
    """`93784` -> `1d 2h`; the two largest units."""
    if not seconds:
        return ""
    rest, parts = int(seconds), list[str]()
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, length)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])
