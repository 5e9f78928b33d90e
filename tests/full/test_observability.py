"""The stores of measurements, logs and traces: all is asked, and nothing is kept without end."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

import yaml

from tests.common.platform import eventually
from tests.compose.conftest import ComposePlatform


def ask(full: ComposePlatform, address: str) -> str:
    """An answer from inside the network, where most of it is reached only."""
    return full.inside("prometheus", "wget", "-q", "-O", "-", f"http://{address}")


def service(name: str, port: int, path: str) -> str:
    """Its address in the network."""
    return f"{name}.service.consul:{port}{path}"


def prometheus(full: ComposePlatform, path: str, **words: str) -> Any:
    """Data of Prometheus's API."""
    address = service("prometheus", 9090, f"/api/v1/{path}?{urlencode(words)}")
    return json.loads(ask(full, address))["data"]


def value(full: ComposePlatform, question: str) -> float | None:
    """A single number, when there is one."""
    found = prometheus(full, "query", query=question)["result"]
    return float(found[0]["value"][1]) if found else None


def expected(full: ComposePlatform) -> set[str]:
    """Addresses that the manifests name."""
    text = (full.root / "config" / "prometheus" / "targets.yaml").read_text()
    return {target for group in yaml.safe_load(text) for target in group["targets"]}


def targets(full: ComposePlatform) -> list[dict[str, Any]]:
    """The targets that come from the manifests, as Prometheus sees them."""
    found = prometheus(full, "targets")["activeTargets"]
    return [one for one in found if one["scrapePool"] in ("services", "tellers")]


def down(full: ComposePlatform) -> list[str]:
    """Those that do not answer, and why."""
    found = [one for one in targets(full) if one["health"] != "up"]
    return [f"{one['scrapeUrl']}: {one['lastError']}" for one in found]


def test_every_target_is_asked_and_answers(full: ComposePlatform) -> None:
    assert eventually(lambda: not down(full), 60), down(full)
    labels = [one["labels"] for one in targets(full)]
    assert {one["instance"] for one in labels} == expected(full)
    assert len(labels) >= 15
    for one in labels:
        assert one["job"] == one["service"]
        assert one["instance"].startswith(f"{one['service']}.service.consul:")
        assert set(one) == {"instance", "job", "service", "stack"}


def test_requests_are_counted_for_the_service_behind_the_front_door(full: ComposePlatform) -> None:
    question = 'sum(traefik_service_requests_total{job="traefik", service="mlflow", code="200"})'
    before = value(full, question) or 0
    assert full.through_front_door("mlflow", "/version").status_code == 200
    assert eventually(lambda: (value(full, question) or 0) > before, 40)


def test_measurements_end_by_time_and_by_size(full: ComposePlatform) -> None:
    assert prometheus(full, "status/runtimeinfo")["storageRetention"] == "15d or 4GiB"
    assert prometheus(full, "status/flags")["auto-gomemlimit"] == "true"


def test_logs_end_by_time_and_their_amount_is_limited(full: ComposePlatform) -> None:
    assert ask(full, service("loki", 3100, "/ready")).strip() == "ready"
    config = yaml.safe_load(ask(full, service("loki", 3100, "/config")))
    assert config["compactor"]["retention_enabled"] is True
    limits = config["limits_config"]
    assert limits["retention_period"] == "2w"
    assert limits["ingestion_rate_mb"] == 0.1
    assert limits["per_stream_rate_limit"] == "64KB"
    assert config["analytics"]["reporting_enabled"] is False
    # Its first round is some minutes after the start; that it deletes is Loki's own.
    running = "loki_boltdb_shipper_compactor_running == 1"
    assert eventually(lambda: value(full, running), 60), "nothing deletes old logs"


def test_traces_end_by_time_and_their_amount_is_limited(full: ComposePlatform) -> None:
    assert ask(full, service("tempo", 3200, "/ready")).strip() == "ready"
    *_, config = yaml.safe_load_all(ask(full, service("tempo", 3200, "/status/config")))
    assert config["compactor"]["compaction"]["block_retention"] == "168h0m0s"
    ingestion = config["overrides"]["defaults"]["ingestion"]
    assert ingestion["rate_limit_bytes"] == 100000
    assert config["usage_report"]["reporting_enabled"] is False


def test_a_queue_ends(full: ComposePlatform) -> None:
    told = full.inside("plane-mq", "rabbitmqctl", "list_operator_policies", "-p", "plane-api")
    assert '"max-length-bytes":1073741824' in told


def test_alerts_reach_the_receiver_that_needs_no_account(full: ComposePlatform) -> None:
    """The one that Prometheus sends has to find Alertmanager first."""
    found = prometheus(full, "alertmanagers")["activeAlertmanagers"]
    assert [one["url"] for one in found] == [
        "http://" + service("alertmanager", 9093, "/api/v2/alerts")
    ]
    # Those before n8n was there have failed.
    arrived = (
        'sum(alertmanager_notifications_total{integration="webhook"})'
        ' - sum(alertmanager_notifications_failed_total{integration="webhook"})'
    )
    before = value(full, arrived) or 0
    alert = [{"labels": {"alertname": "TestOfDelivery", "severity": "warning"}}]
    full.inside(
        "alertmanager", "wget", "-q", "-O", "-", "--header", "Content-Type: application/json",
        "--post-data", json.dumps(alert), "http://127.0.0.1:9093/api/v2/alerts",
    )  # fmt: skip
    assert eventually(lambda: (value(full, arrived) or 0) > before, 90)


def test_the_token_of_the_receiver_is_nowhere_to_be_read(full: ComposePlatform) -> None:
    token = full.secret("n8n", "WEBHOOK_TOKEN")
    status = full.inside(
        "alertmanager", "wget", "-q", "-O", "-", "http://127.0.0.1:9093/api/v2/status"
    )
    assert "X-Monolith-Token" in status
    assert token not in status
    assert token not in json.dumps(full.containers()["alertmanager"])
    assert not re.search(token, full.compose("logs", "alertmanager"))
