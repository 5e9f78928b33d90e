"""Six alerts, end to end: the real thing is broken, Alertmanager knows, and n8n is told.

Only the time that a rule waits (`for`) and the time between two messages about a group are made
short, in the clone's files.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.common.platform import eventually
from tests.compose.conftest import ComposePlatform

SECONDS, OVER = 180, 420
"""For a check of Consul, a scrape, an evaluation, the wait for a group, and a webhook; and until
Alertmanager forgets what is not told again.
"""
CRASHED, TALKING = "plane-admin", "plane-live"
"""Services that are broken: light ones, each for one test, so that no alert hides another."""
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts?path="
_ASK = """
import json, sys, urllib.request
address, headers = json.load(sys.stdin)
request = urllib.request.Request(address, headers=headers)
print(urllib.request.urlopen(request, timeout=20).read().decode())
"""


@dataclass
class Watch:
    """The platform, and what its receivers of alerts say. The key is n8n's, for its API."""

    full: ComposePlatform
    key: str

    def ask(self, address: str, **headers: str) -> Any:
        """An answer from inside the network; headers are in no argument."""
        given = json.dumps([f"http://{address}", headers])
        return json.loads(self.full.inside("prefect", "python", "-c", _ASK, given=given))

    def known(self) -> set[tuple[str, str]]:
        """(alert, service) of what Alertmanager holds for true now."""
        found = self.ask("alertmanager.service.consul:9093/api/v2/alerts")
        labels = [one["labels"] for one in found]
        return {(one["alertname"], one.get("service", "")) for one in labels}

    def told(self) -> set[tuple[str, str, str]]:
        """(alert, service, status) of what n8n was told, as its workflow has read it."""
        base, header = "n8n.service.consul:5678/api/v1", {"X-N8N-API-KEY": self.key}
        flows = self.ask(f"{base}/workflows", **header)["data"]
        (number,) = [one["id"] for one in flows if one["name"] == "alerts"]
        query = f"workflowId={number}&includeData=true&limit=100"
        found = self.ask(f"{base}/executions?{query}", **header)["data"]
        read = [item["json"] for one in found for item in _items(one)]
        return {(one["alert"], one["service"], one["status"]) for one in read}

    def assert_fires(self, alert: str, service: str) -> None:
        """Alertmanager knows it, and n8n is told."""
        assert eventually(lambda: (alert, service) in self.known(), SECONDS), self.known()
        assert self.was_told(alert, service, "firing"), self.told()

    def was_told(self, *what: str) -> Any:
        """Whether n8n is told within some time."""
        return eventually(lambda: what in self.told(), SECONDS)

    def assert_is_over(self, alert: str, service: str) -> None:
        """Alertmanager does not hold it for true any more."""
        assert eventually(lambda: (alert, service) not in self.known(), OVER), self.known()


def _items(execution: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What the workflow's node for one alert has made."""
    for run in execution["data"]["resultData"]["runData"].get("What is wrong", []):
        for items in run["data"]["main"]:
            yield from items


def patient_files(full: ComposePlatform) -> list[Path]:
    """Those that say how long is waited: in the clone, from where they are mounted."""
    patterns = "prometheus/rules/*.yaml", "loki/rules/*/*.yaml", "alertmanager/alertmanager.yml"
    return [file for pattern in patterns for file in (full.root / "config").glob(pattern)]


def read_again(full: ComposePlatform) -> None:
    """Loki looks by itself."""
    full.compose("kill", "-s", "HUP", "prometheus", "alertmanager")


@pytest.fixture(scope="module")
def watch(shared: ComposePlatform) -> Iterator[Watch]:
    """The platform with rules that do not wait."""
    before = {file: file.read_text() for file in patient_files(shared)}
    for file, text in before.items():
        file.write_text(re.sub(r"\b(for|group_interval): \w+", r"\1: 5s", text))
    read_again(shared)
    yield Watch(shared, shared.secret("n8n", "API_KEY"))
    for file, text in before.items():
        file.write_text(text)
    read_again(shared)
    assert eventually(shared.all_healthy, 120)


@pytest.fixture(scope="module")
def failing(watch: Watch) -> str:
    """Flows fail, and a log has errors: alerts about it come while others are looked at. Gives the
    address of the flow.
    """
    flow = watch.full.prefect("flows/", {"name": "broken-on-purpose"})
    for _ in range(12):
        run = watch.full.prefect("flow_runs/", {"flow_id": flow["id"]})
        failed = {"state": {"type": "FAILED", "name": "Failed"}, "force": True}
        watch.full.prefect(f"flow_runs/{run['id']}/set_state", failed)
    write = 'for i in $(seq 80); do echo "ERROR made on purpose $i" >/proc/1/fd/1; done'
    watch.full.inside(TALKING, "sh", "-c", write)
    return f"http://127.0.0.1:{watch.full.ports['PREFECT']}/api/flows/{flow['id']}"


def test_a_crash_loop(watch: Watch, failing: str) -> None:
    for _ in range(4):
        crash(watch.full, CRASHED)
        time.sleep(5)
    watch.assert_fires("RestartLoop", CRASHED)


def crash(full: ComposePlatform, name: str) -> None:
    """End a container's main process, and wait until the engine has started it again."""
    before = full.containers()[name]
    os.kill(before["State"]["Pid"], signal.SIGKILL)

    def is_back() -> bool:
        now = full.containers()[name]
        return bool(now["RestartCount"] > before["RestartCount"] and now["State"]["Running"])

    assert eventually(is_back, 60), full.containers()[name]["State"]


def test_failing_flows(watch: Watch, failing: str) -> None:
    watch.assert_fires("FlowFailureRatio", "prefect")
    httpx.delete(failing).raise_for_status()


def test_a_burst_of_errors_in_a_log(watch: Watch, failing: str) -> None:
    watch.assert_fires("LogErrorBurst", TALKING)


def test_a_stopped_object_store(watch: Watch) -> None:
    """It is down, and MLflow, which is not, answers 500 where it needs it."""
    assert ("ServiceDown", "s3") not in watch.known()
    watch.full.compose("stop", "s3")
    try:
        # A counter that is new says nothing about its pace: people go on asking.
        for _ in range(60):
            watch.full.through_front_door("mlflow", ARTIFACTS)
            time.sleep(1)
        watch.assert_fires("HighErrorRatio", "mlflow")
        watch.assert_fires("ServiceDown", "s3")
    finally:
        watch.full.compose("start", "s3")
    watch.assert_is_over("ServiceDown", "s3")
    assert watch.was_told("ServiceDown", "s3", "resolved"), watch.told()


def test_a_sealed_vault(watch: Watch) -> None:
    watch.full.compose("stop", "bootstrap")
    try:
        # It comes up sealed, and nobody is there to open it.
        watch.full.compose("restart", "vault")
        watch.assert_fires("VaultSealed", "vault")
    finally:
        watch.full.compose("start", "bootstrap")
    watch.assert_is_over("VaultSealed", "vault")


def test_flows_that_fail_no_more(watch: Watch, failing: str) -> None:
    """The alert had the time of the tests before to end."""
    assert httpx.get(failing).status_code == httpx.codes.NOT_FOUND
    watch.assert_is_over("FlowFailureRatio", "prefect")
