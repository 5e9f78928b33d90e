"""Where things are: the project's folders, derived from one root."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from monolith.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Project:
    """The folders of one clone. `data` may be elsewhere (MONOLITH_DATA), `cache` is shared."""

    root: Path
    data: Path
    cache: Path

    @property
    def stacks(self) -> Path:
        """Folder of the stack files and `.env`."""
        return self.root / "docker-compose"

    @property
    def env_file(self) -> Path:
        """The operator's settings."""
        return self.stacks / ".env"

    @property
    def flows(self) -> Path:
        """Folder of the flows."""
        return self.root / "prefect_flows"

    def stack_file(self, name: str) -> Path:
        """A stack's file by its name, or by a path to it."""
        if name.endswith((".yaml", ".yml")):
            return Path(name).absolute()
        return self.stacks / f"docker-compose.{name}.yaml"


def find(settings: Settings | None = None) -> Project:
    """This clone, with the data folder that the settings choose."""
    values = settings.values if settings else {}
    chosen = values.get("MONOLITH_DATA", "")
    cache = _cache(values.get("MONOLITH_CACHE", ""))
    return Project(ROOT, Path(chosen) if chosen else ROOT / "data", cache)


def _cache(chosen: str) -> Path:
    if chosen:
        return Path(chosen).absolute()
    if os.geteuid() == 0:
        # Services that drop root have to be able to read their programs: not in /root.
        return Path("/var/cache/monolith")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "monolith"
