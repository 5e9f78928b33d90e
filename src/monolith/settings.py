"""The operator's settings: `docker-compose/.env`, and above it the environment."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from monolith.errors import Problem, UserError, shown

PREFIX = "MONOLITH_"
OWN = {
    "MONOLITH_DATA": "Folder of everything that lives on (default: `data` beside the code).",
    "MONOLITH_CACHE": "Folder of downloaded programs, shared by all clones of one user.",
    "MONOLITH_RUNTIME": "`native` or `compose`, instead of what is found.",
    "MONOLITH_PYTHON": "The Python that `./monolith` uses.",
}
"""Variables that the command line reads itself, and their meaning."""

_LINE = re.compile(r"^(?:export\s+)?(?P<name>[A-Za-z_]\w*)=(?P<value>.*)$")


@dataclass(frozen=True)
class Settings:
    """Values by variable name, and where each was set (file and line, or the environment)."""

    values: dict[str, str]
    places: dict[str, tuple[str, int]] = field(default_factory=dict)


def load(env_file: Path, base: Path) -> Settings:
    """Read `env_file` (it may be absent); variables of the environment win, as in Compose."""
    name = shown(env_file, base)
    values: dict[str, str] = {}
    places: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(_lines(env_file), 1):
        if pair := _parse(line, name, number):
            values[pair[0]], places[pair[0]] = pair[1], (name, number)
    for key, value in os.environ.items():
        if key.startswith(PREFIX):
            values[key], places[key] = value, ("environment", 0)
    return Settings(values, places)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        return []


def _parse(line: str, name: str, number: int) -> tuple[str, str] | None:
    line = line.strip()
    if not line or line.startswith("#"):
        return None
    match = _LINE.match(line)
    if not match:
        problem = Problem(
            "NAME=value", line[:40], "see docker-compose/.env.example", name, "", number
        )
        raise UserError("The settings cannot be read.", [problem])
    return match["name"], _unquote(match["value"].strip())


def _unquote(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return re.sub(r"\s+#.*$", "", value)
