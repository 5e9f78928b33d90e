"""The tools of a project: what `tools/<name>/` says, and where each program is."""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from monolith.errors import UserError
from monolith.manifest import words
from monolith.project import Project

_INPUTS = (".go", ".mod", ".sum", ".toml")
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Tool:
    """One `tool.toml`: a Go program, how to build it, and the sums of its build by platform."""

    folder: Path
    name: str
    version: str
    package: str
    tags: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    sha256: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Of everything that decides what is built, and for which platform."""
        files = sorted(path for path in self.folder.iterdir() if path.suffix in _INPUTS)
        sums = [f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files]
        return hashlib.sha256("\n".join([target(), *sums]).encode()).hexdigest()[:16]

    @property
    def oldest_go(self) -> str:
        """The `go` line of the module, such as `1.26.8`."""
        found = re.search(r"^go (\S+)$", (self.folder / "go.mod").read_text(), re.MULTILINE)
        return found[1] if found else "1"

    @property
    def sum(self) -> str:
        """The recorded sum for this platform; an empty text when there is none."""
        return self.sha256.get(target(), "")

    def program(self, cache: Path) -> Path:
        """Where the program is, or will be."""
        return cache / "tools" / f"{self.name}-{self.version}-{self.digest}" / self.name


def machine() -> str:
    """This processor, as Go names it."""
    return _MACHINES.get(platform.machine(), platform.machine())


def target() -> str:
    """This platform, as in `tool.toml`: `linux-amd64`."""
    return f"{sys.platform}-{machine()}"


def load(file: Path) -> Tool:
    """Read one `tool.toml`."""
    return Tool(file.parent, **tomllib.loads(file.read_text()))


def load_all(root: Path) -> dict[str, Tool]:
    """The tools of the project at `root`, by name."""
    return {file.parent.name: load(file) for file in sorted(root.glob("tools/*/tool.toml"))}


def choose(tools: dict[str, Tool], names: Iterable[str]) -> list[Tool]:
    """The named ones, each once; all when none is named."""
    wanted = list(dict.fromkeys(names)) or list(tools)
    for name in wanted:
        if name not in tools:
            hint = words.did_you_mean(name, tools, f"one of: {', '.join(tools)}")
            raise UserError(f"There is no tool `{name}`.", hint=hint)
    return [tools[name] for name in wanted]


def find(name: str, project: Project) -> Path | None:
    """The program `name`: the built or taken one, else one on PATH, else None.

    The project's own comes first: its version and content are pinned, so that clones of the same
    commit behave alike, and a system package of another version cannot meet our configuration and
    data by surprise. PATH is for who has not built it.
    """
    file = project.root / "tools" / name / "tool.toml"
    if file.is_file() and (own := load(file).program(project.cache)).is_file():
        return own
    other = shutil.which(name)
    return Path(other) if other else None
