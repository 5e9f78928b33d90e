"""What is made of the answers of Consul, Prefect, MLflow, Alertmanager and Prometheus."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from monolith.portal import sources
from monolith.portal.sources import Alert, Champion, SilentError

Serve = Callable[[dict[str, Any]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that answers paths with JSON; a list is one answer after the other."""
    servers: list[HTTPServer] = []

    def start(answers: dict[str, Any]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                found = answers.get(self.path)
                content = found.pop(0) if isinstance(found, list) else found
                self.send_response(200 if content is not None else 404)
                self.end_headers()
                text = content if isinstance(content, str) else json.dumps(content)
                self.wfile.write(text.encode())

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()


def test_a_check_is_red_when_it_is_red_at_any_port(serve: Serve) -> None:
    checks = [
        {"Name": "s3 answers", "Status": "passing", "ServiceID": "s3-1"},
        {"Name": "s3 answers", "Status": "critical", "ServiceID": "s3"},
        {"Name": "mlflow answers", "Status": "passing", "ServiceID": "mlflow"},
        {"Name": "Serf Health Status", "Status": "passing", "ServiceID": ""},
    ]
    found = sources.consul(serve({"/v1/health/state/any": [checks]}))
    assert found == {"s3 answers": False, "mlflow answers": True}


def test_the_last_runs_and_counts_of_states(serve: Serve) -> None:
    run = {
        "id": "1", "name": "busy-owl", "flow_id": "f", "state_name": "Completed",
        "state_type": "COMPLETED", "start_time": None, "total_run_time": 2.5,
        "expected_start_time": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    states = [{"state_name": "Completed", "state_type": "COMPLETED", "count_runs": 2}]
    late = [{"state_name": "Late", "state_type": "SCHEDULED", "count_runs": 1}]
    base = serve({
        "/api/flow_runs/filter": [[run]],
        "/api/flows/filter": [[{"id": "f", "name": "train"}]],
        "/api/flow_runs/history": [[{"states": states}, {"states": states + late}], []],
    })  # fmt: skip
    found = sources.prefect(base)
    assert (found.last[0].flow, found.last[0].started) == ("train", "2026-01-01T00:00:00Z")
    assert found.by_state == {"Completed": 4, "Late": 1}
    assert found.recent == {}


def test_champions_are_of_all_pages(serve: Serve) -> None:
    path = "/api/2.0/mlflow/registered-models/search?max_results=200"
    model = {"name": "digits", "aliases": [{"alias": "champion", "version": "3"}]}
    other = {"name": "drafts", "aliases": [{"alias": "candidate", "version": "1"}]}
    base = serve({
        path: [{"registered_models": [model], "next_page_token": "t"}],
        f"{path}&page_token=t": [{"registered_models": [other, {"name": "bare"}]}],
    })  # fmt: skip
    found = sources.models(base)
    assert found.champions == [Champion("digits", "3")]
    assert found.models == 3


def test_runs_are_counted_page_by_page(serve: Serve) -> None:
    done, failed = {"info": {"status": "FINISHED"}}, {"info": {"status": "FAILED"}}
    base = serve({
        "/api/2.0/mlflow/experiments/search?max_results=200": [
            {"experiments": [{"experiment_id": "0"}, {"experiment_id": "1"}]}
        ],
        "/api/2.0/mlflow/runs/search": [
            {"runs": [done, done], "next_page_token": "t"}, {"runs": [failed]},
        ],
    })  # fmt: skip
    assert sources.runs(base) == sources.Runs({"FINISHED": 2, "FAILED": 1}, 2)


def test_alerts_are_alike_from_both(serve: Serve) -> None:
    labels = {"alertname": "Down", "severity": "critical", "service": "mlflow"}
    shared = {"labels": labels, "annotations": {"summary": "It is down"}}
    time = "2026-01-01T00:00:00Z"
    path = "/api/v2/alerts?active=true&silenced=false&inhibited=false"
    one = sources.alertmanager(serve({path: [[{**shared, "startsAt": time}]]}))
    firing = {**shared, "state": "firing", "activeAt": time}
    pending = {**shared, "state": "pending", "activeAt": time}
    body = {"data": {"alerts": [firing, pending]}}
    other = sources.prometheus(serve({"/api/v1/alerts": [body]}))
    assert one == other == [Alert("Down", "critical", "mlflow", "It is down", time)]


@pytest.mark.parametrize("answer", [None, "no JSON"])
def test_an_answer_that_is_none(serve: Serve, answer: Any) -> None:
    with pytest.raises(SilentError):
        sources.consul(serve({"/v1/health/state/any": answer}))


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(SilentError, match="ConnectionRefused"):
        sources.consul("http://127.0.0.1:1")
