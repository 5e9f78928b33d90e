"""Rows of `status`, and what `up` makes of a container."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from monolith.manifest.stack import Stack
from monolith.runtimes.base import ServiceStatus
from monolith.runtimes.compose import containers, status
from tests.unit.runtimes.compose.conftest import RECORDED, container

NAMES = ("web", "job", "sick", "hog", "badjob", "crash", "nocmd")
Make = Callable[..., Stack]


def rows(stack: Stack, **memory: int) -> dict[str, ServiceStatus]:
    found = containers.parse(RECORDED)
    sizes = {one.id: memory[one.service] for one in found if one.service in memory}
    now = container("web").started + 90
    return {row.name: row for row in status.rows(stack, found, sizes, now)}


def test_every_kind_of_container_is_a_row(make: Make) -> None:
    found = rows(make(*NAMES, "new"))
    states = {name: (row.state, row.reason) for name, row in found.items()}
    assert states == {
        "web": ("healthy", ""),
        "job": ("done", ""),
        "sick": ("unhealthy", "its check fails: no pulse"),
        "hog": ("healthy", ""),
        "badjob": ("unhealthy", "exit code 3"),
        "crash": ("unhealthy", "exit code 7, is started again"),
        "nocmd": ("unhealthy", container("nocmd").error),
        "new": ("stopped", ""),
    }
    assert list(found) == [*NAMES, "new"]
    assert "no such file" in found["nocmd"].reason


def test_a_row_has_memory_against_the_cap_uptime_and_where_it_is_reached(make: Make) -> None:
    row = rows(make("web"), web=5_000_000)["web"]
    assert (row.memory, row.memory_limit) == (5_000_000, 64 << 20)
    assert (row.uptime, row.pid, row.address) == (90.0, 4711, "127.0.0.1:18080")


def test_restarts_and_memory_that_ran_out_are_counted(make: Make) -> None:
    found = rows(make("hog", "crash", "web"))
    assert (found["hog"].restarts, found["hog"].oom_killed) == (2, True)
    assert (found["crash"].restarts, found["crash"].oom_killed) == (6, False)
    assert (found["web"].restarts, found["web"].oom_killed) == (0, False)


@pytest.mark.parametrize(
    ("name", "changes", "state", "reason"),
    [
        ("web", {"health": "starting"}, "starting", ""),
        ("web", {"health": ""}, "healthy", ""),
        ("web", {"state": "paused"}, "unhealthy", "it is paused"),
        ("web", {"state": "exited", "exit_code": 137}, "stopped", ""),
        ("web", {"state": "created"}, "stopped", ""),
        ("job", {"state": "running"}, "starting", ""),
        ("job", {"state": "created"}, "stopped", ""),
        ("job", {"exit_code": 137, "oom_killed": True}, "unhealthy",
         "exit code 137, out of memory"),
        ("sick", {"health_output": ""}, "unhealthy", "its check fails"),
    ],
)  # fmt: skip
def test_states(make: Make, name: str, changes: dict[str, Any], state: str, reason: str) -> None:
    entry = make(*NAMES).service(name)
    assert status.state_of(entry, container(name, **changes)) == (state, reason)


@pytest.mark.parametrize(
    ("name", "changes", "before", "reason"),
    [
        ("web", {}, 0, ""),
        ("web", {"health": "starting", "restarts": 4}, 0, ""),
        ("web", {"health": "starting", "restarts": 5}, 0, "it has ended 5 times"),
        ("web", {"health": "starting", "restarts": 9}, 5, ""),
        ("web", {"restarts": 9}, 0, ""),
        ("crash", {}, 0, "exit code 7, it has ended 6 times"),
        ("crash", {"restarts": 1}, 0, ""),
        ("sick", {}, 0, "its check fails: no pulse"),
        ("badjob", {}, 0, "exit code 3"),
        ("job", {}, 0, ""),
    ],
)
def test_what_waiting_does_not_mend(
    make: Make, name: str, changes: dict[str, Any], before: int, reason: str
) -> None:
    entry = make(*NAMES).service(name)
    assert status.failure(entry, container(name, **changes), before) == reason


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("web", {}, ("healthy", True)),
        ("job", {}, ("done", True)),
        ("web", {"health": "starting"}, ("starting", False)),
        ("web", {"state": "created"}, ("waiting", False)),
        ("crash", {}, ("unhealthy: exit code 7, is started again", False)),
    ],
)
def test_progress(
    make: Make, name: str, changes: dict[str, Any], expected: tuple[str, bool]
) -> None:
    entry = make(*NAMES).service(name)
    assert status.progress(entry, container(name, **changes)) == expected
