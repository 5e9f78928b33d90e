"""One command at a time changes the platform; the other learns who holds it.

The kernel holds the lock, so it ends with its holder, however that ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import psutil
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from monolith.errors import UserError
from monolith.files import private_folder


@contextlib.contextmanager
def hold(path: Path, command: str) -> Iterator[None]:
    """Hold the lock for the block. Raises UserError with the holder when it is taken."""
    with _opened(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(path) from None
        _sign(file, command)
        yield
        file.truncate(0)


def _opened(path: Path) -> IO[str]:
    try:
        private_folder(path.parent)
        return path.open("a+")
    except OSError as error:
        hint = "run as the user that it belongs to, or set MONOLITH_DATA to a folder of your own"
        raise UserError(f"The data folder cannot be used: {error}.", hint=hint) from error


def _sign(file: IO[str], command: str) -> None:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    holder = {"pid": os.getpid(), "user": _user(), "since": since, "command": command}
    file.truncate(0)
    file.write(json.dumps(holder))
    file.flush()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.geteuid())


def _taken(path: Path) -> UserError:
    try:
        who = "`monolith {command}` (pid {pid}, user {user}, since {since})".format(**_holder(path))
    except (ValueError, KeyError, TypeError):
        who = "another command"
    return UserError(f"The platform is being changed by {who}.", hint="wait until it has ended")


@retry(
    retry=retry_if_exception_type(ValueError), stop=stop_after_delay(2), wait=wait_fixed(0.05),
    reraise=True,
)  # fmt: skip
def _holder(path: Path) -> dict[str, object]:
    """Who has signed. Between taking the lock and signing it, that is nobody, or one who ended."""
    holder: dict[str, object] = json.loads(path.read_text())
    if not psutil.pid_exists(int(str(holder["pid"]))):
        raise ValueError(holder)
    return holder
