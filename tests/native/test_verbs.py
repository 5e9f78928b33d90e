"""The verbs on a platform that runs: what they show, and that they change nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import psutil
import pytest

from monolith.secrets.store import FileStore
from tests.native.conftest import OFFERED, Platform

NATIVE_PORTS = ("POSTGRES", "PREFECT", "MLFLOW", "HTTP", "TRAEFIK")


def test_status_shows_health_address_and_memory_below_the_cap(platform: Platform) -> None:
    rows = platform.status()
    assert {name for name, row in rows.items() if row["state"] == "healthy"} == OFFERED
    for name in OFFERED:
        assert 0 < rows[name]["memory"] < rows[name]["memory_limit"], name
        assert rows[name]["uptime"] > 0
    assert rows["plane-api"]["state"] == "not offered"
    assert rows["mlflow"]["address"].startswith("http://mlflow.monolith.localhost:")


def test_a_second_up_changes_nothing(platform: Platform) -> None:
    before = platform.pids()
    assert "Everything runs already" in platform.run("up")
    assert platform.pids() == before


def test_a_changed_setting_restarts_what_depends_on_it_and_nothing_else(
    platform: Platform,
) -> None:
    before = platform.pids()
    platform.extra["MONOLITH_DOMAIN"] = "example.localhost"
    platform.run("up")
    changed = {name for name, pid in platform.pids().items() if pid != before[name]}
    del platform.extra["MONOLITH_DOMAIN"]
    platform.run("up")
    assert changed == {"prefect", "mlflow"}


def test_restart_gives_a_service_a_new_process(platform: Platform) -> None:
    before = platform.pids()
    platform.run("restart", "mlflow")
    after = platform.pids()
    assert {name for name in OFFERED if after[name] != before[name]} == {"mlflow"}


def test_open_prints_the_address_where_there_is_no_browser(platform: Platform) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        os.environ.pop(name, None)
    port = platform.ports["HTTP"]
    assert platform.run("open", "mlflow").strip() == f"http://mlflow.monolith.localhost:{port}"
    assert "has no page" in platform.run("open", "postgres", code=1)
    assert "There is no service" in platform.run("open", "mlfow", code=1)


def test_what_does_not_run_natively_is_told(platform: Platform) -> None:
    assert "not offered natively" in platform.run("restart", "vault", code=1)
    assert "not offered natively" in platform.run("logs", "vault", code=1)


def test_everything_listens_on_loopback_only(platform: Platform) -> None:
    listening = [
        connection.laddr
        for process in platform.processes()
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    own = {port for name, port in platform.ports.items() if name in NATIVE_PORTS}
    assert {address[1] for address in listening} >= own
    assert {address[0] for address in listening} == {"127.0.0.1"}


def secret_values(platform: Platform) -> dict[str, str]:
    store = FileStore(platform.places.secrets)
    services = [path.stem for path in platform.places.secrets.glob("*.json")]
    return {f"{s}.{key}": value for s in services for key, value in store.read(s).items()}


def test_no_secret_is_in_arguments_logs_or_output(platform: Platform) -> None:
    values = secret_values(platform)
    assert len(values) >= 6
    places = {f"argv of {p.pid}": " ".join(p.cmdline()) for p in platform.processes()}
    places |= {str(path): path.read_text() for path in platform.places.logs.iterdir()}
    commands = (["status"], ["env"], ["logs", "-n", "1000"], ["validate", "--json"], ["up"])
    places |= {" ".join(words): platform.run(*words) for words in commands}
    leaks = [(name, key) for name, text in places.items() for key, v in values.items() if v in text]
    assert leaks == []


def test_state_is_closed_to_other_users(platform: Platform) -> None:
    folders = [platform.places.secrets, platform.places.state, platform.places.logs]
    for folder in folders:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    for path in [*platform.places.secrets.rglob("*"), *(platform.places.state / "env").iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_processes_run_without_root_where_they_can(platform: Platform) -> None:
    if os.geteuid() != 0:
        pytest.skip("an ordinary user runs everything as itself")
    assert psutil.Process(platform.pids()["postgres"]).username() == "monolith-postgres"
    assert Path(f"/proc/{platform.pids()['postgres']}").stat().st_uid != 0
