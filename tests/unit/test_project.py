"""Where things are."""

from __future__ import annotations

from pathlib import Path

import pytest

from monolith import project
from monolith.settings import Settings
from tests.unit.conftest import ROOT


def with_data(value: str) -> project.Project:
    return project.find(Settings({"MONOLITH_DATA": value}))


def test_data_is_beside_the_code_unless_chosen(tmp_path: Path) -> None:
    assert project.find().data == project.find(Settings({})).data == ROOT / "data"
    assert with_data("").data == ROOT / "data"
    assert with_data(str(tmp_path)).data == tmp_path


@pytest.mark.parametrize(
    ("user", "variables", "expected"),
    [
        (0, {}, "/var/cache/monolith"),
        (0, {"XDG_CACHE_HOME": "/root/cache"}, "/var/cache/monolith"),
        (1000, {"HOME": "/home/somchai"}, "/home/somchai/.cache/monolith"),
        (1000, {"XDG_CACHE_HOME": "/big/cache"}, "/big/cache/monolith"),
        (0, {"MONOLITH_CACHE": "/shared"}, "/shared"),
        (1000, {"MONOLITH_CACHE": "/shared", "XDG_CACHE_HOME": "/big/cache"}, "/shared"),
    ],
)
def test_programs_are_kept_where_the_user_of_the_platform_can_share_them(
    user: int, variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    own = {name: value for name, value in variables.items() if name.startswith("MONOLITH_")}
    assert project.find(Settings(own)).cache == Path(expected)


def test_the_cache_can_be_chosen_in_the_file_of_settings() -> None:
    assert project.find(Settings({"MONOLITH_CACHE": "/shared"})).cache == Path("/shared")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("minimal", ROOT / "docker-compose" / "docker-compose.minimal.yaml"),
        ("/srv/my.yaml", Path("/srv/my.yaml")),
        ("/srv/my.yml", Path("/srv/my.yml")),
    ],
)
def test_a_stack_is_a_name_or_a_file(name: str, expected: Path) -> None:
    assert project.find().stack_file(name) == expected
