"""Prometheus finds the addresses of this installation in a file that it can read."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from monolith.bootstrap import probes
from monolith.bootstrap.site import Site
from monolith.manifest.stack import Stack
from tests.native.steps import Memory
from tests.unit.conftest import MakeStack, as_root, service


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    url = {"access": "users", "url": {"host": "web", "port": 80}, "check": {"port": 80}}
    reader = {"data": {"uid": 65534, "gid": 0}}
    names = ("traefik", "blackbox-exporter")
    return make_stack(
        {name: service(name) for name in names}
        | {"web": service("web", url), "prometheus": service("prometheus", reader)}
    )


def ensure(stack: Stack, data: Path, *, offered: bool = True) -> list[str]:
    data.mkdir(exist_ok=True)
    site = Site(stack, data, Memory(), str, lambda _: None, lambda _: offered, in_containers=True)
    return probes.ensure(site)


@as_root
def test_the_file_is_written_once_and_belongs_to_prometheus(stack: Stack, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert ensure(stack, data) == ["addresses that are probed"]
    assert ensure(stack, data) == []
    file = data / "prometheus-targets" / "front-door.yaml"
    assert [target["labels"]["service"] for target in yaml.safe_load(file.read_text())] == ["web"]
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in (file, file.parent)}
    assert owners == {(65534, 0)}


def test_without_prometheus_nothing_is_written(stack: Stack, tmp_path: Path) -> None:
    assert ensure(stack, tmp_path / "data", offered=False) == []
    assert list((tmp_path / "data").iterdir()) == []
