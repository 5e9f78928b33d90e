"""`tools build` and `tools list`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from rich.markup import escape

from monolith.cli import screen
from monolith.cli.session import Session
from monolith.project import Project
from monolith.tools import model
from monolith.tools.workshop import Workshop

COLUMNS = ("name", "version", "state", "path")


def build(session: Session, names: list[str]) -> None:
    """Make the named programs, or all; say where they are, and what was unusual."""
    project = session.project
    chosen = model.choose(model.load_all(project.root), names)
    ready = session.settings.values.get("MONOLITH_TOOLS")
    for tool in chosen:
        with screen.Progress() as progress:
            made = Workshop(project.cache, Path(ready) if ready else None, progress).make(tool)
        if made.warning:
            screen.err.print(f"[yellow]warning[/]  {escape(made.warning)}")
        screen.out.print(str(tool.program(project.cache)), markup=False)


def show(session: Session, *, as_json: bool) -> None:
    """Print a row per tool."""
    found = rows(session.project)
    if as_json:
        screen.out.print_json(json.dumps({"tools": found}))
    else:
        screen.out.print("\n".join(lines(found)), markup=False)


def rows(project: Project) -> list[dict[str, str]]:
    """Name, version, state and path of each tool; no path where it is not built."""
    tools = model.load_all(project.root).values()
    return [_row(tool, tool.program(project.cache)) for tool in tools]


def _row(tool: model.Tool, program: Path) -> dict[str, str]:
    ready = program.is_file()
    state = "ready" if ready else "not built"
    path = str(program) if ready else ""
    return {"name": tool.name, "version": tool.version, "state": state, "path": path}


def lines(found: list[dict[str, str]]) -> Iterator[str]:
    """Aligned columns; a path is never cut, however narrow the terminal is."""
    header = {column: column for column in COLUMNS}
    widths = {column: max(len(row[column]) for row in [header, *found]) for column in COLUMNS}
    for row in [header, *found]:
        yield "  ".join(f"{row[column]:<{widths[column]}}" for column in COLUMNS).rstrip()
