"""Memory of containers, without page cache, as `docker stats` counts it.

Where the engine is on this machine its kernel is asked: `docker stats` takes two seconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from monolith import cgroups
from monolith.runtimes.compose.containers import Container

_PROC, _CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
_UNITS = {"B": 1, "kB": 1000, "KiB": 2**10, "MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30}
_SIZE = re.compile(r"([0-9.]+)([A-Za-z]+)")


def from_kernel(container: Container, proc: Path = _PROC, root: Path = _CGROUPS) -> int | None:
    """Bytes; None where this kernel does not know the container."""
    try:
        # `<number>:<controllers>:<path>`; with the second version one line, without controllers.
        lines = (proc / str(container.pid) / "cgroup").read_text().splitlines()
        paths = {name: path for _, names, path in map(_fields, lines) for name in names.split(",")}
        first, path = "memory" in paths, paths.get("memory") or paths[""]
        # With an engine elsewhere the process of that number is somebody else.
        if container.id not in path:
            return None
        folder = root / ("memory" if first else "") / path.lstrip("/")
        working_set = cgroups.working_set_first if first else cgroups.working_set_second
        return working_set(folder)
    except (OSError, KeyError, ValueError):
        return None


def _fields(line: str) -> list[str]:
    return line.split(":", 2)


def from_stats(lines: Iterable[str]) -> dict[str, int]:
    """Bytes by container id, from `docker stats`."""
    rows = [json.loads(line) for line in lines if line.strip()]
    return {row["ID"]: _bytes(row["MemUsage"]) for row in rows}


def _bytes(text: str) -> int:
    """`1.5MiB / 32MiB` -> 1572864; 0 for what is not a size."""
    match = _SIZE.match(text)
    return int(float(match[1]) * _UNITS.get(match[2], 0)) if match else 0
