"""What the kernel counts for each container, in both versions of its control groups."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_CONTAINER = re.compile(r"(?:[a-z]+-)?([0-9a-f]{64})(?:\.scope)?")
"""`<id>`, or with the systemd driver `docker-<id>.scope`."""
_NO_LIMIT = 2**62
"""The first version has no word for it, but a number larger than any memory."""


@dataclass(frozen=True)
class Usage:
    """Bytes, without page cache that can be dropped at once; `limit` 0: none. Seconds of CPU."""

    memory: int
    limit: int
    cpu: float
    oom_kills: int


def is_first_version(root: Path) -> bool:
    """Whether each controller has a tree of its own."""
    return (root / "memory").is_dir()


def containers(root: Path) -> dict[str, Usage]:
    """Usage of every container of this machine, by its id."""
    read = _first_version if is_first_version(root) else _second_version
    found = {}
    for name, path in _folders(root / "memory" if is_first_version(root) else root):
        try:
            found[name] = read(root, path)
        except (OSError, KeyError, ValueError):
            continue  # It has just ended.
    return found


def _folders(base: Path) -> Iterator[tuple[str, str]]:
    """(container's id, path below `base`) of all; what is below a container is not looked at."""
    for folder, names, _ in os.walk(base):
        for name in list(names):
            if match := _CONTAINER.fullmatch(name):
                names.remove(name)
                yield match[1], os.path.relpath(os.path.join(folder, name), base)  # noqa: PTH118


def _first_version(root: Path, path: str) -> Usage:
    folder = root / "memory" / path
    limit = int((folder / "memory.limit_in_bytes").read_text())
    return Usage(
        memory=working_set_first(folder),
        limit=limit if limit < _NO_LIMIT else 0,
        cpu=int((root / "cpuacct" / path / "cpuacct.usage").read_text()) / 10**9,
        oom_kills=_table(folder / "memory.oom_control").get("oom_kill", 0),
    )


def _second_version(root: Path, path: str) -> Usage:
    folder = root / path
    limit = (folder / "memory.max").read_text().strip()
    return Usage(
        memory=working_set_second(folder),
        limit=0 if limit == "max" else int(limit),
        cpu=_table(folder / "cpu.stat")["usage_usec"] / 10**6,
        oom_kills=_table(folder / "memory.events")["oom_kill"],
    )


def working_set_first(folder: Path) -> int:
    """Bytes in use, without page cache, as `docker stats` counts it; first version."""
    return _without_cache(folder / "memory.usage_in_bytes", folder, "total_inactive_file")


def working_set_second(folder: Path) -> int:
    """The same of the second version."""
    return _without_cache(folder / "memory.current", folder, "inactive_file")


def _without_cache(used: Path, folder: Path, name: str) -> int:
    return max(int(used.read_text()) - _table(folder / "memory.stat")[name], 0)


def _table(file: Path) -> dict[str, int]:
    """A file of lines `name number`."""
    rows = (line.split() for line in file.read_text().splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2}
