"""Making images: what is missing or out of date is built, what was pulled is left alone."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from monolith.errors import UserError
from monolith.images import commands, engine
from monolith.images.engine import Present
from monolith.images.model import BASE_LABEL, PROGRAMS, Image, load_all, mode
from monolith.project import Project
from monolith.runtimes.base import Reporter
from monolith.tools import model as tools
from monolith.tools.workshop import Workshop as Tools

State = Literal["missing", "ready", "stale", "pulled"]
# More would wait for the disk, not for each other.
_AT_ONCE = 2
_WORK = "work-"


def state(image: Image, present: Present | None, digest: str) -> State:
    """How an image that the engine has (or not) stands to what `images/` says now.

    An image without our label was not made here, unless no registry could have it.
    """
    if present is None:
        return "missing"
    found = present.labels.get(image.label)
    if found is None and not image.is_own:
        return "pulled"
    return "ready" if found == digest else "stale"


def identity(present: Present | None, base: str) -> str:
    """What a base image is, for those who are built on it: the same for the same content."""
    if present is None:
        return base
    made = present.labels.get(BASE_LABEL, "")
    return made or next(iter(present.digests), present.id)


@dataclass(frozen=True)
class Found:
    """An image, what the engine has of it, and what that is worth."""

    image: Image
    present: Present | None
    digest: str
    state: State


class Workshop:
    """Makes images of one project; `ready` is the folder of ready programs, when there is one."""

    def __init__(self, project: Project, ready: Path | None, reporter: Reporter) -> None:
        self.project = project
        self.ready = ready
        self.reporter = reporter

    def look(self, image: Image) -> Found:
        """Ask the engine about one image."""
        present = engine.find(image.reference)
        bases = [identity(engine.find(base), base) for base in image.bases]
        digest = image.digest(bases)
        return Found(image, present, digest, state(image, present, digest))

    def make(self, images: list[Image]) -> None:
        """Make those that need it, two at a time. All are tried; then the first failure is told."""
        with self._alone():
            self._make_bases(images)
            pool = ThreadPoolExecutor(max_workers=_AT_ONCE)
            ends = [pool.submit(self._make, image) for image in images if not image.is_base]
            try:
                wait(ends)
            finally:
                # After Ctrl-C none that waited begins.
                pool.shutdown(cancel_futures=True)
            for end in ends:
                end.result()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self.reporter.step("images", "waiting: another command is making images")
            lock.acquire()
        # What a killed command left: links to programs, and files of secrets.
        for left in self._folder.glob(f"{_WORK}*"):
            shutil.rmtree(left, ignore_errors=True)
        try:
            yield
        finally:
            lock.release()

    @property
    def _folder(self) -> Path:
        return self.project.cache / "images"

    def _work(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix=_WORK, dir=self._folder)

    def _make_bases(self, images: list[Image]) -> None:
        known = {image.reference: image for image in load_all(self.project.root).values()}
        needed = [base for image in images for base in image.bases]
        needed += [image.reference for image in images if image.is_base]
        for reference in dict.fromkeys(needed):
            if (image := known.get(reference)) and image.is_base:
                self._make(image)

    def _make(self, image: Image) -> None:
        found = self.look(image)
        if found.state in ("ready", "pulled"):
            self.reporter.done(image.name, found.state)
        else:
            self._make_base(found) if image.is_base else self._build(found)
            if found.present:
                engine.drop(found.present.id)

    def _make_base(self, found: Found) -> None:
        image = found.image
        self.reporter.step(image.name, f"pulling {image.short}")
        if engine.pulled(image.reference):
            self.reporter.done(image.name, "pulled")
            return
        self.reporter.step(image.name, "making it with debootstrap: no registry has it for us")
        if os.geteuid() != 0 or not shutil.which("debootstrap"):
            told = f"{image.short} can be neither pulled nor made by debootstrap here."
            hint = "reach an image registry, or run this as root with debootstrap installed"
            raise UserError(told, hint=hint)
        with self._work() as folder:
            file = Path(folder) / "rootfs.tar"
            engine.save(image.name, commands.make_rootfs(image), file)
            tag = commands.labels(image, found.digest, "")
            engine.run(image.name, commands.take_rootfs(image, file, tag), self._environment)
        self.reporter.done(image.name, "made with debootstrap")

    def _build(self, found: Found) -> None:
        image = found.image
        self.reporter.step(image.name, "building" if found.state == "missing" else "rebuilding")
        with self._context(image) as context, self._secrets() as secrets:
            version = image.version() or self._debian_version(image, context, secrets)
            tag = commands.labels(image, found.digest, version)
            command = commands.build(image, context, secrets, os.environ, tag)
            engine.run(image.name, command, self._environment)
        self.reporter.done(image.name, f"built from {image.source} {version}")

    def _debian_version(self, image: Image, context: Path, secrets: dict[str, Path]) -> str:
        """Of the package in the image, which is built for that, and once more from the cache."""
        command = commands.build(image, context, secrets, os.environ, {})
        image_id = engine.run(image.name, command, self._environment)
        try:
            ask = commands.ask_debian(image_id, image.package)
            return engine.run(image.name, ask, self._environment)
        finally:
            engine.drop(image_id)

    @cached_property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "DOCKER_BUILDKIT": "1"}

    @contextlib.contextmanager
    def _context(self, image: Image) -> Iterator[Path]:
        """A folder with what the image is made of, and nothing else."""
        programs = [self._program(name) for name in image.programs]
        with self._work() as folder:
            context = Path(folder)
            for name, file in image.files().items():
                _put(file, context / name)
            for program in programs:
                _put(program, context / PROGRAMS / program.name)
            yield context

    def _program(self, name: str) -> Path:
        tool = tools.load_all(self.project.root)[name]
        Tools(self.project.cache, self.ready, self.reporter).make(tool)
        return tool.program(self.project.cache)

    @contextlib.contextmanager
    def _secrets(self) -> Iterator[dict[str, Path]]:
        """Files that are there while a step of a build runs, and in no image."""
        with self._work() as folder:
            found: dict[str, Path] = {}
            if bundle := commands.ca_bundle(os.environ):
                found["ca"] = bundle
            if text := commands.index_file(os.environ):
                found["index"] = Path(folder) / "index"
                found["index"].touch(0o600)
                found["index"].write_text(text)
            yield found


def _put(file: Path, target: Path) -> None:
    """A link where that is possible: programs are large."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if file.stat().st_mode & 0o777 == mode(file):
            target.hardlink_to(file)
            return
    except OSError:
        pass
    shutil.copyfile(file, target)
    target.chmod(mode(file))
