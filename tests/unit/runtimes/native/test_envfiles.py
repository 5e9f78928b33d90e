"""A program's environment file, and how it is seen that other secrets are in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from monolith.runtimes.native import envfiles
from monolith.runtimes.native.places import Places
from tests.unit.runtimes.native.conftest import MakeProgram

PLACES = Places(Path("/data"))


@pytest.mark.parametrize(
    ("environment", "secrets", "caller", "same"),
    [
        ({"A": "1"}, {"KEY": "x"}, {}, True),
        ({"A": "1"}, {"KEY": "y"}, {}, False),
        ({"A": "1"}, {}, {}, False),
        ({"A": "2"}, {"KEY": "x"}, {}, True),
        ({"A": "1"}, {"KEY": "x"}, {"LANG": "xx"}, True),
    ],
)
def test_only_other_secrets_make_it_another_file(
    make_program: MakeProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str], secrets: dict[str, str], caller: dict[str, str], same: bool,
) -> None:  # fmt: skip
    path = tmp_path / "env"
    path.write_text(envfiles.text(make_program(environment={"A": "1"}), {"KEY": "x"}, PLACES))
    for name, value in caller.items():
        monkeypatch.setenv(name, value)
    wanted = envfiles.text(make_program(environment=environment), secrets, PLACES)
    assert envfiles.has_same_secrets(path, wanted) == same


def test_without_a_file_there_are_no_secrets(make_program: MakeProgram, tmp_path: Path) -> None:
    wanted = envfiles.text(make_program(), {}, PLACES)
    assert not envfiles.has_same_secrets(tmp_path / "env", wanted)


def test_secrets_win(make_program: MakeProgram) -> None:
    text = envfiles.text(make_program(environment={"A": "1"}), {"A": "it's"}, PLACES)
    assert "A='it'\"'\"'s'\n" in text
    assert "A=1" not in text
