"""How a service is, from what the engine and Consul say of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monolith.portal.status import picture, state_of
from tests.unit.portal.samples import CARDS, NOW, card, container, pictured, said, troubled

CARD = card("mlflow")


@pytest.mark.parametrize(
    ("keys", "passes", "state", "reason"),
    [
        ({}, True, "healthy", ""),
        ({}, False, "unhealthy", "it does not answer"),
        ({"health": "starting"}, False, "starting", ""),
        ({"health": "unhealthy"}, True, "healthy", ""),
        ({"health": "unhealthy"}, None, "unhealthy", "its check fails"),
        ({"health": ""}, None, "healthy", ""),
        ({"running": False, "exit_code": 1}, True, "stopped", "exit code 1"),
        (
            {"running": False, "exit_code": 137, "oom_killed": True},
            True, "stopped", "exit code 137, out of memory",
        ),
        ({"running": False, "started": 0.0}, None, "stopped", "it has not started yet"),
        ({"restarting": True, "exit_code": 1}, True, "unhealthy", "exit code 1, is started again"),
        ({"paused": True}, True, "unhealthy", "it is paused"),
    ],
)  # fmt: skip
def test_the_state_of_a_service(
    keys: dict[str, Any], passes: bool | None, state: str, reason: str
) -> None:
    checks = None if passes is None else {CARD.check: passes}
    assert state_of(CARD, {"mlflow": container("mlflow", **keys)}, checks) == (state, reason)


@pytest.mark.parametrize(
    ("keys", "state"),
    [
        ({"running": False}, "done"),
        ({"running": False, "exit_code": 2}, "unhealthy"),
        ({"running": False, "started": 0.0}, "unhealthy"),
        ({}, "starting"),
    ],
)
def test_the_state_of_a_service_that_ends(keys: dict[str, Any], state: str) -> None:
    one = card("setup", ends=True, check="")
    assert state_of(one, {"setup": container("setup", health="", **keys)}, {})[0] == state


def test_without_a_container_it_is_stopped_whatever_consul_remembers() -> None:
    assert state_of(CARD, {}, {CARD.check: True}) == ("stopped", "it has no container")


def test_without_the_engine_consul_is_believed_and_without_both_nobody() -> None:
    assert state_of(CARD, None, {CARD.check: True})[0] == "healthy"
    assert state_of(CARD, None, {CARD.check: False})[0] == "unhealthy"
    assert state_of(CARD, None, {}) == ("unknown", "Consul does not know it")
    assert state_of(CARD, None, None)[0] == "unknown"


@pytest.mark.parametrize(
    ("keys", "state", "reason"),
    [
        ({}, "unknown", "Consul does not know it"),
        ({"health": ""}, "unknown", "Consul does not know it"),
        ({"health": "starting"}, "starting", ""),
        ({"health": "unhealthy"}, "unhealthy", "its check fails"),
        ({"running": False}, "stopped", "exit code 0"),
    ],
)
def test_what_consul_should_know_and_does_not_is_not_well(
    keys: dict[str, Any], state: str, reason: str
) -> None:
    """Its route is gone, whatever the engine says."""
    found = state_of(CARD, {"mlflow": container("mlflow", **keys)}, {"another answers": True})
    assert found == (state, reason)


def test_what_consul_does_not_ask_is_as_the_engine_says() -> None:
    worker = card("worker", check="")
    assert state_of(worker, {"worker": container("worker")}, {"another answers": True}) == (
        "healthy", "",
    )  # fmt: skip


def test_before_anything_is_registered_all_of_it_starts() -> None:
    found = state_of(CARD, {"mlflow": container("mlflow")}, {})
    assert found == ("starting", "Consul does not know it yet")


def test_memory_is_of_the_container_that_runs() -> None:
    rows = {row.card.name: row for row in pictured().rows}
    assert rows["mlflow"].memory == 32 << 20
    assert rows["setup"].memory == 0
    assert rows["setup"].memory_limit == 64 << 20


def test_all_of_it_is_json_and_says_whether_all_is_well() -> None:
    well, bad = pictured().as_dict(), troubled().as_dict()
    assert well["healthy"] and not bad["healthy"]
    assert json.loads(json.dumps(well)) == well
    assert [one["name"] for one in well["services"]] == [one.name for one in CARDS]
    assert bad["champions"] is None and bad["silent"] == ["mlflow"]


def test_nothing_known_is_no_error() -> None:
    from monolith.portal.status import Said

    found = picture(pictured().catalogue, Said(), NOW)
    assert {row.state for row in found.rows} == {"unknown"}
    assert said().containers
