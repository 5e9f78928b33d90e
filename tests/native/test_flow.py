"""The flow: three ways to run it, and what the servers know of it afterwards."""

from __future__ import annotations

import subprocess

from monolith import project
from tests.native.conftest import ROOT, Platform

FLOW = "prefect_flows/train_digits.py"


def champion(platform: Platform) -> str:
    alias = platform.mlflow("registered-models/alias", name="digits", alias="champion")
    return str(alias["model_version"]["version"])


def versions(platform: Platform) -> list[int]:
    found = platform.mlflow("model-versions/search", filter="name='digits'")["model_versions"]
    return sorted(int(version["version"]) for version in found)


def completed_runs(platform: Platform) -> int:
    flow_runs = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
    return int(platform.prefect("flow_runs/count", flow_runs))


def test_demo_ends_with_a_champion_and_says_where_to_look(platform: Platform) -> None:
    text = platform.extra["DEMO_OUTPUT"]
    assert "digits version 1 is the new champion" in text
    port = platform.ports["HTTP"]
    assert f"http://prefect.monolith.localhost:{port}/runs/flow-run/" in text
    assert f"http://mlflow.monolith.localhost:{port}/#/experiments/" in text
    assert champion(platform) == "1"
    assert completed_runs(platform) >= 1


def test_a_second_run_makes_another_version_and_tells_about_the_champion(
    platform: Platform,
) -> None:
    before = versions(platform)
    text = platform.run("run", FLOW)
    assert versions(platform) == [*before, before[-1] + 1]
    assert "The champion stays version 1" in text


def test_the_worker_runs_the_deployment_with_the_same_result(platform: Platform) -> None:
    before, runs = versions(platform), completed_runs(platform)
    platform.run("run", "--deployed", "train-digits")
    assert len(versions(platform)) == len(before) + 1
    assert completed_runs(platform) == runs + 1
    deployment = platform.prefect("deployments/name/train-digits/train-digits")
    assert not str(deployment["path"] or "").startswith("/")


def test_env_serves_a_program_of_the_users_own(platform: Platform) -> None:
    """Any Python with the SDKs; here the one that the flows use."""
    python = next((project.find().cache / "envs").glob("prefect_flows-*/bin/python"))
    code = (
        "import mlflow, prefect.client.orchestration as o;"
        "print(mlflow.MlflowClient().get_registered_model('digits').name);"
        "print(o.get_client(sync_client=True).hello().status_code)"
    )
    script = f'eval "$(\'{ROOT}/monolith\' env)"; "{python}" -c "{code}"'
    result = subprocess.run(
        ["sh", "-c", script], env=platform.environment, capture_output=True, text=True, check=False
    )
    assert result.stdout.split() == ["digits", "200"], result.stderr


def test_a_failing_flow_fails_the_command(platform: Platform) -> None:
    text = platform.run("run", FLOW, '{"minimum_accuracy": 0.9999}', code=1)
    assert "0.9999 is required" in text
    assert champion(platform) == "1"


def test_model_and_run_are_there_after_down_and_up(platform: Platform) -> None:
    before, runs = versions(platform), completed_runs(platform)
    platform.run("down")
    platform.run("up")
    assert versions(platform) == before
    assert champion(platform) == "1"
    assert completed_runs(platform) == runs
