"""The catalogue of the manifests as they are now, and whether they have changed since."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

from monolith.portal.catalogue import Catalogue, parse

_FILES = ("docker-compose/*.yaml", "docker-compose/.env", "config/*/compose*.yaml")
_log = logging.getLogger(__name__)

Mark = frozenset[tuple[str, int, int]]


def mark(root: Path) -> Mark:
    """Differs when a manifest was changed, added or removed."""
    files = [file for pattern in _FILES for file in root.glob(pattern)]
    return frozenset((str(file), *_about(file)) for file in files)


def _about(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def load() -> Catalogue | None:
    """The catalogue; None, with a word in the log, where the manifests are not valid."""
    command = [sys.executable, "-I", "-m", "monolith", "portal", "--catalogue"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        _log.warning("the manifests cannot be read: %s", result.stderr.strip())
        return None
    return parse(result.stdout)
