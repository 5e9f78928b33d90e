"""What the containers promise: limits, names, no secret on view, no change by a second up."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monolith.cli.session import Session
from monolith.settings import OWN
from tests.common.platform import ROOT, eventually
from tests.compose.conftest import ONE_SHOTS, ComposePlatform, docker

Containers = dict[str, dict[str, Any]]
_ERROR = re.compile(r"\b(ERROR|FATAL|PANIC|CRITICAL|Traceback)\b|\blevel=error\b|\[error\]")


def test_every_service_runs_and_is_healthy(platform: ComposePlatform) -> None:
    found = platform.containers()
    assert set(found) >= {"vault", "consul", "plane-web", "prefect-worker"}
    ended = {name: one["State"]["ExitCode"] for name, one in found.items() if name in ONE_SHOTS}
    assert len(ended) >= 3
    assert set(ended.values()) == {0}, ended


PROMISES: dict[str, Callable[[dict[str, Any]], object]] = {
    "memory limit": lambda one: one["HostConfig"]["Memory"] > 0,
    "log limit": lambda one: {"max-size", "max-file"} <= set(log_options(one)),
    "health check": lambda one: one["State"]["Health"]["Status"] == "healthy",
    "pinned tag": lambda one: re.search(r":.*\d+\.\d+|\d{4}-\d\d-\d\d", one["Config"]["Image"]),
    "restart policy": lambda one: one["HostConfig"]["RestartPolicy"]["Name"] != "no",
}


@pytest.mark.parametrize("promise", PROMISES)
def test_all_of_the_running_containers_have(platform: ComposePlatform, promise: str) -> None:
    running = platform.running()
    assert len(running) > 15
    assert [name for name, one in running.items() if not PROMISES[promise](one)] == []


def log_options(one: dict[str, Any]) -> dict[str, str]:
    return dict(one["HostConfig"]["LogConfig"]["Config"])


def test_no_container_has_the_socket_of_the_engine(platform: ComposePlatform) -> None:
    sources = [m["Source"] for one in platform.containers().values() for m in one["Mounts"]]
    assert sources
    assert [source for source in sources if source.endswith(".sock") or source == "/"] == []


def test_everything_is_published_on_loopback_only(platform: ComposePlatform) -> None:
    bindings = [
        binding["HostIp"]
        for one in platform.containers().values()
        for bound in one["HostConfig"]["PortBindings"].values()
        for binding in bound
    ]
    assert set(bindings) == {"127.0.0.1"}


def test_a_second_up_changes_nothing(platform: ComposePlatform) -> None:
    def identity() -> dict[str, tuple[str, str]]:
        return {n: (one["Id"], one["State"]["StartedAt"]) for n, one in platform.running().items()}

    before = identity()
    platform.compose("up", "-d", "--wait")
    assert identity() == before


def test_the_command_line_and_plain_compose_make_the_same_containers(
    platform: ComposePlatform,
) -> None:
    before = {name: one["Id"] for name, one in platform.running().items()}
    platform.run("up")
    assert {name: one["Id"] for name, one in platform.running().items()} == before


def test_every_name_is_found_by_every_other(platform: ComposePlatform) -> None:
    names = [f"{name}.service.consul" for name in platform.running()]
    code = "import socket, sys; [socket.gethostbyname(name) for name in sys.argv[1:]]"
    platform.inside("prefect", "python", "-c", code, *names)


def test_nothing_is_wrong_in_the_logs_at_rest(platform: ComposePlatform) -> None:
    """Half a minute without an error comes, whatever the tests before have done."""

    def errors() -> list[str]:
        lines = platform.compose("logs", "--no-color", "--since", "30s").splitlines()
        return [line for line in lines if _ERROR.search(line)]

    assert eventually(lambda: not errors(), 90), errors()


def places_on_view(platform: ComposePlatform) -> dict[str, str]:
    """Texts that others can read: inspection, logs, arguments, images, the code's history."""
    found = {f"inspect {n}": str(one) for n, one in platform.containers().items()}
    found["logs"] = platform.compose("logs", "--no-color")
    found["processes"] = docker_top(platform)
    for image in {one["Config"]["Image"] for one in platform.containers().values()}:
        found[f"history {image}"] = docker("history", "--no-trunc", image)
    git = ["git", "-C", str(ROOT), "log", "-p", "--all"]
    found["git"] = subprocess.run(git, capture_output=True, check=True).stdout.decode("latin-1")
    for words in (["status"], ["env"], ["logs", "-n", "500"], ["secrets", "list"], ["bootstrap"]):
        found[" ".join(words)] = platform.run(*words)
    return found


def docker_top(platform: ComposePlatform) -> str:
    ids = [one["Id"] for one in platform.running().values()]
    return "\n".join(docker("top", one, "-eo", "pid,args") for one in ids)


def test_no_secret_is_on_view(platform: ComposePlatform) -> None:
    values = {key: value for key, value in platform.secrets().items() if len(value) >= 16}
    assert len(values) > 20
    places = places_on_view(platform)
    leaks = [
        (where, key) for where, text in places.items() for key, v in values.items() if v in text
    ]
    assert leaks == []


def own(platform: ComposePlatform) -> dict[str, dict[str, Any]]:
    """The containers whose images are not looked at with the minimal stack."""
    small = {} if platform.stack == "minimal" else Session("minimal", "").all_stacks()[0].services
    return {name: one for name, one in platform.running().items() if name not in small}


def test_no_secret_is_in_an_image_or_a_layer(platform: ComposePlatform, tmp_path: Path) -> None:
    for name, one in platform.running().items():
        changed = docker("diff", one["Id"]).split()
        assert not [path for path in changed if path.startswith("/secrets/")], name
    # Is in every image, so that a search which finds nothing is seen.
    control = "os-release"
    values = [value for value in platform.secrets().values() if len(value) >= 16]
    (tmp_path / "patterns").write_text("\n".join([control, *values]))
    images = {one["Config"]["Image"] for one in own(platform).values()}
    found = subprocess.run(
        ["sh", "-c", 'docker save "$@" | LC_ALL=C grep -aoFf patterns | sort -u', "", *images],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert found == [control]


def test_env_files_are_closed(platform: ComposePlatform) -> None:
    for path in (platform.root / "data" / "secrets").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
        for file in path.glob("env"):
            assert file.stat().st_mode & 0o777 == 0o600, file
    for file in (platform.root / "data" / "vault-keys").iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file


def test_settings_of_the_command_line_reach_no_container(platform: ComposePlatform) -> None:
    for name, one in platform.running().items():
        names = {entry.split("=")[0] for entry in one["Config"]["Env"]}
        if not name.startswith(("bootstrap", "portal")):
            assert names.isdisjoint(OWN), name


def test_mlflow_has_its_tables_before_the_first_request(platform: ComposePlatform) -> None:
    """Two first requests at once would each make them, and wait for each other without end."""
    code = (
        "import sys; sys.path.insert(0, '/config'); import proxied, sqlite3; "
        "print(sqlite3.connect('/tmp/new.db').execute('SELECT * FROM alembic_version').fetchall())"
    )
    found = platform.compose(
        "run", "--rm", "--no-deps", "-T", "--entrypoint", "python",
        "-e", "_MLFLOW_SERVER_FILE_STORE=sqlite:////tmp/new.db", "mlflow", "-c", code,
    )  # fmt: skip
    assert re.search(r"\[\('[0-9a-f]{12}',\)\]", found), found
