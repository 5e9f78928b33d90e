"""A stranger's machine: a fresh clone, an ordinary user, an empty cache, a home of its own."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.native.conftest import Platform, clone

USER = "monolith-test"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def ordinary_user() -> pwd.struct_passwd:
    """A user without rights, made when missing."""
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", USER], check=True)
    return pwd.getpwnam(USER)


@pytest.fixture
def stranger(base: Path) -> Iterator[Platform]:
    """A platform in a clone that belongs to an ordinary user, run by it."""
    account, folder = ordinary_user(), base.with_name("a stranger's folder")
    home = folder / "home"
    home.mkdir(parents=True)
    root = clone(folder / "the platform")
    subprocess.run(["chown", "-R", f"{account.pw_uid}:{account.pw_gid}", str(folder)], check=True)
    ids = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    platform = Platform(root / "data", root, ["setpriv", *ids])
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    platform.extra |= {
        "HOME": str(home),
        "USER": USER,
        "PATH": path,
        "MONOLITH_DATA": "",
        "MONOLITH_CACHE": "",
    }
    yield platform
    platform.end()


@needs_root
def test_one_command_from_clone_to_champion_for_an_ordinary_user(stranger: Platform) -> None:
    text = stranger.run("demo")
    assert "digits version 1 is the new champion" in text
    assert "Warning" not in text
    owners = {process.username() for process in stranger.processes()}
    assert owners == {USER}
    home = Path(stranger.extra["HOME"])
    assert [path.name for path in home.iterdir()] == [".cache"]
    stranger.run("down")
    assert stranger.processes() == []


@needs_root
def test_root_may_run_it_from_a_folder_that_is_closed_to_others(base: Path) -> None:
    closed = base / "closed"
    closed.mkdir(mode=0o700)
    platform = Platform(closed / "data")
    try:
        platform.run("up")
        assert platform.healthy()
    finally:
        platform.end()
