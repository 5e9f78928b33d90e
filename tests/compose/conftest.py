"""The real stack file on a real engine, in a fresh clone, under a project name of its own.

Plane is a stand-in here (tests/images/plane): no registry of packages has it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from monolith import project as projects
from monolith.cli import screen
from monolith.images import model
from monolith.images.workshop import Workshop
from tests.common.platform import ROOT, Platform, clone, eventually

ONE_SHOTS = {"bootstrap-secrets", "bootstrap-stores", "otel-python", "plane-migrator"}


def docker(*words: str) -> str:
    """Standard output of a docker command that succeeds."""
    result = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{words}: {result.stdout}{result.stderr}"
    return result.stdout


@dataclass
class ComposePlatform(Platform):
    """An installation on the engine; `project` is the name of its Compose project."""

    runtime: str = "compose"
    project: str = ""
    stack: str = "minimal"

    @property
    def environment(self) -> dict[str, str]:
        """As everywhere, with the names of the project and of the stack."""
        names = {"COMPOSE_PROJECT_NAME": self.project, "MONOLITH_STACK": self.stack}
        return super().environment | names

    def compose(self, *words: str, code: int = 0, given: str | None = None) -> str:
        """Plain `docker compose -f docker-compose.<stack>.yaml WORDS`; its output."""
        result = self._compose(*words, given=given)
        assert result.returncode == code, f"{words}: {result.stdout}{result.stderr}"
        return result.stdout + result.stderr

    def _compose(self, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        file = f"docker-compose.{self.stack}.yaml"
        return subprocess.run(
            ["docker", "compose", "-f", file, *words], cwd=self.root / "docker-compose",
            env=self.environment, capture_output=True, text=True, check=False, input=given,
        )  # fmt: skip

    def containers(self) -> dict[str, dict[str, Any]]:
        """`docker inspect` of every container, by service."""
        label = f"label=com.docker.compose.project={self.project}"
        ids = docker("ps", "-aq", "--filter", label).split()
        found = json.loads(docker("inspect", *ids)) if ids else []
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    def running(self) -> dict[str, dict[str, Any]]:
        """The containers of services that do not end by themselves."""
        return {name: one for name, one in self.containers().items() if name not in ONE_SHOTS}

    def all_healthy(self) -> bool:
        """Whether the engine says so of every container that stays."""
        states = [one["State"] for one in self.running().values()]
        return bool(states) and all(s.get("Health", {}).get("Status") == "healthy" for s in states)

    def inside(self, service: str, *words: str, code: int = 0, given: str | None = None) -> str:
        """A command in a service's container."""
        return self.compose("exec", "-T", service, *words, code=code, given=given)

    def end(self) -> None:
        """Containers, network and data are gone."""
        # Engines as old as 20.10 may keep a killed container's endpoint, and with it the network,
        # until they start anew; so the end of `down` is not asked for.
        self._compose("down", "--timeout", "5", "--remove-orphans")
        assert self.containers() == {}
        shutil.rmtree(self.root, ignore_errors=True)


@pytest.fixture(scope="session")
def images() -> None:
    """Every image of the stack: upstream's software from packages, and Plane's stand-ins."""
    ready = os.environ.get("MONOLITH_TOOLS")
    workshop = Workshop(projects.find(), Path(ready) if ready else None, screen.Progress())
    for folder in ("images", "tests/images"):
        workshop.make(list(model.load_all(ROOT, folder).values()))


def new_platform(folder: Path, stack: str = "minimal") -> ComposePlatform:
    """A fresh clone below `folder`, nothing started."""
    root = clone(folder / "clone")
    name = f"monolith-{uuid.uuid4().hex[:8]}"
    platform = ComposePlatform(root / "data", root, project=name, stack=stack)
    platform.extra["MONOLITH_DATA"] = ""
    return platform


@contextlib.contextmanager
def started(folder: Path, stack: str) -> Iterator[ComposePlatform]:
    """A stack that plain Compose has started, and that has run the demo."""
    platform = new_platform(folder, stack)
    try:
        platform.compose("up", "-d", "--wait", "--quiet-pull")
        platform.extra["DEMO_OUTPUT"] = platform.run("demo")
        yield platform
    finally:
        platform.end()


@pytest.fixture(scope="session")
def shared(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposePlatform]:
    """One stack for all tests that leave it as they found it."""
    with started(tmp_path_factory.mktemp("compose"), "minimal") as platform:
        yield platform


@pytest.fixture
def platform(shared: ComposePlatform) -> ComposePlatform:
    """The shared stack, healthy; the checks that all stacks have in common call it so."""
    assert eventually(shared.all_healthy, 120), shared.compose("ps", "-a")
    return shared


@pytest.fixture
def fresh(images: None, tmp_path: Path) -> Iterator[ComposePlatform]:
    """A stack of its own for one test, not started."""
    platform = new_platform(tmp_path)
    yield platform
    platform.end()
