"""Bootstrap on the engine: killed anywhere and run again, Vault restarted, half-made starts."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import httpx

from monolith.bootstrap.reconcile import STEPS
from monolith.cli.session import Session
from monolith.secrets.store import FileStore
from tests.common import checks
from tests.common.platform import eventually
from tests.compose.conftest import ComposePlatform, docker

KILLING = Path(__file__).with_name("killing.py")


def sealed(platform: ComposePlatform) -> bool:
    text = platform.inside("vault", "wget", "-q", "-O-", "http://127.0.0.1:8200/v1/sys/seal-status")
    return bool(json.loads(text[: text.rindex("}") + 1])["sealed"])


def test_vault_is_unsealed_after_a_restart(platform: ComposePlatform) -> None:
    platform.compose("restart", "vault")
    assert eventually(lambda: not sealed(platform), 30)
    assert platform.secret("mlflow", "DATABASE_PASSWORD")


def test_a_sealed_vault_stops_no_service(platform: ComposePlatform) -> None:
    platform.compose("stop", "bootstrap")
    platform.compose("restart", "vault")
    platform.compose("restart", "mlflow")
    assert sealed(platform)
    container = platform.running()["mlflow"]["Id"]
    assert eventually(lambda: health(container) == "healthy", 90)
    platform.compose("start", "bootstrap")
    assert eventually(lambda: not sealed(platform), 60)


def health(container: str) -> str:
    return str(json.loads(docker("inspect", container))[0]["State"]["Health"]["Status"])


def test_two_bootstraps_at_once_leave_one_truth(platform: ComposePlatform) -> None:
    words = ["exec", "-T", "bootstrap", "monolith", "bootstrap"]
    runs = [
        subprocess.Popen(
            ["docker", "compose", "-f", "docker-compose.minimal.yaml", *words],
            cwd=platform.root / "docker-compose", env=platform.environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for run in runs:
        out, _ = run.communicate(timeout=120)
        assert run.returncode == 0, out


def kill_through(platform: ComposePlatform, *steps: str) -> dict[str, int]:
    """Run steps, killed behind each of their effects. How often each was killed."""
    text = platform.compose(
        "run", "--rm", "-T", "--no-deps", "--entrypoint", "python", "bootstrap-secrets",
        "-", *steps, given=KILLING.read_text(),
    )  # fmt: skip
    (line,) = [line for line in text.splitlines() if line.startswith("{")]
    found: dict[str, int] = json.loads(line)
    return found


def kept_natively(platform: ComposePlatform) -> None:
    """A file of a model, as the native runtime leaves it."""
    folder = platform.data / "mlflow" / "artifacts" / "1" / "models"
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text("a model")


def test_killed_at_each_of_its_steps_it_comes_to_the_same_end(fresh: ComposePlatform) -> None:
    up = ("up", "-d", "--wait", "--no-deps")
    fresh.compose(*up, "vault")
    kills = kill_through(fresh, "folders", "vault", "secrets")
    fresh.compose(*up, "postgres", "s3")
    kept_natively(fresh)
    kills |= kill_through(fresh, "databases", "s3", "artifacts")
    fresh.compose("up", "-d", "plane-migrator")
    fresh.compose(*up, "consul", "prefect", "plane-valkey", "plane-mq")
    fresh.compose(*up, "plane-api")
    kills |= kill_through(fresh, "consul", "prefect", "plane")
    services = Session("minimal", "").all_stacks()[0].services
    assert set(kills) == {step.name for step in STEPS if not step.needs or step.needs in services}
    assert min(kills.values()) > 0, kills
    fresh.compose("up", "-d", "--wait")
    checks.test_bootstrap_has_nothing_left_to_do(fresh)
    assert fresh.prefect("work_pools/default")["type"] == "process"


def test_a_first_initialisation_that_was_cut_off_is_completed(fresh: ComposePlatform) -> None:
    """The keys of Vault's first answer never reached the disk."""
    fresh.compose("up", "-d", "--wait", "--no-deps", "vault")
    (fresh.data / "vault" / "init.pending").touch()
    vault = f"http://127.0.0.1:{fresh.ports['VAULT']}/v1/sys/init"
    httpx.put(vault, json={"secret_shares": 1, "secret_threshold": 1}).raise_for_status()
    fresh.compose("up", "bootstrap-secrets")
    assert "cut off" in fresh.compose("logs", "bootstrap-secrets")
    assert not sealed(fresh)
    assert (fresh.data / "vault-keys" / "init.json").is_file()


def test_lost_keys_are_told_and_nothing_is_made_anew(fresh: ComposePlatform) -> None:
    fresh.compose("up", "-d", "--wait", "vault")
    fresh.compose("run", "--rm", "-T", "bootstrap-secrets")
    shutil.rmtree(fresh.data / "vault-keys")
    text = fresh.compose("run", "--rm", "-T", "--no-deps", "bootstrap-secrets", code=1)
    assert "vault-keys" in text
    assert "backup" in text
    assert (fresh.data / "vault" / "vault.db").is_file()


def test_what_native_has_made_is_taken_over(fresh: ComposePlatform) -> None:
    """Secrets of the file store go to Vault, and the files are gone afterwards."""
    FileStore(fresh.data / "secrets").write("mlflow", {"DATABASE_PASSWORD": "made-natively-1234"})
    fresh.compose("run", "--rm", "-T", "bootstrap-secrets")
    env = (fresh.data / "secrets" / "mlflow" / "env").read_text()
    assert "DATABASE_PASSWORD='made-natively-1234'" in env or "=made-natively-1234" in env
    assert not list((fresh.data / "secrets").glob("*.json"))


def test_an_installation_moves_from_native_to_the_engine(fresh: ComposePlatform) -> None:
    """Database, secrets, runs, models and their files; the next run loads the old champion."""
    for words in (["up"], ["run", checks.FLOW], ["down"]):
        fresh.run("--runtime", "native", *words)
    fresh.compose("up", "-d", "--wait")
    assert checks.versions(fresh) == [1]
    assert "The champion stays version 1" in fresh.run("run", checks.FLOW)
    assert "kept natively" in fresh.compose("logs", "bootstrap-stores")
