"""What the engine says of a container."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monolith.runtimes.compose import containers
from tests.unit.runtimes.compose.conftest import FOLDER, RECORDED, container, recorded


def test_every_recorded_container_is_read() -> None:
    found = containers.parse(RECORDED)
    states = {one.service: (one.state, one.exit_code, one.oom_killed) for one in found}
    assert states == {
        "badjob": ("exited", 3, False),
        "crash": ("restarting", 7, False),
        "hog": ("running", 0, True),
        "job": ("exited", 0, False),
        "nocmd": ("created", 127, False),
        "sick": ("running", 0, False),
        "web": ("running", 0, False),
    }


def test_a_running_container_has_ports_mounts_and_a_start() -> None:
    web = container("web")
    assert web.ports == {18080}
    assert web.sources == {Path("/srv/clone/data/web")}
    assert web.folder == FOLDER
    assert web.started > 1e9
    assert web.is_running


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0001-01-01T00:00:00Z", 0.0),
        ("2026-11-24T12:25:49Z", datetime(2026, 11, 24, 12, 25, 49, tzinfo=UTC).timestamp()),
        ("2026-11-24T12:25:49.5Z", datetime(2026, 11, 24, 12, 25, 49, 500000, UTC).timestamp()),
        (
            "2026-11-24T12:25:49.164455793Z",
            datetime(2026, 11, 24, 12, 25, 49, 164455, UTC).timestamp(),
        ),
    ],
)
def test_a_start_is_read_whatever_digits_the_engine_gives(text: str, expected: float) -> None:
    (found,) = containers.parse([recorded("web", StartedAt=text)])
    assert found.started == expected


def test_the_last_words_of_the_last_check_are_kept() -> None:
    assert container("sick").health_output == "no pulse"
    log = [{"Output": "old"}, {"Output": "first\nlast\n\n"}]
    (found,) = containers.parse([recorded("sick", Health={"Status": "unhealthy", "Log": log})])
    assert found.health_output == "last"


def test_starting_again_changes_the_mark_and_time_passing_does_not() -> None:
    assert container("web").mark == container("web", restarts=3, health="starting").mark
    assert container("web").mark != container("web", started=1.0).mark
    assert container("web").mark != container("web", id="another").mark


def test_mounts_tell_whose_data_it_is() -> None:
    assert container("web").uses(Path("/srv/clone/data"))
    assert not container("web").uses(Path("/srv/clone/dat"))
    assert not container("job").uses(Path("/srv/clone/data"))
