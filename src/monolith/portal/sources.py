"""The systems that are asked, and what is made of their answers."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

TIMEOUT = 4.0
CHAMPION = "champion"
_RUNS = 6
_PAGE = 200
_LARGEST = 2**23
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class SilentError(Exception):
    """A system did not answer, or not with what it was asked for."""


@dataclass(frozen=True)
class FlowRun:
    """One run of a flow. `state` is Prefect's name of it, `kind` its type; times are ISO texts."""

    id: str
    name: str
    flow: str
    state: str
    kind: str
    started: str
    seconds: float


@dataclass(frozen=True)
class Champion:
    """The model version that has the alias `champion`."""

    model: str
    version: str


@dataclass(frozen=True)
class Alert:
    """One firing alert."""

    name: str
    severity: str
    service: str
    summary: str
    since: str


@dataclass(frozen=True)
class Flows:
    """What Prefect says: the last runs, and how many there are by name of state."""

    last: list[FlowRun]
    by_state: dict[str, int]
    recent: dict[str, int]


@dataclass(frozen=True)
class Models:
    """What MLflow's registry says."""

    champions: list[Champion]
    models: int


@dataclass(frozen=True)
class Runs:
    """What MLflow's tracking says: runs by status, and experiments."""

    by_status: dict[str, int]
    experiments: int


def ask(base: str, path: str, body: Any = None) -> Any:
    """The JSON answer to GET, or to POST of `body`. Straight to the server, past any proxy."""
    url = urlsplit(base)
    connection = http.client.HTTPConnection(url.netloc, timeout=TIMEOUT)
    try:
        content = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        connection.request("POST" if content else "GET", path, content, headers)
        answer = connection.getresponse()
        text = answer.read(_LARGEST)
    except (OSError, http.client.HTTPException) as error:
        raise SilentError(f"{type(error).__name__}") from error
    finally:
        connection.close()
    return _content(answer.status, text)


def _content(status: int, text: bytes) -> Any:
    if status != http.client.OK:
        raise SilentError(f"status {status}")
    try:
        return json.loads(text)
    except ValueError as error:
        raise SilentError("no JSON") from error


def consul(base: str) -> dict[str, bool]:
    """Whether each check of a service passes, by its name; one that is red at any port is red.

    Consul's check of itself is of no service: it is there before any of them.
    """
    found: dict[str, bool] = {}
    for check in ask(base, "/v1/health/state/any"):
        if not check["ServiceID"]:
            continue
        found[check["Name"]] = found.get(check["Name"], True) and check["Status"] == "passing"
    return found


def prefect(base: str) -> Flows:
    """The last runs, and counts."""
    now = datetime.now(UTC)
    begun = {"flow_runs": {"state": {"type": {"not_any_": ["SCHEDULED"]}}}}
    runs = ask(base, "/api/flow_runs/filter", begun | {"sort": "START_TIME_DESC", "limit": _RUNS})
    ids = sorted({run["flow_id"] for run in runs})
    flows = ask(base, "/api/flows/filter", {"flows": {"id": {"any_": ids}}}) if ids else []
    names = {flow["id"]: flow["name"] for flow in flows}
    return Flows(
        last=[_flow_run(run, names) for run in runs],
        by_state=_by_state(base, _EPOCH, now + timedelta(days=3650)),
        recent=_by_state(base, now - timedelta(hours=1), now),
    )


def _flow_run(run: dict[str, Any], names: dict[str, str]) -> FlowRun:
    return FlowRun(
        id=run["id"],
        name=run["name"],
        flow=names.get(run["flow_id"], ""),
        state=run["state_name"] or "",
        kind=run["state_type"] or "",
        started=run["start_time"] or run["expected_start_time"] or "",
        seconds=run["total_run_time"] or 0.0,
    )


def _by_state(base: str, start: datetime, end: datetime) -> dict[str, int]:
    """How many runs of a time are in which state: the history of one single interval."""
    body = {
        "history_start": start.isoformat(), "history_end": end.isoformat(),
        "history_interval_seconds": (end - start).total_seconds(),
    }  # fmt: skip
    counts: Counter[str] = Counter()
    for interval in ask(base, "/api/flow_runs/history", body):
        for state in interval["states"]:
            counts[state["state_name"]] += state["count_runs"]
    return dict(counts)


def models(base: str) -> Models:
    """The registered models, and which version of each is the champion."""
    found = _pages(base, "registered-models/search", "registered_models", {})
    champions = [
        Champion(model["name"], str(alias["version"]))
        for model in found
        for alias in model.get("aliases", [])
        if alias["alias"] == CHAMPION
    ]
    return Models(champions, len(found))


def runs(base: str) -> Runs:
    """How many runs there are. MLflow has no count: they are read, page by page."""
    found = _pages(base, "experiments/search", "experiments", {})
    ids = [experiment["experiment_id"] for experiment in found]
    counts: Counter[str] = Counter()
    body: dict[str, Any] = {"experiment_ids": ids, "max_results": _PAGE}
    while ids:
        answer = ask(base, "/api/2.0/mlflow/runs/search", body)
        counts.update(run["info"]["status"] for run in answer.get("runs", []))
        if not (token := answer.get("next_page_token")):
            break
        body["page_token"] = token
    return Runs(dict(counts), len(ids))


def _pages(base: str, path: str, key: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    """All that a search of MLflow finds."""
    found: list[dict[str, Any]] = []
    query = query | {"max_results": _PAGE}
    while True:
        answer = ask(base, f"/api/2.0/mlflow/{path}?{urlencode(query)}")
        found += answer.get(key, [])
        if not (token := answer.get("next_page_token")):
            return found
        query["page_token"] = token


def alertmanager(base: str) -> list[Alert]:
    """The alerts that fire and nobody has silenced."""
    query = "active=true&silenced=false&inhibited=false"
    found = ask(base, f"/api/v2/alerts?{query}")
    return [_alert(one, one["startsAt"]) for one in found]


def prometheus(base: str) -> list[Alert]:
    """The alerts that fire, where there is no Alertmanager."""
    found = ask(base, "/api/v1/alerts")["data"]["alerts"]
    return [_alert(one, one["activeAt"]) for one in found if one["state"] == "firing"]


def _alert(found: dict[str, Any], since: str) -> Alert:
    labels, notes = found["labels"], found.get("annotations", {})
    return Alert(
        name=labels.get("alertname", ""),
        severity=labels.get("severity", ""),
        service=labels.get("service", ""),
        summary=notes.get("summary", "") or notes.get("description", ""),
        since=since,
    )
