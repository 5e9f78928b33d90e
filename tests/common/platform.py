"""An installation under test, driven through its launcher; what every runtime has in common."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
from filelock import FileLock, Timeout

from tests.common.differences import DIFFERENCES, Differences

ROOT = Path(__file__).resolve().parents[2]
PORTS = (
    "POSTGRES", "PREFECT", "MLFLOW", "HTTP", "TRAEFIK", "VAULT", "CONSUL", "S3", "PLANE", "LABELS",
    "N8N",
)  # fmt: skip
DOMAIN = "monolith.localhost"


@functools.cache
def _block() -> tuple[range, FileLock]:
    """Ports that are this test session's as long as it holds the lock.

    Where a service that stops for a moment shall find its port again, it is none of those that the
    kernel gives to connections: 32768 and above.
    """
    for first in range(20_000, 32_000, 1_000):
        name = f"monolith-{os.geteuid()}-ports-{first}.lock"
        lock = FileLock(Path(tempfile.gettempdir()) / name)
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=0)
            return range(first, first + 1_000), lock
    raise RuntimeError("More test sessions than blocks of ports.")


def free_ports(count: int) -> list[int]:
    """Different loopback ports that nobody uses now."""
    block, _ = _block()
    return list(islice(filter(_is_free, random.sample(block, len(block))), count))


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def open_to_others(folder: Path) -> None:
    """Let every user reach a folder below that of temporary files; pytest closes its own."""
    temporary = Path(tempfile.gettempdir())
    for parent in [folder, *folder.parents]:
        if parent.is_relative_to(temporary) and parent != temporary:
            parent.chmod(0o755)


def eventually(question: Callable[[], Any], seconds: float = 60) -> Any:
    """The first true answer; the last one when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := question()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


def clone(target: Path) -> Path:
    """The files that git would give a stranger, with what is not committed yet."""
    listed = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others",
              "--exclude-standard"]  # fmt: skip
    names = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


@dataclass
class Platform:
    """One installation: `data` is its folder, `words` stand in front of every command."""

    data: Path
    root: Path = ROOT
    words: list[str] = field(default_factory=list)
    extra: dict[str, str] = field(default_factory=dict)
    runtime: str = "native"

    def __post_init__(self) -> None:
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))

    @property
    def differences(self) -> Differences:
        """What this runtime intends to differ in."""
        return DIFFERENCES[self.runtime]

    @property
    def environment(self) -> dict[str, str]:
        """The caller's environment, with this installation's settings."""
        ports = {f"MONOLITH_{name}_PORT": str(port) for name, port in self.ports.items()}
        own = {"MONOLITH_DATA": str(self.data), "MONOLITH_RUNTIME": self.runtime}
        return {**os.environ, **own, **ports, **self.extra}

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start the launcher and do not wait."""
        return subprocess.Popen(
            [*self.words, str(self.root / "monolith"), *arguments], env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
        )  # fmt: skip

    def run(self, *arguments: str, code: int = 0, given: str | None = None) -> str:
        """Run the launcher with `given` as standard input; its output when it ends with `code`."""
        stdin = subprocess.DEVNULL if given is None else subprocess.PIPE
        process = self.start(*arguments, stdin=stdin)
        out, err = process.communicate(given, timeout=600)
        assert process.returncode == code, f"{arguments}: {process.returncode}\n{out}\n{err}"
        return out + err

    def status(self) -> dict[str, dict[str, Any]]:
        """Rows of `status --json` by service, whatever the exit code."""
        out, err = self.start("status", "--json").communicate(timeout=60)
        assert out, err
        return {row["name"]: row for row in json.loads(out)["services"]}

    def offered(self) -> set[str]:
        """The services that run in this runtime."""
        return {name for name, row in self.status().items() if row["state"] != "not offered"}

    def healthy(self) -> bool:
        """Whether all that is offered is healthy."""
        rows = self.status().values()
        return all(row["state"] in ("healthy", "done", "not offered") for row in rows)

    def secret(self, service: str, key: str) -> str:
        """One secret value, as the operator is shown it."""
        out, err = self.start("secrets", "show", service, key).communicate(timeout=60)
        assert out.strip(), err
        return out.strip()

    def secrets(self) -> dict[str, str]:
        """Every secret value, by `service.KEY`."""
        out, err = self.start("secrets", "list", "--json").communicate(timeout=60)
        assert out, err
        names = [row["service"] for row in json.loads(out)["secrets"]]
        return {f"{name}.{key}": value for name in names for key, value in self._secrets_of(name)}

    def _secrets_of(self, service: str) -> list[list[str]]:
        """Key and value of each secret of a service, as a shell would read them."""
        out, err = self.start("secrets", "show", service).communicate(timeout=60)
        assert out, err
        return [word.split("=", 1) for word in shlex.split(out)]

    def prefect(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """An answer of Prefect's API."""
        url = f"http://127.0.0.1:{self.ports['PREFECT']}/api/{path}"
        answer = httpx.post(url, json=body) if body is not None else httpx.get(url)
        return answer.raise_for_status().json()

    def mlflow(self, path: str, **query: str) -> Any:
        """An answer of MLflow's API."""
        url = f"http://127.0.0.1:{self.ports['MLFLOW']}/api/2.0/mlflow/{path}"
        return httpx.get(url, params=query).raise_for_status().json()

    def host(self, name: str) -> str:
        """Name and port of a service as a browser asks for it."""
        address = f"{name}.{DOMAIN}" if name else DOMAIN
        return f"{address}:{self.ports['HTTP']}"

    def through_front_door(
        self, host: str, path: str, *, follow_redirects: bool = True, **headers: str
    ) -> httpx.Response:
        """A page as a browser gets it."""
        return httpx.get(
            f"http://127.0.0.1:{self.ports['HTTP']}{path}",
            headers={"Host": self.host(host), **headers},
            follow_redirects=follow_redirects, timeout=20,
        )  # fmt: skip

    def end(self) -> None:
        """Leave nothing behind, whatever the test has done."""
        raise NotImplementedError
