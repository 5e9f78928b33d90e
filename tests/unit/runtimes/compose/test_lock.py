"""One command at a time changes the containers of a clone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from monolith.errors import UserError
from monolith.runtimes.compose.lock import hold
from tests.common.platform import open_to_others
from tests.unit.conftest import as_root, python

HOLD = """
import pathlib, sys, time
sys.argv[1:1] = []
from monolith.runtimes.compose.lock import hold
with hold(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""
HOLD_AS_ANOTHER = """
import os, pathlib, sys
from monolith.runtimes.compose.lock import hold
os.setresuid(12345, 12345, 12345)
with hold(pathlib.Path(sys.argv[1])):
    sys.exit("held")
"""


def test_the_second_is_told_who_holds_it(tmp_path: Path) -> None:
    holder = python(HOLD, tmp_path, "monolith", "up")
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(UserError) as caught, hold(tmp_path):
        pass
    holder.kill()
    holder.communicate()
    assert f"`monolith up` (pid {holder.pid}, user " in caught.value.message
    with hold(tmp_path):
        pass


def test_it_is_held_until_the_command_that_was_started_under_it_has_ended(tmp_path: Path) -> None:
    with hold(tmp_path) as lock:
        child = subprocess.Popen(["sleep", "600"], pass_fds=[lock])
    with pytest.raises(UserError, match="is being changed"), hold(tmp_path):
        pass
    child.kill()
    child.wait()
    with hold(tmp_path):
        pass


@as_root
def test_whoever_can_read_the_clone_can_take_it(tmp_path: Path) -> None:
    open_to_others(tmp_path)
    _, err = python(HOLD_AS_ANOTHER, tmp_path).communicate()
    assert err.strip() == "held"
