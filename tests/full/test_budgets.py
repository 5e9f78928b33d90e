"""Stores stay within their budget: ten times the daily amount goes into one with small limits.

Each is the shipped configuration with smaller numbers, so that days of data come in seconds.
"""

from __future__ import annotations

import base64
import io
import random
import subprocess
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.common.platform import ROOT, eventually
from tests.compose.conftest import docker

KB, MB = 1000, 1000 * 1000
DAY = 24 * 3600


@dataclass
class Store:
    """A container of one image; `address` is its API from here, `receiver` where data come in."""

    name: str
    address: str
    receiver: str
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=20))

    def get(self, path: str, **parameters: str) -> httpx.Response:
        """Ask its API."""
        return self.client.get(f"{self.address}{path}", params=parameters)

    def ready(self, path: str) -> bool:
        """Whether it answers there."""
        try:
            return self.get(path).status_code == 200
        except httpx.TransportError:
            return False

    def size(self, folder: str) -> int:
        """Bytes of all files below a folder of the container."""
        words = ["docker", "cp", f"{self.name}:{folder}", "-"]
        packed = subprocess.run(words, capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as files:
            return sum(file.size for file in files)


Begin = Callable[..., Store]


@pytest.fixture
def begin(images: None, tmp_path: Path) -> Iterator[Begin]:
    """Starts the image of a service with a configuration; the containers end with the test."""
    names: list[str] = []

    def start(service: str, config: Any, ports: list[int], *words: str, volume: str = "") -> Store:
        text = (ROOT / "config" / service / "compose.yaml").read_text()
        image = yaml.safe_load(text)["services"][service]["image"]
        (tmp_path / service).mkdir(exist_ok=True)
        (tmp_path / service / "config.yaml").write_text(yaml.safe_dump(config))
        names.append(f"monolith-budget-{uuid.uuid4().hex[:8]}")
        docker(
            "run", "-d", "--name", names[-1], "--memory", "512m",
            *(word for port in ports for word in ("-p", f"127.0.0.1::{port}")),
            "-v", f"{tmp_path / service}:/config:ro", *(["-v", volume] if volume else []),
            image, *words,
        )  # fmt: skip
        outside = [f"http://{docker('port', names[-1], str(port)).split()[0]}" for port in ports]
        return Store(names[-1], outside[0], outside[-1])

    yield start
    for name in names:
        docker("rm", "-fv", name)


def shipped(path: str) -> Any:
    """A configuration of the product."""
    return yaml.safe_load((ROOT / "config" / path).read_text())


def noise(size: int) -> str:
    """Text that no compression makes smaller than three quarters."""
    return base64.b64encode(random.randbytes(size * 3 // 4)).decode()


def push(store: Store, service: str, lines: int) -> bool:
    """Lines of 1 KB to Loki; whether it took them."""
    now = time.time_ns()
    stream = {"service": service, "stack": "test", "level": "info"}
    values = [[str(now + index), noise(KB)] for index in range(lines)]
    body = {"streams": [{"stream": stream, "values": values}]}
    answer = store.client.post(f"{store.address}/loki/api/v1/push", json=body)
    assert answer.status_code in (204, 429), answer.text
    return answer.status_code == 204


def test_loki_takes_no_more_logs_than_its_budget(begin: Begin) -> None:
    """A hundredth of its limits, and ten times of what it takes at once."""
    config = shipped("loki/loki.yaml")
    limits = config["limits_config"]
    rate, burst = limits["ingestion_rate_mb"] / 100, limits["ingestion_burst_size_mb"] / 100
    limits |= {"ingestion_rate_mb": rate, "ingestion_burst_size_mb": burst}
    limits |= {"per_stream_rate_limit": "64KB", "per_stream_rate_limit_burst": "320KB"}
    config["ruler"] = {}
    store = begin("loki", config, [3100], "-config.file=/config/config.yaml")
    assert eventually(lambda: store.ready("/ready"), 60)
    began, taken = time.monotonic(), 0
    for index in range(int(10 * burst * MB / (20 * KB))):
        taken += 20 if push(store, f"service-{index % 10}", 20) else 0
    seconds = time.monotonic() - began
    bound = (burst + rate * seconds) * 2**20
    assert burst * 2**20 * 0.9 < taken * KB <= bound
    assert store.client.post(f"{store.address}/flush").status_code == 204
    assert eventually(lambda: store.size("/loki/chunks") > taken * KB / 2, 10)
    assert store.size("/loki/chunks") <= bound * 1.05


def test_one_service_that_logs_in_a_loop_leaves_room_for_the_others(begin: Begin) -> None:
    """Its own limit is reached before that of all."""
    config = shipped("loki/loki.yaml")
    limits = config["limits_config"]
    assert limits["per_stream_rate_limit_burst"] == "32MB"
    assert limits["ingestion_burst_size_mb"] == 64
    limits |= {"per_stream_rate_limit": "1KB", "per_stream_rate_limit_burst": "400KB"}
    config["ruler"] = {}
    store = begin("loki", config, [3100], "-config.file=/config/config.yaml")
    assert eventually(lambda: store.ready("/ready"), 60)
    assert not all(push(store, "in-a-loop", 100) for _ in range(10))
    assert push(store, "quiet", 100)


def openmetrics(count: int, days: int, step: int) -> Iterator[str]:
    """Samples of the last days, which do not compress."""
    end = int(time.time()) - 3 * 3600
    yield "# TYPE fill gauge\n"
    for one in range(count):
        for moment in range(end - days * DAY, end, step):
            yield f'fill{{series="{one}"}} {random.random()} {moment}\n'
    yield "# EOF\n"


def series(store: Store, moment: float) -> int:
    """How many series of the fill were there in the twelve hours before."""
    question = f"count(last_over_time(fill[12h] @ {moment:.0f}))"
    found = store.get("/api/v1/query", query=question).json()["data"]["result"]
    return int(found[0]["value"][1]) if found else 0


def backfill(folder: Path, volume: str) -> None:
    """Ten days of measurements, about 2 MB, as blocks of Prometheus in a volume."""
    folder.mkdir()
    (folder / "fill").write_text("".join(openmetrics(150, 10, 600)))
    image = shipped("prometheus/compose.yaml")["services"]["prometheus"]["image"]
    docker(
        "run", "--rm", "--entrypoint", "promtool", "-v", f"{folder}:/fill:ro", "-v", volume, image,
        "tsdb", "create-blocks-from", "--max-block-duration=12h", "openmetrics", "/fill/fill",
        "/prometheus",
    )  # fmt: skip


@pytest.fixture
def volume() -> Iterator[str]:
    """A volume for Prometheus's data that ends with the test."""
    name = f"monolith-budget-{uuid.uuid4().hex[:8]}"
    yield f"{name}:/prometheus"
    docker("volume", "rm", name)


def test_prometheus_drops_the_oldest_when_all_is_larger_than_its_budget(
    volume: str, begin: Begin, tmp_path: Path
) -> None:
    """Ten days of measurements against room for half of them."""
    config = shipped("prometheus/prometheus.yml")
    config["storage"]["tsdb"]["retention"]["size"] = "1MB"
    config |= {"scrape_configs": [], "rule_files": [], "alerting": {}}
    backfill(tmp_path / "fill", volume)
    words = ("--config.file=/config/config.yaml", "--storage.tsdb.path=/prometheus")
    store = begin("prometheus", config, [9090], *words, volume=volume)
    assert eventually(lambda: store.ready("/-/ready"), 30)
    assert store.size("/prometheus") < 1.2 * MB
    assert series(store, time.time()) == 150
    assert series(store, time.time() - 8 * DAY) == 0


def spans(count: int) -> dict[str, Any]:
    """Spans of about 1 KB in OTLP's JSON, one trace each."""
    now = time.time_ns()
    found = [
        {
            "traceId": uuid.uuid4().hex, "spanId": uuid.uuid4().hex[:16], "name": noise(900),
            "startTimeUnixNano": str(now), "endTimeUnixNano": str(now + 1000), "kind": 2,
        }
        for _ in range(count)
    ]  # fmt: skip
    attributes = [{"key": "service.name", "value": {"stringValue": "fill"}}]
    scope = {"scope": {"name": "fill"}, "spans": found}
    return {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [scope]}]}


def test_tempo_takes_no_more_spans_than_its_budget(begin: Begin) -> None:
    """A hundredth of its limits, and ten times of what it takes at once."""
    config = shipped("tempo/tempo.yaml")
    limits = config["overrides"]["defaults"]["ingestion"]
    for name in ("rate_limit_bytes", "burst_size_bytes"):
        limits[name] //= 100
    store = begin("tempo", config, [3200, 4318], "-config.file=/config/config.yaml")
    assert eventually(lambda: store.ready("/ready"), 60)
    began, taken = time.monotonic(), 0
    for _ in range(10 * limits["burst_size_bytes"] // (20 * KB)):
        answer = store.client.post(f"{store.receiver}/v1/traces", json=spans(20))
        taken += 20 if answer.is_success else 0
    seconds = time.monotonic() - began
    bound = limits["burst_size_bytes"] + limits["rate_limit_bytes"] * seconds
    assert 0.8 * limits["burst_size_bytes"] < taken * KB <= bound * 1.05
