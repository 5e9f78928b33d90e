"""An environment of its own for each application, installed by uv from a lock with hashes.

Environments are named by the content of their lock, so clones share them and a half-made one is
never used: it is made under another name and renamed when it is whole.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from filelock import FileLock

from monolith.errors import UserError
from monolith.runtimes.base import Reporter


class Environments:
    """Installed environments of one Python below the shared cache folder."""

    def __init__(self, cache: Path, python: str = sys.executable) -> None:
        self.cache = cache
        self.python = python

    def folder(self, lock: Path) -> Path:
        """Where the environment of `lock` is, or will be."""
        about = f"{sysconfig.get_platform()} {self._about_python()}"
        digest = hashlib.sha256(lock.read_bytes() + about.encode()).hexdigest()[:16]
        return self.cache / "envs" / f"{lock.parent.name}-{digest}"

    def _about_python(self) -> str:
        if self.python != sys.executable:
            return self.python
        return f"{platform.python_version()} {sys.base_prefix}"

    def ensure(self, locks: list[Path], reporter: Reporter) -> bool:
        """Install the missing ones, side by side. Returns whether any was missing."""
        missing = [lock for lock in dict.fromkeys(locks) if not self.folder(lock).is_dir()]
        if not missing:
            return False
        (self.cache / "envs").mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(lambda lock: self._install(lock, reporter), missing))
        return True

    def _install(self, lock: Path, reporter: Reporter) -> None:
        target = self.folder(lock)
        name = lock.parent.name
        reporter.step(name, "installing")
        with FileLock(target.with_suffix(".lock")):
            if not target.is_dir():
                self._build(lock, target)
        reporter.done(name, "installed")

    def _build(self, lock: Path, target: Path) -> None:
        new = target.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        self._uv(["venv", "--quiet", "--relocatable", "--python", self.python, str(new)])
        self._uv(["pip", "sync", "--quiet", "--require-hashes", "--python", str(new), str(lock)])
        new.rename(target)

    def _uv(self, arguments: list[str]) -> None:
        result = subprocess.run(
            [uv_program(), *arguments],
            env=self._environment(), umask=0o022, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if result.returncode:
            raise UserError(
                "An application could not be installed:\n" + result.stderr.strip(),
                hint="check the network or the package index (UV_INDEX_URL), then ./monolith up",
            )

    def _environment(self) -> dict[str, str]:
        own = {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
        return {"UV_CACHE_DIR": str(self.cache / "uv"), **os.environ, **own}


def uv_program() -> str:
    """The uv of this environment, else the one on PATH."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else "uv"
