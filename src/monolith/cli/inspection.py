"""`status`, `logs`, `open`, `env`: looking, and nothing else."""

from __future__ import annotations

import json
import os
import shlex
import sys
import webbrowser
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from monolith.cli import screen
from monolith.cli.session import Session
from monolith.errors import UserError
from monolith.runtimes.base import ServiceStatus


def status(session: Session, *, as_json: bool) -> None:
    """Print a row per service; exit code 1 unless all that is offered is healthy."""
    rows = session.runtime.status()
    if as_json:
        screen.out.print_json(json.dumps(_as_json(session, rows)))
    else:
        screen.runtime(session.choice)
        _print_table(session, rows)
    if not _all_healthy(rows):
        raise typer.Exit(1)


def _as_json(session: Session, rows: list[ServiceStatus]) -> dict[str, Any]:
    return {
        "runtime": session.runtime.name,
        "stack": session.stack_name,
        "healthy": _all_healthy(rows),
        "services": [row.as_dict() for row in rows],
    }


def _all_healthy(rows: list[ServiceStatus]) -> bool:
    return all(row.is_well for row in rows)


def _print_table(session: Session, rows: list[ServiceStatus]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in ("service", "state", "address", "uptime"):
        table.add_column(name, no_wrap=True)
    table.add_column("memory/cap", justify="right", no_wrap=True)
    shown = [row for row in rows if row.state != "not offered"]
    for row in shown:
        table.add_row(*_cells(row))
    screen.out.print(table)
    _print_notes(session, rows)


def _cells(row: ServiceStatus) -> list[str]:
    style = screen.STYLES.get(row.state, "")
    address = row.address.removeprefix("http://")
    memory = f"{row.memory >> 20}/{screen.megabytes(row.memory_limit)}"
    return [row.name, f"[{style}]{row.state}[/]", address, screen.duration(row.uptime),
            memory if row.memory else ""]  # fmt: skip


def _print_notes(session: Session, rows: list[ServiceStatus]) -> None:
    total = sum(row.memory for row in rows)
    if total:
        screen.out.print(f"\n{screen.megabytes(total)} in all, {session.runtime.name} runtime.")
    for row in rows:
        for note in _notes(row):
            screen.out.print(note)
    for reason, names in _not_offered(rows).items():
        text = f"Not offered by the {session.runtime.name} runtime ({reason}): "
        screen.out.print(escape(text + ", ".join(names)), style="dim", soft_wrap=False)
    if not any(row.uptime for row in rows):
        screen.out.print("\nNothing runs. Start with ./monolith up")


def _notes(row: ServiceStatus) -> list[str]:
    """What is unusual about a service, and has no column."""
    notes = []
    if row.reason and row.state != "not offered":
        reason = escape(row.reason)
        notes.append(f"[red]{row.name}[/]: {reason}. See ./monolith logs {row.name}")
    if row.restarts or row.oom_killed:
        told = [f"restarted by itself: {row.restarts}"] if row.restarts else []
        told += ["out of memory since its start"] if row.oom_killed else []
        notes.append(f"[yellow]{row.name}[/]: {', '.join(told)}")
    return notes


def _not_offered(rows: list[ServiceStatus]) -> dict[str, list[str]]:
    """Names of services by the reason why they are not offered."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.state == "not offered":
            found.setdefault(row.reason, []).append(row.name)
    return found


def logs(session: Session, services: list[str], lines: int, *, follow: bool) -> None:
    """Print lines, each behind its service's name where there are several."""
    width = max(map(len, services or session.stack.services)) if len(services) != 1 else 0
    for service, line in session.runtime.logs(services, lines, follow=follow):
        sys.stdout.write(f"{service:<{width}} {line}\n" if width else f"{line}\n")
        sys.stdout.flush()


def open_address(session: Session, service: str) -> None:
    """Open the browser where there is one."""
    entry = session.stack.service(service)
    row = next(row for row in session.runtime.status() if row.name == entry.name)
    if not row.address.startswith("http"):
        known = ", ".join(one.name for one in session.stack.by_url())
        raise UserError(f"{service} has no page to open.", hint=f"one of: {known}")
    if _has_browser() and webbrowser.open(row.address):
        screen.err.print(f"Opened {row.address}")
    else:
        screen.out.print(row.address)


def _has_browser() -> bool:
    return sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )


def env(session: Session) -> None:
    """Print one export per line, safe for `eval`."""
    for name, value in sorted(session.runtime.client_environment().items()):
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
