"""Looking at processes, and ending the ones that are ours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from monolith.runtimes.native import processes
from monolith.runtimes.native.places import INSTANCE, PREPARE
from tests.unit.conftest import python

SLEEP = "import time; print('runs', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


def started(code: str, **environment: str) -> subprocess.Popen[str]:
    child = python(code, **environment)
    assert child.stdout
    assert child.stdout.readline() == "runs\n"
    return child


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[str]]]:
    made: list[subprocess.Popen[str]] = []
    yield made
    for child in made:
        child.kill()
        child.communicate()


def test_memory_is_that_of_a_process_and_its_children(
    children: list[subprocess.Popen[str]],
) -> None:
    child = started(SLEEP)
    children.append(child)
    alone = processes.tree_memory(child.pid)
    assert alone > 2**20
    assert processes.tree_memory(os.getpid()) > alone


def test_a_process_that_is_gone_takes_no_memory(children: list[subprocess.Popen[str]]) -> None:
    child = started(SLEEP)
    child.kill()
    child.communicate()
    assert processes.tree_memory(child.pid) == 0


def test_processes_are_found_by_their_mark(
    tmp_path: Path, children: list[subprocess.Popen[str]]
) -> None:
    mine, other = str(tmp_path / "mine"), str(tmp_path / "other")
    service = started(SLEEP, **{INSTANCE: mine})
    helper = started(SLEEP, **{INSTANCE: mine, PREPARE: "1"})
    children += [service, helper, started(SLEEP, **{INSTANCE: other}), started(SLEEP)]
    found = {process.pid for process in processes.of_instance(mine)}
    assert found == {service.pid, helper.pid}
    prepared = processes.of_instance(mine, prepare_only=True)
    assert [process.pid for process in prepared] == [helper.pid]


def test_a_command_that_carries_the_mark_does_not_find_itself(tmp_path: Path) -> None:
    code = """
from monolith.runtimes.native import processes
import os
print(processes.of_instance(os.environ["_MONOLITH_INSTANCE"]))
"""
    assert python(code, **{INSTANCE: str(tmp_path)}).communicate()[0] == "[]\n"


@pytest.mark.parametrize("code", [SLEEP, STUBBORN])
def test_ending_ends_also_what_does_not_listen(
    code: str, tmp_path: Path, children: list[subprocess.Popen[str]]
) -> None:
    children.append(started(code, **{INSTANCE: str(tmp_path)}))
    assert processes.end(processes.of_instance(str(tmp_path)), patience=0.5) == 1
    assert processes.of_instance(str(tmp_path)) == []


def test_ending_nothing_is_nothing() -> None:
    assert processes.end([]) == 0
