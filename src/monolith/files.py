"""Writing state so that a crash leaves the old file or the new one, never a part of either."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def write_atomic(path: Path, text: str, mode: int = PRIVATE_FILE) -> bool:
    """Replace `path` by `text` (UTF-8) in one step. Returns whether anything changed."""
    data = text.encode()
    if _same(path, data, mode):
        return False
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        _fill(handle, data, mode)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    _sync_folder(path.parent)
    return True


def private_folder(path: Path) -> Path:
    """Make `path` and its missing parents, itself open to its owner only."""
    path.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o777 != PRIVATE_FOLDER:
        path.chmod(PRIVATE_FOLDER)
    return path


def sources(path: Path) -> list[Path]:
    """The file at `path`, or every file below it but what Python keeps there of its own."""
    found = [path, *path.rglob("*")]
    return [file for file in found if file.is_file() and "__pycache__" not in file.parts]


def _same(path: Path, data: bytes, mode: int) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    return path.stat().st_mode & 0o777 == mode and path.read_bytes() == data


def _fill(handle: int, data: bytes, mode: int) -> None:
    with os.fdopen(handle, "wb") as stream:
        os.fchmod(stream.fileno(), mode)
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
