"""Checks that hold in every runtime, written once. A lane imports them and gives `platform`: an
installation that runs, on which `demo` has run.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from monolith import project
from tests.common.platform import ROOT, Platform, eventually

FLOW = "prefect_flows/train_digits.py"


def champion(platform: Platform) -> str:
    """Version of the champion."""
    alias = platform.mlflow("registered-models/alias", name="digits", alias="champion")
    return str(alias["model_version"]["version"])


def versions(platform: Platform) -> list[int]:
    """Versions of the model, in order."""
    found = platform.mlflow("model-versions/search", filter="name='digits'")["model_versions"]
    return sorted(int(version["version"]) for version in found)


def completed_runs(platform: Platform) -> int:
    """How many flow runs have completed."""
    flow_runs = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
    return int(platform.prefect("flow_runs/count", flow_runs))


def connect(platform: Platform, user: str, database: str, password: str) -> psycopg.Connection:
    """A connection to PostgreSQL."""
    return psycopg.connect(
        host="127.0.0.1", port=platform.ports["POSTGRES"],
        user=user, dbname=database, password=password, connect_timeout=5,
    )  # fmt: skip


def test_demo_ends_with_a_champion_and_says_where_to_look(platform: Platform) -> None:
    text = platform.extra["DEMO_OUTPUT"]
    assert "digits version 1 is the new champion" in text
    assert f"http://{platform.host('prefect')}/runs/flow-run/" in text
    assert f"http://{platform.host('mlflow')}/#/experiments/" in text
    assert champion(platform) == "1"
    assert completed_runs(platform) >= 1


def test_status_shows_health_and_memory_below_the_cap(platform: Platform) -> None:
    rows = platform.status()
    running = {name: row for name, row in rows.items() if row["state"] == "healthy"}
    assert {"postgres", "prefect", "prefect-worker", "mlflow", "traefik"} <= set(running)
    for name, row in running.items():
        assert 0 < row["memory"] < row["memory_limit"], name
        assert row["uptime"] > 0
    assert (rows["plane-api"]["state"] == "healthy") == platform.differences.plane
    assert (rows["portal"]["state"] == "healthy") == platform.differences.portal
    assert rows["mlflow"]["address"] == f"http://{platform.host('mlflow')}"


def test_the_status_table_fits_80_columns(platform: Platform) -> None:
    assert max(map(len, platform.run("status").splitlines())) <= 80


def test_a_second_up_says_that_everything_runs(platform: Platform) -> None:
    # A check may have been red for a moment on a busy machine.
    assert eventually(platform.healthy)
    assert "Everything runs already" in platform.run("up")


def test_logs_shows_the_last_lines_of_a_service(platform: Platform) -> None:
    lines = platform.run("logs", "postgres", "-n", "5").splitlines()
    assert 0 < len(lines) <= 5


@pytest.mark.parametrize(
    ("host", "path", "text"),
    [
        ("mlflow", "/health", "OK"),
        ("mlflow", "/", "<html"),
        ("prefect", "/api/health", "true"),
        ("prefect", "/", "<html"),
        ("traefik", "/api/version", "Version"),
    ],
)
def test_the_front_door_leads_to_every_service(
    platform: Platform, host: str, path: str, text: str
) -> None:
    answer = platform.through_front_door(host, path)
    assert answer.status_code == 200
    assert text in answer.text


@pytest.mark.parametrize("path", ["/health%2Fx", "/%5Cx", "/%00"])
def test_the_front_door_takes_no_encoded_separators(platform: Platform, path: str) -> None:
    assert platform.through_front_door("mlflow", path).status_code == 400


def test_mlflow_takes_posts_of_its_own_page_and_of_no_other(platform: Platform) -> None:
    host = platform.host("mlflow")

    # The answer's head only: a refusal comes before MLflow has read the request, and the front door
    # may cut the rest of it.
    def post(origin: str) -> int:
        with httpx.stream(
            "POST", f"http://127.0.0.1:{platform.ports['HTTP']}/ajax-api/2.0/mlflow/experiments/search",
            json={"max_results": 1}, headers={"Host": host, "Origin": origin},
        ) as answer:  # fmt: skip
            return answer.status_code

    assert post(f"http://{host}") == 200
    assert post("http://evil.example") == 403


def test_prefect_lets_no_foreign_page_talk_to_it(platform: Platform) -> None:
    """A deployment can run any command, so any page of the web could."""

    def allowed(origin: str) -> bool:
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        url = f"http://127.0.0.1:{platform.ports['PREFECT']}/api/flows/"
        return "access-control-allow-origin" in httpx.options(url, headers=asked).headers

    assert not allowed("http://evil.example")
    assert allowed(f"http://{platform.host('prefect')}")


def test_an_application_reaches_its_own_database_only(platform: Platform) -> None:
    for user, other in (("prefect", "mlflow"), ("mlflow", "prefect")):
        password = platform.secret(user, "DATABASE_PASSWORD")
        with connect(platform, user, user, password) as connection:
            row = connection.execute(
                "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = %s",
                [user],
            ).fetchone()
            assert row == (False,)
        for database in (other, "postgres"):
            with pytest.raises(psycopg.OperationalError, match="permission denied"):
                connect(platform, user, database, password)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            connect(platform, user, user, "wrong")


def test_history_and_telemetry_are_limited(platform: Platform) -> None:
    settings = platform.prefect("admin/settings")["server"]
    assert settings["analytics_enabled"] is False
    assert settings["events"]["retention_period"] == "P7D"
    assert "flow_runs" in settings["services"]["db_vacuum"]["enabled"]


def test_the_work_pool_is_there(platform: Platform) -> None:
    assert platform.prefect("work_pools/default")["type"] == "process"


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
    """Any Python with the SDKs, here the one that the flows use; the flow as an ordinary script."""
    before = versions(platform)
    python = next((project.find().cache / "envs").glob("prefect_flows-*/bin/python"))
    script = 'eval "$("$0" env)"; exec "$@"'
    words = [str(platform.root / "monolith"), str(python), FLOW, '{"candidates": ["svc"]}']
    result = subprocess.run(
        ["sh", "-c", script, *words], env=platform.environment, cwd=ROOT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["version"] == before[-1] + 1
    assert told["accuracy"] > 0.96


def test_a_failing_flow_fails_the_command(platform: Platform) -> None:
    text = platform.run("run", FLOW, '{"minimum_accuracy": 0.9999}', code=1)
    assert "0.9999 is required" in text
    assert champion(platform) == "1"


def test_a_misspelt_deployment_is_told_and_not_made(platform: Platform) -> None:
    assert "did you mean `train-digits`" in platform.run("run", "--deployed", "train-digit", code=1)


def test_the_operator_sees_names_and_on_request_a_value(platform: Platform) -> None:
    text = platform.run("secrets", "list")
    assert "DATABASE_PASSWORD" in text
    value = platform.secret("mlflow", "DATABASE_PASSWORD")
    assert len(value) == 64
    assert value not in text


def test_a_secret_comes_from_standard_input(platform: Platform) -> None:
    key = "MLFLOW_FLASK_SERVER_SECRET_KEY"
    before = platform.secret("mlflow", key)
    assert "restart mlflow" in platform.run("secrets", "set", "mlflow", key, given="a b'c$d")
    assert platform.secret("mlflow", key) == "a b'c$d"
    platform.run("secrets", "set", "mlflow", key, given=before)


def test_a_secret_that_data_were_made_with_stays(platform: Platform) -> None:
    words = ("secrets", "set", "postgres", "POSTGRES_PASSWORD")
    assert "would not open them" in platform.run(*words, code=1, given="another-password")


def test_a_misspelt_secret_is_told(platform: Platform) -> None:
    assert "did you mean `mlflow`" in platform.run("secrets", "show", "mlfow", code=1)
    text = platform.run("secrets", "show", "mlflow", "DATABASE_PASWORD", code=1)
    assert "did you mean `DATABASE_PASSWORD`" in text


def test_bootstrap_has_nothing_left_to_do(platform: Platform) -> None:
    out, err = platform.start("bootstrap", "--json").communicate(timeout=120)
    states = {step["name"]: step["state"] for step in json.loads(out)["steps"]}
    assert set(states) >= {"folders", "secrets", "databases", "prefect"}, err
    assert set(states.values()) == {"unchanged"}, out


@contextmanager
def kept(platform: Platform) -> Iterator[None]:
    """What is within keeps models, runs and secrets."""
    before = versions(platform), champion(platform)
    runs, secrets = completed_runs(platform), platform.secrets()
    yield
    assert (versions(platform), champion(platform)) == before
    # One that was under way may have ended in the meantime.
    assert completed_runs(platform) >= runs
    now = platform.secrets()
    assert [key for key in secrets | now if secrets.get(key) != now.get(key)] == []


def test_model_and_run_are_there_after_down_and_up(platform: Platform) -> None:
    with kept(platform):
        platform.run("down")
        platform.run("up")
