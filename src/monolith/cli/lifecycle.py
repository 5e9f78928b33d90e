"""`up`, `down`, `restart`."""

from __future__ import annotations

import time

from monolith.cli import screen
from monolith.cli.session import Session


def up(session: Session) -> None:
    """Start, wait, and say where to go next."""
    began = time.monotonic()
    runtime = session.runtime_alone()
    screen.runtime(session.choice)
    with screen.Progress() as progress:
        changed = runtime.up(progress)
    if not changed:
        screen.out.print("Everything runs already. ./monolith status shows it.")
        return
    screen.out.print(f"All healthy in {time.monotonic() - began:.1f} s.")
    rows = [row for row in runtime.status() if row.address.startswith("http")]
    width = max((len(row.name) for row in rows), default=0)
    for row in rows:
        screen.out.print(f"  {row.name:<{width}}  {row.address}")
    screen.out.print("Next: ./monolith run prefect_flows/train_digits.py, or ./monolith status")


def down(session: Session) -> None:
    """Stop everything; say whether there was anything."""
    screen.runtime(session.choice)
    with screen.Progress() as progress:
        was_running = session.runtime.down(progress)
    text = "Stopped. Data is kept in" if was_running else "Nothing was running. Data is in"
    screen.out.print(f"{text} {session.project.data}", markup=False)


def restart(session: Session, services: list[str]) -> None:
    """Stop and start."""
    runtime = session.runtime_alone()
    screen.runtime(session.choice)
    with screen.Progress() as progress:
        runtime.restart(services, progress)
    screen.out.print("Restarted, all healthy.")
