"""Which store the stack files include, and changing that one line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from monolith.errors import Problem, UserError, shown
from monolith.files import write_atomic


def changed(text: str, kind: str, other: str) -> str:
    """A stack file's text that includes the other store; as it was where it includes neither."""
    return re.sub(rf"(?<=[/.]config/){re.escape(kind)}(?=/compose[\w.]*\.yaml)", other, text)


def files(stack_file: Path, folder: Path) -> list[Path]:
    """The stack files of the project, the one in use last: until then nothing has changed."""
    others = sorted(folder.glob("docker-compose.*.yaml"))
    return [*(path for path in others if path.resolve() != stack_file.resolve()), stack_file]


def check(stack_file: Path, kind: str, other: str, base: Path) -> None:
    """UserError where the stack file in use does not say which store it includes."""
    text = stack_file.read_text()
    if changed(text, kind, other) == text:
        fix = f"write ../config/{kind}/compose.yaml below `include:`"
        name = shown(stack_file, base)
        problem = Problem(f"a line that includes config/{kind}/compose.yaml", "none", fix, name)
        raise UserError("The stack file cannot be switched.", [problem])


def write(paths: Iterable[Path], kind: str, other: str) -> list[Path]:
    """Change the line in each file. Returns the files that changed."""
    return [path for path in paths if _write(path, kind, other)]


def _write(path: Path, kind: str, other: str) -> bool:
    text = changed(path.read_text(), kind, other)
    return write_atomic(path, text, path.stat().st_mode & 0o777)
