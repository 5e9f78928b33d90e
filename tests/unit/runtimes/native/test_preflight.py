"""What would go wrong is told before anything is started."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from monolith.errors import UserError
from monolith.runtimes.native import preflight
from monolith.runtimes.native.places import Places
from monolith.runtimes.native.supervisor import Supervisor
from tests.unit.runtimes.native.conftest import MakeProgram


def test_a_missing_data_folder_is_made(tmp_path: Path) -> None:
    preflight.own_data(tmp_path / "new" / "data")
    assert (tmp_path / "new" / "data").is_dir()


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(UserError, match="cannot be used") as caught:
        preflight.own_data(tmp_path / "data")
    assert "MONOLITH_DATA" in caught.value.problems[0].next


def test_a_data_folder_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = os.geteuid()
    monkeypatch.setattr("os.geteuid", lambda: 54321)
    with pytest.raises(UserError, match="somebody else") as caught:
        preflight.own_data(tmp_path)
    assert caught.value.problems[0].found == f"it belongs to user {me}, you are user 54321"


def test_every_taken_port_is_named_with_its_holder_and_the_setting(
    tmp_path: Path, make_program: MakeProgram
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        taken = make_program(ports={port: "MONOLITH_WEB_PORT"})
        with pytest.raises(UserError, match="Nothing was started") as caught:
            preflight.free_ports([taken, taken], Supervisor(Places(tmp_path)))
    first, _ = caught.value.problems
    assert str(port) in first.expected
    assert f"pid {os.getpid()}" in first.found
    assert "MONOLITH_WEB_PORT=" in first.next
    proposed = int(first.next.split("=")[1].split()[0])
    assert 1024 < proposed < 65536


def test_free_ports_are_no_problem(tmp_path: Path, make_program: MakeProgram) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    preflight.free_ports([make_program(ports={port: ""})], Supervisor(Places(tmp_path)))


def test_a_cache_in_which_mlflow_would_not_start_is_refused(tmp_path: Path) -> None:
    preflight.usable_cache(tmp_path / "it's fine")
    with pytest.raises(UserError, match="MONOLITH_CACHE"):
        preflight.usable_cache(tmp_path / "100% cache")
