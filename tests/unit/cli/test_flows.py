"""`demo` and `run`: what is run, and what is shown at the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monolith.cli import flows
from monolith.errors import UserError
from monolith.runtimes.base import ServiceStatus
from tests.unit.cli.fakes import FakeRuntime, FakeSession
from tests.unit.conftest import MakeStack, service

MakeSession = Callable[..., FakeSession]
RESULT = {
    "model": "digits", "version": 3, "champion_changed": True, "accuracy": 0.9861,
    "flow_run_id": "f1", "experiment_id": 7, "mlflow_run_id": "m1",
}  # fmt: skip
ITEM = {"project": "DEMO", "sequence": 4, "url": "http://plane.localhost/monolith/browse/DEMO-4/"}
ROWS = [
    ServiceStatus("prefect", "healthy", "http://prefect.localhost"),
    ServiceStatus("mlflow", "healthy", "http://mlflow.localhost"),
    ServiceStatus("migrator", "done"),
    ServiceStatus("plane", "not offered"),
]


def answer(arguments: list[str]) -> tuple[int, Any]:
    return 0, ITEM if arguments[0].endswith("file_work_item.py") else RESULT


@pytest.fixture
def session(make_stack: MakeStack, tmp_path: Path) -> MakeSession:
    stack = make_stack({"web": service("web")})

    def make(**values: Any) -> FakeSession:
        runtime = FakeRuntime(**{"rows": ROWS, "answer": answer, **values})
        return FakeSession(runtime, stack, tmp_path)

    return make


def runs(session: FakeSession) -> list[list[str]]:
    assert isinstance(session.runtime, FakeRuntime)
    return session.runtime.runs


def test_demo_without_plane_files_nothing(
    session: MakeSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = session()
    flows.demo(made)
    assert runs(made) == [[str(tmp_path / "prefect_flows" / "train_digits.py")]]
    out = capsys.readouterr().out
    assert "digits version 3 is the new champion: 98.6% of the held-out digits read right." in out
    assert "Run in Prefect   http://prefect.localhost/runs/flow-run/f1\n" in out
    assert "Run in MLflow    http://mlflow.localhost/#/experiments/7/runs/m1\n" in out
    assert "ork item" not in out


def test_demo_with_plane_files_the_result_with_both_links(
    session: MakeSession, capsys: pytest.CaptureFixture[str]
) -> None:
    made = session(client={"PLANE_BASE_URL": "http://127.0.0.1:1"})
    flows.demo(made)
    file, argument = runs(made)[1]
    assert file.endswith("/prefect_flows/file_work_item.py")
    assert json.loads(argument) == {
        "title": "digits version 3 is the new champion",
        "description": "digits version 3 is the new champion: "
        "98.6% of the held-out digits read right.",
        "links": [
            {"title": "Run in Prefect", "url": "http://prefect.localhost/runs/flow-run/f1"},
            {"title": "Run in MLflow", "url": "http://mlflow.localhost/#/experiments/7/runs/m1"},
        ],
    }
    assert f"Work item        {ITEM['url']}\n" in capsys.readouterr().out


def test_demo_says_which_flow_did_not_finish(session: MakeSession) -> None:
    with pytest.raises(UserError) as caught:
        flows.demo(session(answer=lambda arguments: (1, {})))
    assert caught.value.hint == "./monolith run prefect_flows/train_digits.py"


def test_a_service_that_has_ended_well_is_up(session: MakeSession, tmp_path: Path) -> None:
    file = tmp_path / "flow.py"
    file.touch()
    made = session()
    flows.run(made, file, "", ["--fast"])
    assert runs(made) == [[str(file), "--fast"]]


@pytest.mark.parametrize("state", ["starting", "unhealthy", "stopped"])
def test_a_platform_that_is_not_up_runs_no_flow(
    session: MakeSession, tmp_path: Path, state: Any
) -> None:
    rows = [*ROWS, ServiceStatus("web", state)]
    with pytest.raises(UserError, match="The platform is not up: web"):
        flows.run(session(rows=rows), tmp_path / "flow.py", "", [])
