"""One trace: a request through the front door, its run, the tasks, and what MLflow is asked."""

from __future__ import annotations

import json
import secrets
from typing import Any

import httpx
import pytest

from tests.common.platform import eventually
from tests.compose.conftest import ComposePlatform
from tests.full import logs

LABEL = "__OTEL_TRACEPARENT"
"""Where Prefect keeps, and looks for, the trace of a run."""
PARAMETERS = {"candidates": ["logistic"], "model_name": "traced", "minimum_accuracy": 0.5}
TASKS = ("load", "open_experiment", "train", "register", "score")


def ask(full: ComposePlatform, path: str, body: dict[str, Any] | None = None, **more: str) -> Any:
    """Prefect's API as programs outside reach it: by its host, through Traefik."""
    answer = httpx.request(
        "GET" if body is None else "POST", f"http://127.0.0.1:{full.ports['HTTP']}/api/{path}",
        headers={"Host": full.host("prefect"), **more}, json=body, timeout=30,
    )  # fmt: skip
    return answer.raise_for_status().json()


def start(full: ComposePlatform) -> str:
    """Ask for a run of the flow as a program that is traced does. Returns the id of the run."""
    parent = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
    deployment = ask(full, "deployments/name/train-digits/train-digits")["id"]
    body = {"parameters": PARAMETERS, "labels": {LABEL: parent}}
    run = ask(full, f"deployments/{deployment}/create_flow_run", body, traceparent=parent)
    return str(run["id"])


def finished(full: ComposePlatform, run: str) -> dict[str, Any]:
    """The run when it is at its end, else nothing."""
    found: dict[str, Any] = ask(full, f"flow_runs/{run}")
    return found if found["end_time"] else {}


@pytest.fixture(scope="module")
def result(shared: ComposePlatform) -> dict[str, Any]:
    """What Prefect tells of a run that was started from outside."""
    shared.inside("prefect-worker", "prefect", "--no-prompt", "deploy", "--name", "train-digits")
    run = start(shared)
    result: dict[str, Any] = eventually(lambda: finished(shared, run), 180)
    assert result["state"]["type"] == "COMPLETED", result["state"]
    return result


def test_the_trace_of_the_result_has_spans_of_each_service_on_the_way(
    full: ComposePlatform, result: dict[str, Any]
) -> None:
    trace = result["labels"][LABEL].split("-")[1]
    expected = {"traefik", "prefect", "prefect-worker", "mlflow"}
    assert eventually(lambda: expected <= logs.spans(full, trace).keys(), 60), trace

    def missing() -> set[str]:
        names = logs.spans(full, trace)["prefect-worker"]
        wanted = {result["name"], *TASKS}
        return {one for one in wanted if not any(name.startswith(one) for name in names)}

    assert eventually(lambda: not missing(), 60), missing()
    assert any("artifacts" in name for name in logs.spans(full, trace)["mlflow"])


def test_the_lines_of_the_run_are_found_by_its_trace(
    full: ComposePlatform, result: dict[str, Any]
) -> None:
    trace = result["labels"][LABEL].split("-")[1]
    query = f'{{service="prefect-worker"}} | trace_id="{trace}"'
    assert eventually(lambda: len(logs.lines(full, query)) > len(TASKS), 60)
    texts = [line.text for line in logs.lines(full, query)]
    assert any("Beginning flow run" in text and result["name"] in text for text in texts)
    assert any("Task run 'train-logistic'" in text for text in texts)


def test_what_workers_and_health_checks_ask_makes_no_traces(
    full: ComposePlatform, result: dict[str, Any]
) -> None:
    """The servers add to a trace and begin none; else Tempo would be full of polling."""
    words = "q=%7Bresource.service.name%3D%22prefect%22%20%26%26%20name%3D~%22.*work_pools.*%22%7D"
    found = logs.ask(full, f"{logs.TEMPO}/api/search?{words}")
    assert found.get("traces", []) == [], json.dumps(found)
    assert result
