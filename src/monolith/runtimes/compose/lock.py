"""One command at a time changes the containers of a clone.

The lock is on the folder of the stack files: everyone who may use the clone can take it. The data
folder would not do, because the engine makes it, as root, while those who use it need not be root.
The kernel holds the lock until the last process that has it open has ended; the `docker compose`
that we start is one, so nobody else begins while it goes on after we were killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import psutil

from monolith.errors import UserError


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[int]:
    """Hold the lock for the block, which gets the open file. UserError when it is taken."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(folder) from None
        yield descriptor
    finally:
        os.close(descriptor)


def _taken(folder: Path) -> UserError:
    who = _holder(folder.stat().st_ino, Path("/proc/locks"))
    return UserError(f"The platform is being changed by {who}.", hint="wait until it has ended")


def _holder(inode: int, locks: Path) -> str:
    """`1: FLOCK ADVISORY WRITE <pid> <device>:<inode> 0 EOF`, in words."""
    with contextlib.suppress(OSError, ValueError, psutil.Error, StopIteration):
        lines = [line.split() for line in locks.read_text().splitlines()]
        held = (words for words in lines if words[1] == "FLOCK")
        pid = next(int(words[4]) for words in held if words[5].endswith(f":{inode}"))
        process = psutil.Process(pid)
        words = process.cmdline()
        command = " ".join(words[words.index("monolith") :])
        return f"`{command}` (pid {pid}, user {process.username()})"
    return "another command"
