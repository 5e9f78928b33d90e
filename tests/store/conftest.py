"""Each store in its real container, as its manifest describes it, with keys made by bootstrap."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from monolith import project as projects
from monolith.bootstrap import s3
from monolith.bootstrap.secrets import env_text
from monolith.bootstrap.site import Site
from monolith.cli import screen
from monolith.images import model
from monolith.images.workshop import Workshop
from monolith.manifest.load import fragment
from monolith.settings import Settings
from monolith.store import beside
from monolith.store.model import REGION
from tests.native.conftest import free_ports
from tests.native.steps import Memory, make_site, product, with_store
from tests.store.differences import DIFFERENCES, Differences

ROOT = projects.ROOT
BUCKETS = {"mlflow": "mlflow", "plane-api": "uploads", "label-studio": "label-studio"}
"""Application -> its bucket."""


@dataclass(frozen=True)
class Store:
    """A store that runs: `port` on loopback, `data` its folder, `site` what bootstrap works on."""

    kind: str
    project: str
    port: int
    data: Path
    site: Site

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def intended(self) -> Differences:
        return DIFFERENCES[self.kind]

    def keys(self, application: str) -> dict[str, str]:
        """The two halves of a key, as boto3 names them."""
        kept = self.site.store.read(application)
        names = (
            ("S3_ACCESS_KEY", "S3_SECRET_KEY") if application != "s3" else (s3.USER, s3.PASSWORD)
        )
        access, secret = (kept[name] for name in names)
        return {"aws_access_key_id": access, "aws_secret_access_key": secret}

    def client(self, application: str, **changed: Any) -> Any:
        """S3 as an application asks it; `s3` is the administrator."""
        return boto3.client("s3", **self.options(application) | changed)

    def options(self, application: str) -> dict[str, Any]:
        """What boto3 is given."""
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            retries={"total_max_attempts": 1},
        )
        return {
            "endpoint_url": self.url, "region_name": REGION, "config": config,
            **self.keys(application),
        }  # fmt: skip

    def restart(self) -> None:
        """As after a crash."""
        docker("kill", f"{self.project}-{beside.SERVICE}-1")
        docker("start", f"{self.project}-{beside.SERVICE}-1")

    def container(self) -> dict[str, Any]:
        """`docker inspect` of its container."""
        name = f"{self.project}-{beside.SERVICE}-1"
        found: list[dict[str, Any]] = json.loads(docker("inspect", name))
        return found[0]


def docker(*words: str, given: str | None = None) -> str:
    """Standard output of a docker command that succeeds."""
    result = subprocess.run(
        ["docker", *words], capture_output=True, text=True, check=False, input=given
    )
    assert result.returncode == 0, f"{words}: {result.stdout}{result.stderr}"
    return result.stdout


def start(kind: str, data: Path, memory: Memory) -> Store:
    """Start a store of this kind on the data folder."""
    stack = with_store(product(), kind)
    labels = fragment(ROOT / "config/label-studio/compose.yaml", Settings({}), ROOT)
    stack = replace(stack, services=stack.services | labels)
    entry = beside.load(ROOT, kind, Settings({"MONOLITH_DATA": str(data)}))
    env = data / "secrets" / "s3" / "env"
    env.parent.mkdir(parents=True, exist_ok=True)
    env.write_text(env_text(_environment(memory)))
    name = f"monolith-{uuid.uuid4().hex[:8]}"
    (port,) = free_ports(1)
    file = json.dumps(beside.project(entry, port=port))
    docker("compose", "-p", name, "-f", "-", "up", "-d", "--wait", given=file)
    ports = {("s3", 9000): port} | {(name, 1): 1 for name in BUCKETS}
    return Store(kind, name, port, data, make_site(stack, memory, ports))


def stop(store: Store) -> None:
    """Its container and network are gone; data stay."""
    docker("compose", "-p", store.project, "down", "--timeout", "5")


def _environment(memory: Memory) -> dict[str, str]:
    root = memory.read("s3")
    user, password = root[s3.USER], root[s3.PASSWORD]
    return {**root, "MINIO_ROOT_USER": user, "MINIO_ROOT_PASSWORD": password}


def new_keys() -> Memory:
    """The administrator's key, and one for each application."""
    memory = Memory()
    memory.write("s3", {s3.USER: secrets.token_hex(16), s3.PASSWORD: secrets.token_hex(32)})
    for name in BUCKETS:
        keys = {"S3_ACCESS_KEY": secrets.token_hex(16), "S3_SECRET_KEY": secrets.token_hex(32)}
        memory.write(name, keys)
    return memory


@pytest.fixture(scope="session")
def images() -> None:
    ready = os.environ.get("MONOLITH_TOOLS")
    workshop = Workshop(projects.find(), Path(ready) if ready else None, screen.Progress())
    known = model.load_all(ROOT)
    workshop.make([known[name] for name in ("debian", *DIFFERENCES)])


@pytest.fixture(scope="session", params=DIFFERENCES)
def store(
    request: pytest.FixtureRequest, images: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """One store of each kind, for all tests; each test has names of its own in it."""
    data = tmp_path_factory.mktemp(request.param)
    found = start(request.param, data, new_keys())
    try:
        assert s3.ensure(found.site)
        assert s3.ensure(found.site) == []
        yield found
        assert not found.container()["State"]["OOMKilled"]
        assert found.container()["RestartCount"] == 0
    finally:
        stop(found)
        shutil.rmtree(data, ignore_errors=True)
