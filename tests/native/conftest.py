"""Real platforms for the native lane: own data folder, own ports, ended by the mark they carry."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from monolith.project import find
from monolith.runtimes.native import processes
from monolith.runtimes.native.places import Places
from monolith.runtimes.native.supervisor import Supervisor
from monolith.settings import load
from tests.common import platform as common
from tests.common.platform import ROOT, clone, eventually, free_ports, open_to_others

__all__ = ["OFFERED", "ROOT", "Platform", "clone", "eventually", "free_ports"]

OFFERED = {"postgres", "traefik", "prefect", "prefect-worker", "mlflow"}


@functools.cache
def cache_without_tools() -> Path:
    """One such cache for all who build none."""
    return new_cache()


def new_cache() -> Path:
    """This machine's cache, but Vault and Consul are not built; gone when the tests end."""
    real = find(load(ROOT / "docker-compose" / ".env", ROOT)).cache
    folder = Path(tempfile.mkdtemp(prefix="monolith-cache-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    for name in ("envs", "uv"):
        (real / name).mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(real / name)
    return folder


@dataclass
class Platform(common.Platform):
    """An installation of processes, without Vault and Consul unless it has another cache."""

    def __post_init__(self) -> None:
        super().__post_init__()
        without = {"MONOLITH_CACHE": str(cache_without_tools()), "MONOLITH_TOOLS": ""}
        self.extra = {**without, **self.extra}

    @property
    def places(self) -> Places:
        """Its files."""
        return Places(self.data)

    def pids(self) -> dict[str, int]:
        """Process id of each offered service."""
        rows = self.status()
        return {name: rows[name]["pid"] for name in OFFERED}

    def supervised(self) -> dict[str, int]:
        """Process ids as the supervisor knows them now, without any command."""
        known = Supervisor(self.places).processes()
        return {name: info.pid for name, info in known.items() if info.pid}

    def processes(self) -> list[psutil.Process]:
        """All processes of this installation."""
        return processes.of_instance(str(self.data))

    def end(self) -> None:
        """Leave nothing behind, whatever the test has done."""
        self.start("down").communicate(timeout=120)
        processes.end(self.processes())


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name holds what shells and parsers stumble over."""
    folder = tmp_path_factory.mktemp("platforms") / "it's 100% data"
    folder.mkdir()
    # PostgreSQL runs as a user of its own under root.
    open_to_others(folder)
    return folder


@pytest.fixture(scope="session")
def shared(base: Path) -> Iterator[Platform]:
    """One platform for all tests that leave it as they found it. `demo` has run on it."""
    platform = Platform(base / "shared")
    platform.extra["DEMO_OUTPUT"] = platform.run("demo")
    yield platform
    platform.end()


@pytest.fixture
def platform(shared: Platform) -> Platform:
    """The shared platform, healthy."""
    assert eventually(shared.healthy), shared.status()
    return shared


@pytest.fixture
def fresh(base: Path, request: pytest.FixtureRequest) -> Iterator[Platform]:
    """An installation of its own for one test, not started."""
    platform = Platform(base / request.node.name[:40])
    yield platform
    platform.end()
