"""Reading files that nobody else may have read or replaced."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from monolith.errors import Problem, UserError
from monolith.files import PRIVATE_FILE


def read(path: Path, data: Path, lost: str) -> dict[str, Any]:
    """The JSON document in `path`, which lies in the data folder `data`.

    `lost` is what cannot be used when the content is broken, for the message.
    """
    _refuse_unsafe(path, data)
    try:
        return dict(json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        fix = f"restore {path} from a backup; {lost}"
        raise UserError("Secrets cannot be read.", [
            Problem("a JSON document of names and values", str(error), fix, str(path)),
        ]) from error  # fmt: skip


def _refuse_unsafe(path: Path, data: Path) -> None:
    if path.is_symlink() or not path.is_file():
        raise _unsafe(path, "a plain file", "a link or something else", f"replace {path}")
    status = path.stat()
    if status.st_uid not in _owners(data):
        found = f"a file of user {status.st_uid}"
        raise _unsafe(path, "a file of your own", found, f"chown {os.geteuid()} '{path}'")
    if status.st_mode & 0o077:
        found = f"mode {status.st_mode & 0o777:04o}"
        raise _unsafe(path, f"mode {PRIVATE_FILE:04o}", found, f"chmod 600 '{path}'")


def _owners(data: Path) -> set[int]:
    """Root in a container finds files of the user who ran the platform without containers."""
    own = os.geteuid()
    return {own} if own else {own, data.stat().st_uid}


def _unsafe(path: Path, expected: str, found: str, fix: str) -> UserError:
    return UserError("A secrets file is not safe.", [Problem(expected, found, fix, str(path))])
