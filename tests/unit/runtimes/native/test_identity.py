"""Running a service as a user of its own, with no more rights than it needs."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from monolith.errors import UserError
from monolith.runtimes.native import identity
from tests.unit.conftest import as_root

USER = "nobody"
has_setpriv = pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv")


@pytest.fixture
def open_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder to which everybody may walk."""
    folder = Path(f"/tmp/monolith-test-{os.getpid()}-{tmp_path.name}")
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def closed_folder(open_folder: Path) -> Path:
    """A folder below one that is open to root only."""
    folder = open_folder / "private" / "data"
    folder.mkdir(parents=True)
    folder.parent.chmod(0o700)
    (folder / "file").write_text("content")
    return folder


def test_an_ordinary_user_runs_everything_as_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert identity.prefix(USER, [tmp_path]) == []


def test_a_service_without_a_user_of_its_own_runs_as_root(tmp_path: Path) -> None:
    assert identity.prefix("", [tmp_path]) == []


def test_without_setpriv_root_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UserError, match="setpriv") as caught:
        identity.prefix(USER, [])
    assert "util-linux" in caught.value.hint


@as_root
@has_setpriv
def test_where_the_user_may_walk_no_capability_is_given(open_folder: Path) -> None:
    words = identity.prefix(USER, [open_folder / "data"])
    assert [word for word in words if "caps" in word] == ["--inh-caps=-all"]
    assert f"--reuid={pwd.getpwnam(USER).pw_uid}" in words


@as_root
@has_setpriv
def test_where_it_may_not_walk_it_gets_exactly_the_right_to_search_and_read(
    closed_folder: Path,
) -> None:
    words = identity.prefix(USER, [closed_folder])
    assert [word for word in words if "caps" in word] == [
        "--inh-caps=-all,+dac_read_search",
        "--ambient-caps=+dac_read_search",
    ]


@as_root
@has_setpriv
def test_a_link_is_followed_to_where_the_user_has_to_walk(
    open_folder: Path, closed_folder: Path
) -> None:
    link = open_folder / "link"
    link.symlink_to(closed_folder)
    assert any("ambient" in word for word in identity.prefix(USER, [link]))


def run(words: list[str], script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [*words, "/bin/sh", "-c", script, "sh", *map(str, arguments)]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)


@as_root
@has_setpriv
def test_the_process_is_that_user_and_can_never_become_another(open_folder: Path) -> None:
    words = identity.prefix(USER, [open_folder])
    result = run(words, "id -un; id -Gn; grep -E 'Cap(Eff|Prm|Inh|Amb)' /proc/self/status")
    name, groups, *capabilities = result.stdout.splitlines()
    group = pwd.getpwnam(USER).pw_gid
    assert (name, len(groups.split())) == (USER, 1)
    assert group == int(run(words, "id -g").stdout)
    assert {int(line.split()[1], 16) for line in capabilities} == {0}


@as_root
@has_setpriv
def test_behind_a_private_folder_it_can_read_and_cannot_write(closed_folder: Path) -> None:
    words, file = identity.prefix(USER, [closed_folder]), closed_folder / "file"
    if run(words, "true").returncode:
        pytest.skip("this root may not hand on capabilities")
    assert run(words, 'cat "$1"', file).stdout == "content"
    assert run(words, 'echo changed >"$1"', file).returncode != 0
    assert run(words, 'rm -f "$1"; touch "$1.new"', file).returncode != 0
    assert [path.name for path in closed_folder.iterdir()] == ["file"]
    assert file.read_text() == "content"


@as_root
def test_everything_below_a_folder_is_given_to_the_user(open_folder: Path) -> None:
    inner = open_folder / "data" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    outside = open_folder / "outside"
    outside.touch()
    (inner / "link").symlink_to(outside)
    identity.own(open_folder / "data", USER)
    owner = pwd.getpwnam(USER).pw_uid
    for path in (inner.parent, inner, inner / "file", inner / "link"):
        assert path.lstat().st_uid == owner
    assert outside.stat().st_uid == 0
