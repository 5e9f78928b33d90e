"""One include line says which program the object store is."""

from __future__ import annotations

from pathlib import Path

import pytest

from monolith.manifest.load import load
from monolith.settings import Settings
from tests.unit.conftest import ROOT

FILES = sorted(ROOT.glob("docker-compose/docker-compose.*.yaml"))


@pytest.fixture(params=FILES, ids=lambda file: file.name)
def file(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def with_versitygw(file: Path, folder: Path) -> Path:
    """A copy of the stack file with versitygw in the place of MinIO, and nothing else changed."""
    text = file.read_text()
    assert text.count("config/minio/") == 1
    copy = folder / file.name
    text = text.replace("config/minio/", "config/versitygw/")
    copy.write_text(text.replace("../config/", f"{ROOT}/config/"))
    return copy


def test_either_store_makes_a_valid_stack(file: Path, tmp_path: Path) -> None:
    stack = load(with_versitygw(file, tmp_path), Settings({}), ROOT)
    before = load(file, Settings({}), ROOT)
    assert list(stack.services) == list(before.services)
    one, two = before.service("s3"), stack.service("s3")
    assert (one.monolith.store, two.monolith.store) == ("minio", "versitygw")
    same = ("url", "routes", "access", "secrets")
    assert [getattr(one.monolith, key) for key in same] == [
        getattr(two.monolith, key) for key in same
    ]
    assert (one.model.ports, one.model.networks) == (two.model.ports, two.model.networks)
    assert one.memory_limit == two.memory_limit
    data = [
        {source.name for source, _, writable in entry.mounts() if writable} for entry in (one, two)
    ]
    assert data == [{"minio"}, {"versitygw"}]
