"""The one family of errors that are told to the user; anything else is a bug with a traceback."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where, what was expected, what was found, what to do next.

    `path` is the path into the file, such as `services/mlflow/ports/0`; `line` counts from 1.
    """

    expected: str
    found: str
    next: str
    file: str = ""
    path: str = ""
    line: int = 0

    @property
    def where(self) -> str:
        """File, line and path as one text."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return "  ".join(part for part in (place, self.path) if part)

    def text(self) -> str:
        """Four aligned lines: place, expected, found, next."""
        rows = [("expected", self.expected), ("found", self.found), ("next", self.next)]
        body = "\n".join(f"  {name:<9} {value}" for name, value in rows if value)
        return f"{self.where}\n{body}" if self.where else body

    def as_dict(self) -> dict[str, object]:
        """Shape of one entry under `problems` in `--json` output."""
        return asdict(self)


class UserError(Exception):
    """Something the user can put right. The command ends with exit code 1.

    `problems` holds one entry for each thing that is wrong; `message` is the headline.
    """

    def __init__(self, message: str, problems: list[Problem] | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.problems = problems or []
        self.hint = hint

    def __str__(self) -> str:
        parts = [self.message, *(problem.text() for problem in self.problems)]
        return "\n".join([*parts, f"next: {self.hint}"] if self.hint else parts)


def shown(path: Path, base: Path) -> str:
    """`path` relative to `base` where it lies inside, else as it is."""
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)
