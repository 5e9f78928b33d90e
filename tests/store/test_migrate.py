"""The command itself, there and back, on a clone in which only the store and Vault run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from monolith import project as projects
from monolith.cli import screen
from monolith.images import model
from monolith.images.workshop import Workshop
from monolith.store.model import REGION
from tests.common.platform import eventually
from tests.compose.conftest import ComposePlatform, docker, new_platform
from tests.store.differences import DIFFERENCES

FILE = "docker-compose/docker-compose.minimal.yaml"


@pytest.fixture
def platform(images: None, tmp_path: Path) -> Iterator[ComposePlatform]:
    ready = os.environ.get("MONOLITH_TOOLS")
    workshop = Workshop(projects.find(), Path(ready) if ready else None, screen.Progress())
    known = model.load_all(projects.ROOT)
    workshop.make([known[name] for name in ("debian", "vault", "monolith")])
    found = new_platform(tmp_path)
    try:
        start(found)
        yield found
    finally:
        leftovers = f"{found.project}-store-next"
        docker("compose", "-p", leftovers, "down", "--timeout", "5")
        found.end()


def start(platform: ComposePlatform) -> None:
    """The store that is included, with the keys of all applications."""
    platform.compose("up", "-d", "--wait", "--quiet-pull", "s3")
    platform.compose("run", "--rm", "--no-deps", "-T", "bootstrap", "bootstrap", "s3")


def kept(platform: ComposePlatform) -> dict[str, str]:
    """The key of MLflow, as its env file has it."""
    text = (platform.data / "secrets" / "mlflow" / "env").read_text()
    return dict(line.replace("'", "").split("=", 1) for line in text.splitlines())


def client(platform: ComposePlatform) -> Any:
    keys = kept(platform)
    return boto3.client(
        "s3", endpoint_url=f"http://127.0.0.1:{platform.ports['S3']}", region_name=REGION,
        aws_access_key_id=keys["S3_ACCESS_KEY"], aws_secret_access_key=keys["S3_SECRET_KEY"],
        config=Config(s3={"addressing_style": "path"}),
    )  # fmt: skip


def names(platform: ComposePlatform) -> list[str]:
    found = client(platform).list_objects_v2(Bucket="mlflow").get("Contents", [])
    return [one["Key"] for one in found]


def test_there_and_back(platform: ComposePlatform) -> None:
    assert "is minio already" in platform.run("store", "migrate", "--to", "minio")
    assert "did you mean `minio`" in platform.run("store", "migrate", "--to", "mino", code=1)
    client(platform).put_object(Bucket="mlflow", Key="a/one", Body=b"1")
    platform.compose("up", "-d", "--no-deps", "bootstrap")
    told = platform.run("store", "migrate", "--to", "versitygw")
    assert "next: ./monolith up" in told
    assert "1 objects, 0.0 MB, all checked" in told
    for stack in platform.root.glob("docker-compose/docker-compose.*.yaml"):
        text = stack.read_text()
        assert (text.count("config/minio/"), text.count("config/versitygw/")) == (0, 1)
    assert "wrote config/prometheus/targets.yaml" in told
    # Until it is started anew, the former one runs; what is beside is gone.
    found = platform.containers()
    assert set(found) == {"vault", "bootstrap-secrets", "s3", "bootstrap"}
    # It would set the former store up as the new one.
    assert not found["bootstrap"]["State"]["Running"]
    start(platform)
    assert "versitygw" in platform.containers()["s3"]["Config"]["Image"]
    store = client(platform)
    assert store.get_object(Bucket="mlflow", Key="a/one")["Body"].read() == b"1"
    store.delete_object(Bucket="mlflow", Key="a/one")
    store.put_object(Bucket="mlflow", Key="a/two", Body=b"2")
    platform.run("store", "migrate", "--to", "minio")
    start(platform)
    # Neither what was deleted in the meantime comes back, nor is the other's folder touched.
    assert names(platform) == ["a/two"]
    assert (platform.data / "versitygw" / "buckets" / "mlflow" / "a" / "two").is_file()
    assert "Everything is up to date." in platform.run("render")
    shown = platform.run("store", "status").splitlines()
    assert [line.split()[:2] for line in shown] == [
        [kind, "in"] if kind == "minio" else [kind, "offered"] for kind in DIFFERENCES
    ]


def test_killed_it_has_switched_nothing_and_run_again_it_comes_to_its_end(
    platform: ComposePlatform,
) -> None:
    client(platform).put_object(Bucket="mlflow", Key="a/one", Body=b"1")
    before = (platform.root / FILE).read_text()
    killed = platform.start("store", "migrate", "--to", "versitygw")
    assert killed.stderr
    assert any("healthy beside" in line for line in killed.stderr)
    killed.kill()
    killed.wait()
    assert (platform.root / FILE).read_text() == before
    # What is left of the killed one holds a lock until it has ended, and is no hindrance then.
    assert eventually(lambda: migrates(platform), 60)
    start(platform)
    assert client(platform).get_object(Bucket="mlflow", Key="a/one")["Body"].read() == b"1"
    assert "versitygw" in platform.containers()["s3"]["Config"]["Image"]


def migrates(platform: ComposePlatform) -> bool:
    process = platform.start("store", "migrate", "--to", "versitygw")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0 or "next: wait" in err, out + err
    return process.returncode == 0


def test_a_killed_one_does_not_hinder_the_end_of_all(platform: ComposePlatform) -> None:
    killed = platform.start("store", "migrate", "--to", "versitygw")
    assert killed.stderr
    assert any("healthy beside" in line for line in killed.stderr)
    killed.kill()
    killed.wait()
    platform.run("down")
    assert platform.containers() == {}
    start(platform)
    assert names(platform) == []


def test_without_a_store_that_runs_nothing_happens(platform: ComposePlatform) -> None:
    before = (platform.root / FILE).read_text()
    platform.compose("stop", "s3")
    told = platform.run("store", "migrate", "--to", "versitygw", code=1)
    assert "Not running: s3." in told
    assert "./monolith up" in told
    assert (platform.root / FILE).read_text() == before
