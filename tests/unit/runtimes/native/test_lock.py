"""One command at a time changes the platform."""

from __future__ import annotations

import getpass
import stat
from pathlib import Path

import pytest

from monolith.errors import UserError
from monolith.runtimes.native.lock import hold
from tests.unit.conftest import as_root, python

HOLD = """
import pathlib, sys, time
from monolith.runtimes.native.lock import hold
with hold(pathlib.Path(sys.argv[1]), "restart"):
    print("held", flush=True)
    time.sleep(600)
"""
TAKE = """
import os, pathlib, sys, time
from monolith.errors import UserError
from monolith.runtimes.native.lock import hold
lock, inside, deadline = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), time.time() + 60
while time.time() < deadline:
    try:
        with hold(lock, "up"):
            inside.mkdir()
            time.sleep(0.005)
            inside.rmdir()
            sys.exit("done")
    except UserError:
        time.sleep(0.001)
"""
HOLD_AS_ANOTHER = """
import os, pathlib, sys
from monolith.errors import UserError
from monolith.runtimes.native.lock import hold
os.setresuid(12345, 12345, 12345)
try:
    with hold(pathlib.Path(sys.argv[1]), "up"):
        pass
except UserError as error:
    sys.exit(f"told: {error}")
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "data" / "native" / "lock"


def test_the_second_is_told_who_holds_it_since_when_and_with_what(lock: Path) -> None:
    holder = python(HOLD, lock)
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(UserError) as caught, hold(lock, "up"):
        pass
    text = str(caught.value)
    for part in ("`monolith restart`", f"pid {holder.pid}", f"user {getpass.getuser()}", "since 2"):
        assert part in text
    assert caught.value.hint
    holder.kill()
    holder.communicate()


def test_it_is_free_when_its_holder_was_killed(lock: Path) -> None:
    holder = python(HOLD, lock)
    assert holder.stdout
    holder.stdout.readline()
    holder.kill()
    holder.communicate()
    with hold(lock, "up"):
        pass


def test_it_is_free_after_an_error(lock: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold(lock, "up"):
        raise ZeroDivisionError
    with hold(lock, "up"):
        pass


def test_of_twenty_at_once_each_comes_in_alone(lock: Path, tmp_path: Path) -> None:
    racers = [python(TAKE, lock, tmp_path / "inside") for _ in range(20)]
    ends = [racer.communicate()[1].strip() for racer in racers]
    assert ends == ["done"] * 20


def test_a_program_started_inside_does_not_keep_it(lock: Path) -> None:
    with hold(lock, "up"):
        child = python("import time; print('runs', flush=True); time.sleep(600)")
        assert child.stdout
        child.stdout.readline()
    with hold(lock, "down"):
        pass
    child.kill()
    child.communicate()


def test_the_folder_it_lies_in_is_private(lock: Path) -> None:
    with hold(lock, "up"):
        assert stat.S_IMODE(lock.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null"])
def test_a_holder_that_has_not_signed_yet_is_another_command(lock: Path, content: str) -> None:
    with hold(lock, "up"):
        lock.write_text(content)
        with pytest.raises(UserError, match="by another command"), hold(lock, "down"):
            pass


@as_root
def test_a_folder_of_another_user_is_told_and_is_no_bug(lock: Path) -> None:
    lock.parent.mkdir(parents=True)
    _, text = python(HOLD_AS_ANOTHER, lock).communicate()
    assert text.startswith("told:")
    assert "MONOLITH_DATA" in text
