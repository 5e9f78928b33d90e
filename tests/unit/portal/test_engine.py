"""What the engine keeps of containers in its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monolith.portal import engine

PROJECT = "monolith"


def write(
    folder: Path, key: str, service: str, project: str = PROJECT, **state: Any
) -> dict[str, Any]:
    """A container's files as Docker writes them."""
    content = {
        "ID": key,
        "Created": state.pop("Created", "2026-11-24T15:53:12.480458779Z"),
        "RestartCount": 3,
        "State": {
            "Running": True, "Paused": False, "Restarting": False, "OOMKilled": False,
            "ExitCode": 0, "StartedAt": "2026-11-24T15:53:13.55837495Z",
            "Health": {"Status": "healthy"}, **state,
        },
        "Config": {"Labels": {
            "com.docker.compose.project": project, "com.docker.compose.service": service,
        }},
    }  # fmt: skip
    (folder / key).mkdir(parents=True)
    (folder / key / "config.v2.json").write_text(json.dumps(content))
    return content


def test_the_containers_of_the_own_project_are_taken(tmp_path: Path) -> None:
    write(tmp_path, "aa11", "portal")
    write(tmp_path, "bb22", "mlflow")
    write(tmp_path, "cc33", "mlflow", "another")
    assert engine.project_of(tmp_path, "aa1") == PROJECT
    found = engine.containers(tmp_path, PROJECT)
    assert {name: one.id for name, one in found.items()} == {"portal": "aa11", "mlflow": "bb22"}
    assert found["mlflow"].health == "healthy"
    assert found["mlflow"].restarts == 3
    assert found["mlflow"].started == 1795535593


def test_no_project_where_the_container_is_not_known(tmp_path: Path) -> None:
    write(tmp_path, "aa11", "portal")
    assert engine.project_of(tmp_path, "ff") == ""
    assert engine.project_of(tmp_path / "nothing", "aa") == ""


def test_of_several_containers_the_newest_counts(tmp_path: Path) -> None:
    write(tmp_path, "aa", "mlflow", Created="2026-11-24T15:00:00Z")
    write(tmp_path, "bb", "mlflow", Created="2026-11-24T16:00:00Z")
    write(tmp_path, "cc", "mlflow", Created="2026-11-24T14:00:00Z")
    assert engine.containers(tmp_path, PROJECT)["mlflow"].id == "bb"


def test_what_compose_runs_once_is_no_service(tmp_path: Path) -> None:
    content = write(tmp_path, "aa", "mlflow")
    content["Config"]["Labels"]["com.docker.compose.oneoff"] = "True"
    (tmp_path / "aa" / "config.v2.json").write_text(json.dumps(content))
    assert engine.containers(tmp_path, PROJECT) == {}


def test_half_removed_and_foreign_files_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "aa", "mlflow")
    for name, text in {"bb": "", "cc": "[]", "dd": "{}"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.v2.json").write_text(text)
    (tmp_path / "ee").mkdir()
    assert set(engine.containers(tmp_path, PROJECT)) == {"mlflow"}


def test_a_container_without_check_and_never_started(tmp_path: Path) -> None:
    write(tmp_path, "aa", "job", Health=None, StartedAt="0001-01-01T00:00:00Z", Running=False)
    found = engine.containers(tmp_path, PROJECT)["job"]
    assert (found.health, found.started, found.runs) == ("", 0.0, False)


def test_the_log_is_all_of_its_files(tmp_path: Path) -> None:
    write(tmp_path, "aa", "mlflow")
    (tmp_path / "aa" / "aa-json.log").write_bytes(b"x" * 10)
    (tmp_path / "aa" / "aa-json.log.1").write_bytes(b"x" * 5)
    (tmp_path / "aa" / "local-logs").mkdir()
    (tmp_path / "aa" / "local-logs" / "container.log").write_bytes(b"x")
    assert engine.containers(tmp_path, PROJECT)["mlflow"].log_bytes == 16
