"""Real platforms for the native lane: own data folder, own ports, ended by the mark they carry."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from monolith.runtimes.native import processes
from monolith.runtimes.native.places import Places
from monolith.runtimes.native.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[2]
PORTS = ("POSTGRES", "PREFECT", "MLFLOW", "HTTP", "TRAEFIK")
OFFERED = {"postgres", "traefik", "prefect", "prefect-worker", "mlflow"}


def free_ports(count: int) -> list[int]:
    """Different loopback ports that nobody uses now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def eventually(question: Callable[[], Any], seconds: float = 60) -> Any:
    """The first true answer; the last one when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := question()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


@dataclass
class Platform:
    """One installation: `data` is its folder, `words` stand in front of every command."""

    data: Path
    root: Path = ROOT
    words: list[str] = field(default_factory=list)
    extra: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))

    @property
    def environment(self) -> dict[str, str]:
        """The caller's environment, with this installation's settings."""
        ports = {f"MONOLITH_{name}_PORT": str(port) for name, port in self.ports.items()}
        return {**os.environ, "MONOLITH_DATA": str(self.data), **ports, **self.extra}

    @property
    def places(self) -> Places:
        """Its files."""
        return Places(self.data)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start the launcher and do not wait."""
        return subprocess.Popen(
            [*self.words, str(self.root / "monolith"), *arguments], env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
        )  # fmt: skip

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run the launcher; its output when it ends with `code`."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=420)
        assert process.returncode == code, f"{arguments}: {process.returncode}\n{out}\n{err}"
        return out + err

    def status(self) -> dict[str, dict[str, Any]]:
        """Rows of `status --json` by service, whatever the exit code."""
        out, err = self.start("status", "--json").communicate(timeout=60)
        assert out, err
        return {row["name"]: row for row in json.loads(out)["services"]}

    def healthy(self) -> bool:
        """Whether all that is offered is healthy."""
        rows = self.status()
        return all(rows[name]["state"] == "healthy" for name in OFFERED)

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

    def prefect(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """An answer of Prefect's API."""
        url = f"http://127.0.0.1:{self.ports['PREFECT']}/api/{path}"
        answer = httpx.post(url, json=body) if body is not None else httpx.get(url)
        return answer.raise_for_status().json()

    def mlflow(self, path: str, **query: str) -> Any:
        """An answer of MLflow's API."""
        url = f"http://127.0.0.1:{self.ports['MLFLOW']}/api/2.0/mlflow/{path}"
        return httpx.get(url, params=query).raise_for_status().json()

    def end(self) -> None:
        """Leave nothing behind, whatever the test has done."""
        self.start("down").communicate(timeout=120)
        processes.end(self.processes())


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name holds what shells and parsers stumble over."""
    folder = tmp_path_factory.mktemp("platforms") / "it's 100% data"
    folder.mkdir()
    # pytest's folders are closed to others; PostgreSQL runs as a user of its own under root.
    for parent in [folder, *folder.parents][:4]:
        if parent.stat().st_uid == os.geteuid():
            parent.chmod(0o755)
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
