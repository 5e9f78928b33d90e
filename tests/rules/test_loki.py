"""Loki's rules, in the real Loki with the platform's own configuration."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from monolith import project
from monolith.tools import model
from tests.common.alerts import LOKI_RULES, alerts
from tests.common.platform import ROOT, eventually, free_ports

MANY, FEW = 60, 40
RULES = "/prometheus/api/v1"


def configuration(folder: Path) -> Path:
    """The platform's files, with their paths in `folder` and without the time to wait."""
    rules = folder / "rules" / "fake"
    rules.mkdir(parents=True)
    for file in LOKI_RULES:
        text = re.sub(r"(interval|for): \w+", r"\1: 1s", file.read_text())
        (rules / file.name).write_text(text)
    text = (ROOT / "config/loki/loki.yaml").read_text()
    text = text.replace("/config/rules", str(folder / "rules")).replace("/loki/", f"{folder}/")
    target = folder / "loki.yaml"
    target.write_text(text.replace(" /loki\n", f" {folder}\n"))
    return target


@pytest.fixture(scope="module")
def loki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Loki of its own."""
    program = model.find("loki", project.find())
    assert program, "loki is not built: ./monolith tools build loki"
    folder = tmp_path_factory.mktemp("loki")
    http, grpc = free_ports(2)
    command = [str(program), f"-config.file={configuration(folder)}",
               f"-server.http-listen-port={http}", f"-server.grpc-listen-port={grpc}",
               "-server.http-listen-address=127.0.0.1"]  # fmt: skip
    address = f"http://127.0.0.1:{http}"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            assert eventually(lambda: ready(address), 90), (folder / "log").read_text()[-2000:]
            yield address
        finally:
            process.kill()
            process.wait()


def ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/ready", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def push(address: str, service: str, level: str, count: int) -> None:
    """Lines as the collector sends them, of the last seconds."""
    now = time.time_ns()
    values = [[str(now - number), f"line {number}"] for number in range(count)]
    stream = {"service": service, "level": level, "stack": "full"}
    body = {"streams": [{"stream": stream, "values": values}]}
    httpx.post(f"{address}/loki/api/v1/push", json=body, timeout=10).raise_for_status()


def firing(address: str) -> dict[str, dict[str, Any]]:
    """Firing alerts by service."""
    found = httpx.get(f"{address}{RULES}/alerts", timeout=10).raise_for_status().json()
    active = [one for one in found["data"]["alerts"] if one["state"] == "firing"]
    return {one["labels"]["service"]: one for one in active}


def test_an_error_burst_fires_and_a_few_errors_do_not(loki: str) -> None:
    push(loki, "n8n", "error", MANY)
    push(loki, "mlflow", "error", FEW)
    push(loki, "prefect", "info", 10 * MANY)
    assert eventually(lambda: firing(loki), 30)
    time.sleep(3)
    found = firing(loki)
    assert set(found) == {"n8n"}
    assert found["n8n"]["labels"] == {
        "alertname": "LogErrorBurst", "service": "n8n", "stack": "full", "severity": "warning",
    }  # fmt: skip
    assert found["n8n"]["annotations"]["summary"] == f"n8n logs errors: {MANY} in 5 minutes"


def test_all_rules_are_read_and_healthy(loki: str) -> None:
    groups = httpx.get(f"{loki}{RULES}/rules", timeout=10).raise_for_status().json()["data"]
    rules = [rule for group in groups["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == {one.name for one in alerts(LOKI_RULES)}
    assert {rule["lastError"] for rule in rules} <= {"", None}
    assert {rule["health"] for rule in rules} == {"ok"}
