"""The images of a project: what `images/<name>/` says. Nothing here asks the engine.

A folder holds `image.toml` and a `Dockerfile` whose COPY lines name every file of the repository
that goes in; `programs/<tool>` is a program of `tools/`. The base image has a `rootfs` instead.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monolith.errors import UserError, shown
from monolith.files import sources
from monolith.manifest import words, yamlfile
from monolith.tools import model as tools

PROGRAMS = "programs"
INPUTS_LABEL, BASE_LABEL = "monolith.inputs", "monolith.base"
OWN = "this repository"
_REGISTRIES = {"pypi": "PyPI", "go": "Go modules", "debian": "Debian", "npm": "npm"}
_COPY = re.compile(r"^COPY (?!--from=)(?:--\S+ +)*(.+?) +\S+$", re.MULTILINE)
_FROM = re.compile(r"^FROM (\S+)(?: AS (\S+))?$", re.MULTILINE)
_SHORT = re.compile(r"^docker\.io/(library/)?")


@dataclass(frozen=True)
class Image:
    """One image: its recipe, its name as the manifests write it, and where its content is from.

    `source` is a registry of packages and `package` a name in it; `stage` is empty for the last.
    """

    root: Path
    folder: Path
    name: str
    title: str
    reference: str
    source: str = OWN
    package: str = ""
    stage: str = ""

    @property
    def short(self) -> str:
        """The reference as `docker images` shows it: `postgres:18.6-trixie`."""
        return _SHORT.sub("", self.reference)

    @property
    def is_base(self) -> bool:
        """Whether it is made from nothing, by `rootfs`."""
        return (self.folder / "rootfs").is_file()

    @property
    def is_own(self) -> bool:
        """Whether no registry could have it, so that one without a label was built here, too."""
        return self.source == OWN and not self.is_base

    @property
    def label(self) -> str:
        """Where it keeps its digest. Images inherit labels, so a base has one of its own."""
        return BASE_LABEL if self.is_base else INPUTS_LABEL

    @property
    def bases(self) -> list[str]:
        """References of the images it is built on."""
        found = _FROM.findall(self._dockerfile())
        stages = [stage for _, stage in found]
        return list(dict.fromkeys(base for base, _ in found if base not in stages))

    @property
    def programs(self) -> list[str]:
        """Names of the tools that go in."""
        return [Path(path).name for path in self._copied() if _is_program(path)]

    def files(self) -> dict[str, Path]:
        """Path in the build context (and in the repository) -> file, without programs."""
        wanted = [
            self.folder,
            *(self.root / path for path in self._copied() if not _is_program(path)),
        ]
        found = [file for path in wanted for file in _files(path)]
        return {str(file.relative_to(self.root)): file for file in sorted(set(found))}

    def version(self) -> str:
        """Of the package; an empty text for Debian's, which only the built image knows."""
        if self.source == "PyPI":
            return self._locked()
        if self.source == "npm":
            lock = json.loads((self.folder / "package-lock.json").read_text())
            return str(lock["packages"][f"node_modules/{self.package}"]["version"])
        if self.source == "Go modules":
            return tools.load_all(self.root)[self.package].version
        return "" if self.source == "Debian" else self.reference.rpartition(":")[2]

    def digest(self, bases: Iterable[str]) -> str:
        """Of all that decides what is built; `bases` identify the images it is built on."""
        known = tools.load_all(self.root) if self.programs else {}
        parts = [platform.machine(), self.stage, *bases]
        parts += [f"{name} {known[name].digest}" for name in self.programs]
        parts += [f"{name} {mode(file):o} {_sum(file)}" for name, file in self.files().items()]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def _dockerfile(self) -> str:
        file = self.folder / "Dockerfile"
        return file.read_text().replace("\\\n", " ") if file.is_file() else ""

    def _copied(self) -> list[str]:
        found = _COPY.findall(self._dockerfile())
        return [path for text in found for path in text.split()]

    def _locked(self) -> str:
        line = re.compile(rf"^{re.escape(self.package)}==(\S+)", re.MULTILINE)
        locks = [file for file in self.files().values() if file.suffix == ".lock"]
        found = [match[1] for lock in locks if (match := line.search(lock.read_text()))]
        return found[0]


def load_all(root: Path, folder: str = "images") -> dict[str, Image]:
    """The images below `folder` of the project at `root`, by name; bases first."""
    references = _references(root, "*")
    files = sorted(root.glob(f"{folder}/*/image.toml"))
    found = [image for file in files for image in _load(root, file, references)]
    return {image.name: image for image in sorted(found, key=lambda one: not one.is_base)}


def choose(images: dict[str, Image], names: Iterable[str]) -> list[Image]:
    """The named ones, each once; all when none is named. Any form of an image's name is known."""
    known = {alias: image for image in images.values() for alias in _aliases(image)}
    for name in names:
        if name not in known:
            hint = words.did_you_mean(name, known, f"one of: {', '.join(images)}")
            raise UserError(f"There is no image `{name}`.", hint=hint)
    return list(dict.fromkeys(known[name] for name in names)) or list(images.values())


def mode(file: Path) -> int:
    """The mode that a file gets in the image, whatever the clone's umask was."""
    return 0o755 if file.stat().st_mode & 0o100 else 0o644


@dataclass(frozen=True)
class _Words:
    """What an `image.toml` may say. One service (or `image`), or several with a stage each."""

    title: str
    service: str = ""
    image: str = ""
    stages: dict[str, str] = field(default_factory=dict)
    pypi: str = ""
    go: str = ""
    debian: str = ""
    npm: str = ""
    source: str = OWN


def _load(root: Path, file: Path, references: dict[str, str]) -> list[Image]:
    said = _Words(**tomllib.loads(file.read_text()))
    origin = [(name, getattr(said, key)) for key, name in _REGISTRIES.items() if getattr(said, key)]
    source, package = origin[0] if origin else (said.source, "")

    def image(name: str, reference: str, stage: str = "") -> Image:
        return Image(root, file.parent, name, said.title, reference, source, package, stage)

    if said.image:
        return [image(file.parent.name, said.image)]
    # Two folders may offer the same service, to choose from: then each has an image of its name.
    references = references | _references(root, file.parent.name)
    for service in [said.service, *said.stages]:
        if service and service not in references:
            told = f"{shown(file, root)} names the service `{service}`, which is in no manifest."
            raise UserError(told, hint="correct it, or give the service an `image`")
    if said.service:
        return [image(file.parent.name, references[said.service])]
    return [image(name, references[name], stage) for name, stage in said.stages.items()]


def _references(root: Path, folder: str) -> dict[str, str]:
    """Service -> image, as the manifests of `folder` say (`*`: of all)."""
    found: dict[str, str] = {}
    for path in sorted(root.glob(f"config/{folder}/compose.yaml")):
        data: Any = yamlfile.read(path, shown(path, root)).data
        services = data.get("services") if isinstance(data, dict) else None
        for name, keys in (services or {}).items():
            if isinstance(keys, dict) and "image" in keys:
                found[name] = str(keys["image"])
    return found


def _aliases(image: Image) -> list[str]:
    repository = image.short.partition(":")[0]
    return [image.name, image.reference, image.short, repository, repository.rpartition("/")[2]]


def _is_program(path: str) -> bool:
    return path.startswith(f"{PROGRAMS}/")


def _files(path: Path) -> list[Path]:
    found = sources(path)
    if not found:
        raise UserError(f"{path} is not there, and an image is made of it.")
    return found


def _sum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
