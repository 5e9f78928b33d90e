"""`validate` and `render`."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from monolith.cli import screen
from monolith.cli.session import Session
from monolith.errors import UserError
from monolith.files import write_atomic
from monolith.render import documents

READABLE = 0o644


def validate(session: Session, *, as_json: bool) -> None:
    """Load the stack; say that it is right, or everything that is wrong."""
    try:
        stack = session.stack
    except UserError as error:
        if not as_json:
            raise
        problems = [problem.as_dict() for problem in error.problems]
        told = {"ok": False, "message": error.message, "next": error.hint, "problems": problems}
        screen.out.print_json(json.dumps(told))
        raise typer.Exit(1) from None
    count = len(stack.services)
    if as_json:
        screen.out.print_json(json.dumps({"ok": True, "services": count, "problems": []}))
    else:
        screen.out.print(f"{session.stack_name} is valid: {count} services.", markup=False)


def render(session: Session, *, check: bool) -> None:
    """Write rendered files, or name the ones that differ."""
    wanted = documents.all_files(session.all_stacks())
    root = session.project.root
    stale = [name for name, text in wanted.items() if _differs(root / name, text)]
    if check and stale:
        raise UserError(f"Not up to date: {', '.join(stale)}.", hint="./monolith render")
    for name in stale:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write_atomic(root / name, wanted[name], READABLE)
        screen.out.print(f"wrote {name}")
    if not stale:
        screen.out.print("Everything is up to date.")


def _differs(path: Path, text: str) -> bool:
    return not path.is_file() or path.read_text() != text
