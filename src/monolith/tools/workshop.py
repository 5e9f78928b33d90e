"""Making the programs: taken ready and checked, or built. Never half-made, and one at a time."""

from __future__ import annotations

import contextlib
import hashlib
import lzma
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from monolith.errors import UserError
from monolith.runtimes.base import Reporter
from monolith.tools import golang
from monolith.tools.model import Tool, target

_MODE = 0o755
_CHUNK = 2**20
_BUILD_INSTEAD = "put the right one there, or unset MONOLITH_TOOLS to build it"


@dataclass(frozen=True)
class Made:
    """How a program came to be there, and what was unusual about it."""

    how: str
    warning: str = ""


@dataclass(frozen=True)
class Workshop:
    """Makes programs below `cache`; `ready` is the folder of ready ones, when there is one."""

    cache: Path
    ready: Path | None
    reporter: Reporter

    def make(self, tool: Tool) -> Made:
        """Make the program of `tool`, unless it is there."""
        program, made = tool.program(self.cache), Made("ready")
        program.parent.parent.mkdir(parents=True, exist_ok=True)
        if not program.is_file():
            with self._alone(tool, program.parent):
                if not program.is_file():
                    made = self._make(tool, program.parent)
        self.reporter.done(tool.name, made.how)
        return made

    @contextlib.contextmanager
    def _alone(self, tool: Tool, folder: Path) -> Iterator[None]:
        lock = FileLock(folder.with_name(f"{folder.name}.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self.reporter.step(tool.name, "waiting: it is being made by another command")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _make(self, tool: Tool, folder: Path) -> Made:
        source = self._source(tool)
        with _new_folder(folder) as new:
            program = new / tool.name
            return self._take(tool, source, program) if source else self._build(tool, program)

    def _source(self, tool: Tool) -> Path | None:
        if self.ready is None:
            return None
        if not self.ready.is_dir():
            told = f"MONOLITH_TOOLS is {self.ready}, which is no folder."
            raise UserError(told, hint="correct it, or unset it to build the programs")
        names = (tool.name, f"{tool.name}.xz")
        return next((path for name in names if (path := self.ready / name).is_file()), None)

    def _take(self, tool: Tool, source: Path, program: Path) -> Made:
        self.reporter.step(tool.name, f"taking {source}")
        found = _copy(source, program)
        if not tool.sum:
            told = f"{source} cannot be checked: tool.toml has no sum for {target()}."
            raise UserError(told, hint="unset MONOLITH_TOOLS to build it")
        if found != tool.sum:
            told = f"{source} is not the program that is expected (sha256)."
            raise UserError(f"{told}\n  expected  {tool.sum}\n  found     {found}",
                            hint=_BUILD_INSTEAD)  # fmt: skip
        return Made(f"taken from {source}")

    def _build(self, tool: Tool, program: Path) -> Made:
        where = f" (not in {self.ready})" if self.ready else ""
        self.reporter.step(tool.name, f"building {tool.version}{where}: this takes minutes")

        def tell(seconds: float) -> None:
            self.reporter.step(tool.name, f"building {tool.version} for {seconds:.0f} s")

        version = golang.build(tool, program, os.environ, tell)
        return Made(f"built by {version}", _difference(tool, version, _sum(program)))


@contextlib.contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """A folder of another name that becomes `folder` when all went well, and is gone otherwise.

    Each try has its own: a compiler that outlived a killed command cannot write into the next.
    """
    prefix = f"{folder.name}.new-"
    for old in folder.parent.glob(f"{prefix}*"):
        shutil.rmtree(old, ignore_errors=True)
    new = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    try:
        yield new
        _keep(new)
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _keep(folder: Path) -> None:
    """Readable for every user, because services drop root; on the disk before it has its name."""
    for path in (*folder.iterdir(), folder):
        path.chmod(_MODE)
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def _copy(source: Path, program: Path) -> str:
    """Write the unpacked `source` into `program`. Returns its sum."""
    digest = hashlib.sha256()
    try:
        with _opened(source) as stream, program.open("wb") as new:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                new.write(chunk)
    except (EOFError, lzma.LZMAError) as error:
        told = f"{source} cannot be unpacked: {str(error)[:1].lower()}{str(error)[1:].rstrip('.')}."
        raise UserError(told, hint=_BUILD_INSTEAD) from error
    except OSError as error:
        raise UserError(f"{source} cannot be copied: {error.strerror}.") from error
    return digest.hexdigest()


def _opened(source: Path) -> IO[bytes] | lzma.LZMAFile:
    return lzma.open(source) if source.suffix == ".xz" else source.open("rb")


def _sum(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _difference(tool: Tool, version: str, found: str) -> str:
    if not tool.sum:
        return f"{tool.name}: tool.toml has no sum for {target()} to compare with ({found})."
    if found == tool.sum:
        return ""
    return (f"{tool.name} was built by {version} and differs from the recorded build, "
            f"as with another Go version. Its sha256 is {found}, not {tool.sum}.")  # fmt: skip
