"""`up`, `down`, `restart`."""

from __future__ import annotations

import time

from monolith.cli import screen
from monolith.cli.session import Session


def up(session: Session) -> None:
    """Start, wait, and say where to go next."""
    began = time.monotonic()
    with screen.Progress() as progress:
        changed = session.runtime.up(progress)
    if not changed:
        screen.out.print("Everything runs already. ./monolith status shows it.")
        return
    screen.out.print(f"All healthy in {time.monotonic() - began:.1f} s.")
    for row in session.runtime.status():
        if row.address.startswith("http"):
            screen.out.print(f"  {row.name:<10} {row.address}")
    screen.out.print("Next: ./monolith run prefect_flows/train_digits.py, or ./monolith status")


def down(session: Session) -> None:
    """Stop everything; say whether there was anything."""
    with screen.Progress() as progress:
        was_running = session.runtime.down(progress)
    text = "Stopped. Data is kept in" if was_running else "Nothing was running. Data is in"
    screen.out.print(f"{text} {session.project.data}", markup=False)


def restart(session: Session, services: list[str]) -> None:
    """Stop and start."""
    with screen.Progress() as progress:
        session.runtime.restart(services, progress)
    screen.out.print("Restarted, all healthy.")
