"""The native platform with Vault and Consul: their programs are found, so they are offered."""

from __future__ import annotations

import atexit
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from monolith.secrets.keys import FileKeys
from monolith.secrets.store import FileStore
from tests.native.conftest import (
    OFFERED,
    Platform,
    cache_without_tools,
    eventually,
    new_cache,
)
from tests.native.steps import CONSUL
from tests.native.vault import PROGRAM

pytestmark = pytest.mark.skipif(
    not PROGRAM or not CONSUL, reason="needs: ./monolith tools build vault consul"
)
ALL = OFFERED | {"vault", "consul", "bootstrap"}
VALUE = "a b'c$d"


@pytest.fixture(scope="module")
def before() -> dict[str, str]:
    """Secrets of the platform before it had Vault."""
    return {}


@pytest.fixture(scope="module")
def vault(base: Path, before: dict[str, str]) -> Iterator[Platform]:
    """A platform that ran without Vault, and was started again with it."""
    platform = Platform(base / "vault")
    platform.run("up")
    before |= FileStore(platform.places.secrets).read("mlflow")
    platform.extra["MONOLITH_CACHE"] = str(cache_with_tools())
    platform.run("up")
    yield platform
    platform.end()


def cache_with_tools() -> Path:
    """The cache without tools, with the tools that are built."""
    assert PROGRAM
    folder = cache_without_tools().with_name(f"{cache_without_tools().name}-tools")
    if not folder.exists():
        folder.mkdir(0o755)
        atexit.register(shutil.rmtree, folder)
        for path in [*cache_without_tools().iterdir(), PROGRAM.parents[1]]:
            (folder / path.name).symlink_to(path.resolve())
    return folder


def ask(platform: Platform, name: str, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{platform.ports[name]}{path}", timeout=10)


def test_all_is_offered_and_healthy(vault: Platform) -> None:
    rows = vault.status()
    assert {name for name, row in rows.items() if row["state"] == "healthy"} == ALL


def test_secrets_that_were_there_are_kept_and_only_in_vault(
    vault: Platform, before: dict[str, str]
) -> None:
    assert before
    for key, value in before.items():
        assert vault.secret("mlflow", key) == value
    assert not FileStore(vault.places.secrets).services()


def test_a_second_up_changes_nothing(vault: Platform) -> None:
    pids = vault.supervised()
    assert "Everything runs already" in vault.run("up")
    assert vault.supervised() == pids


def test_a_killed_vault_is_unsealed_by_itself(vault: Platform) -> None:
    pids = vault.supervised()
    psutil.Process(pids["vault"]).kill()
    assert eventually(lambda: vault.supervised().get("vault") not in (None, 0, pids["vault"]))
    assert eventually(lambda: healthy(vault, "vault"), 30)
    others = {name: pid for name, pid in vault.supervised().items() if name != "vault"}
    assert others == {name: pid for name, pid in pids.items() if name != "vault"}


def healthy(platform: Platform, name: str) -> bool:
    return bool(platform.status()[name]["state"] == "healthy")


def test_consul_knows_every_service_and_its_health(vault: Platform) -> None:
    def checks() -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = ask(vault, "CONSUL", "/v1/agent/checks").json()
        return list(found.values())

    names = {check["ServiceName"] for check in checks()}
    assert {"vault", "prefect", "mlflow", "postgres", "traefik"} <= names
    assert eventually(lambda: all(check["Status"] == "passing" for check in checks()), 30)


def test_consul_that_forgot_gets_its_services_again(vault: Platform) -> None:
    for name in ask(vault, "CONSUL", "/v1/agent/services").json():
        url = f"http://127.0.0.1:{vault.ports['CONSUL']}/v1/agent/service/deregister/{name}"
        httpx.put(url).raise_for_status()
    assert eventually(lambda: "mlflow" in ask(vault, "CONSUL", "/v1/agent/services").json(), 30)


def test_a_new_secret_restarts_who_uses_it_at_the_next_up(vault: Platform) -> None:
    text = vault.run("secrets", "set", "mlflow", "MLFLOW_FLASK_SERVER_SECRET_KEY", given=VALUE)
    assert "restart mlflow" in text
    pids = vault.supervised()
    vault.run("up")
    changed = {name for name, pid in vault.supervised().items() if pid != pids[name]}
    assert changed == {"mlflow"}
    environment = psutil.Process(vault.supervised()["mlflow"]).environ()
    assert environment["MLFLOW_FLASK_SERVER_SECRET_KEY"] == VALUE


def test_a_new_password_reaches_the_database_too(vault: Platform) -> None:
    vault.run("secrets", "set", "mlflow", "DATABASE_PASSWORD", given="p" * 64)
    vault.run("up")
    assert healthy(vault, "mlflow")


def test_no_secret_is_in_arguments_logs_or_output(vault: Platform) -> None:
    keys = FileKeys(vault.data)
    found, operator = keys.keys(), keys.operator()
    assert found
    assert operator
    values = {key: value for key, value in vault.secrets().items() if len(value) > 8}
    values |= {"unseal key": found.keys[0], "login": operator.secret_id}
    places = {f"argv of {p.pid}": " ".join(p.cmdline()) for p in vault.processes()}
    places |= {str(path): path.read_text() for path in vault.places.logs.iterdir()}
    commands = (["status"], ["secrets", "list"], ["bootstrap"], ["bootstrap", "--json"], ["up"])
    places |= {" ".join(words): vault.run(*words) for words in commands}
    leaks = [(name, key) for name, text in places.items() for key, v in values.items() if v in text]
    assert leaks == []


def test_everything_listens_on_loopback_only(vault: Platform) -> None:
    listening = [
        connection.laddr
        for process in vault.processes()
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {address[0].split(".")[0] for address in listening} == {"127"}


def test_bootstrap_tells_a_row_for_each_step(vault: Platform) -> None:
    out, _ = vault.start("bootstrap", "--json").communicate(timeout=120)
    rows = json.loads(out)["steps"]
    assert [row["name"] for row in rows] == [
        "folders", "vault", "secrets", "databases", "consul", "prefect",
    ]  # fmt: skip
    assert {row["state"] for row in rows} == {"unchanged"}
    assert "did you mean `databases`" in vault.run("bootstrap", "database", code=1)


def test_without_its_program_nothing_is_made_anew(vault: Platform) -> None:
    vault.run("down")
    there = vault.extra.pop("MONOLITH_CACHE")
    vault.extra["MONOLITH_CACHE"] = str(cache_without_tools())
    for words in (["up"], ["secrets", "list"]):
        assert "tools build vault" in vault.run(*words, code=1)
    assert vault.status()["vault"]["state"] == "not offered"
    vault.extra["MONOLITH_CACHE"] = there
    vault.run("up")
    assert eventually(lambda: healthy(vault, "mlflow"))


@pytest.mark.skipif(not os.environ.get("MONOLITH_TOOLS"), reason="needs a folder MONOLITH_TOOLS")
def test_ready_programs_are_taken_and_none_is_built(base: Path, fresh: Platform) -> None:
    fresh.extra |= {
        "MONOLITH_TOOLS": os.environ["MONOLITH_TOOLS"],
        "MONOLITH_CACHE": str(new_cache()),
    }
    assert fresh.status()["vault"]["reason"].startswith("its program is taken")
    fresh.run("up")
    assert eventually(lambda: healthy(fresh, "vault"))
