"""Where the native runtime's own files are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from monolith.runtimes.native.places import Places

SHORT, LONG = Path("/srv/data"), Path("/srv") / ("long-" * 30) / "data"
THAI = Path("/srv") / ("ที่" * 12)


def test_the_socket_is_in_the_data_folder_where_its_path_is_short() -> None:
    assert Places(SHORT).socket == SHORT / "native" / "supervisor.sock"


@pytest.mark.parametrize("data", [LONG, THAI])
def test_a_path_too_long_for_the_kernel_is_replaced_by_a_short_one(data: Path) -> None:
    path = Places(data).socket
    assert not path.is_relative_to(data)
    assert len(os.fsencode(path)) <= 100
    assert path.parent.name.startswith(f"monolith-{os.geteuid()}-")


def test_each_data_folder_has_a_socket_of_its_own() -> None:
    assert Places(LONG / "a").socket != Places(LONG / "b").socket


def test_every_command_finds_the_same_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Places(LONG).socket
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert Places(LONG).socket == before


def test_everything_else_is_below_the_data_folder() -> None:
    places = Places(LONG)
    for path in (
        places.state, places.logs, places.secrets, places.lock, places.configuration,
        places.routes, places.env_file("web"), places.log("web"),
    ):  # fmt: skip
        assert path.is_relative_to(LONG)
