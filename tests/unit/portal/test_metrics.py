"""Prometheus' text, read back by Prometheus' own library."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monolith.cgroups import Usage
from monolith.portal import metrics
from monolith.portal.status import Picture, Said, picture
from tests.unit.portal.samples import NOW, container, pictured, said, troubled

Values = dict[tuple[str, str], float]


def values(shown: Picture) -> Values:
    """(name, service, state or status) -> value."""
    text = metrics.text(shown).decode()
    return {
        (sample.name, next((sample.labels[k] for k in ("service", "state", "status")
                            if k in sample.labels), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }  # fmt: skip


def test_containers_have_the_names_that_cadvisor_gives() -> None:
    found = values(pictured())
    assert found["container_memory_working_set_bytes", "mlflow"] == 32 << 20
    assert found["container_spec_memory_limit_bytes", "mlflow"] == 64 << 20
    assert found["container_cpu_usage_seconds_total", "mlflow"] == 1.5
    assert found["container_start_time_seconds", "mlflow"] == NOW - 100
    assert found["container_restarts_total", "mlflow"] == 0
    assert found["container_oom_kills_total", "mlflow"] == 0
    assert found["container_log_bytes", "mlflow"] == 10
    assert ("container_memory_working_set_bytes", "setup") not in found


def test_every_metric_of_a_service_says_which_stack_it_is_of() -> None:
    for family in text_string_to_metric_families(metrics.text(pictured()).decode()):
        for sample in family.samples:
            assert "service" not in sample.labels or sample.labels["stack"] == "minimal"


def test_health_is_1_or_0_and_not_told_where_nobody_knows() -> None:
    found = values(troubled())
    assert found["monolith_service_healthy", "mlflow"] == 1
    assert found["monolith_service_healthy", "setup"] == 1
    assert found["monolith_service_healthy", "prefect"] == 0
    assert found["monolith_service_healthy", "worker"] == 0
    assert ("monolith_service_healthy", "far") not in found
    silent = values(picture(pictured().catalogue, Said(), NOW))
    assert not [name for name, _ in silent if name == "monolith_service_healthy"]
    assert silent["monolith_service_info", "mlflow"] == 1


def test_a_kill_for_memory_is_remembered_when_the_kernel_has_forgotten() -> None:
    killed = {"mlflow": container("mlflow", oom_killed=True)}
    found = values(pictured(containers=killed))
    assert found["container_oom_kills_total", "mlflow"] == 1
    many = {"mlflow": Usage(1, 2, 3.0, 4)}
    assert (
        values(pictured(containers=killed, usage=many))["container_oom_kills_total", "mlflow"] == 4
    )


@pytest.mark.parametrize(
    ("keys", "kills"),
    [({}, None), ({"paused": True}, None), ({"restarting": True}, 1), ({"running": False}, 1)],
)
def test_kills_are_not_told_while_the_kernel_does_not_answer(
    keys: dict[str, Any], kills: int | None
) -> None:
    """A count that falls and rises again would be further kills."""
    killed = {"mlflow": container("mlflow", oom_killed=True, **keys)}
    found = values(pictured(containers=killed, usage={}))
    assert found.get(("container_oom_kills_total", "mlflow")) == kills


def test_counts_of_states_are_there_also_when_they_are_0() -> None:
    found = values(pictured())
    assert found["prefect_flow_runs", "Failed"] == 1
    assert found["prefect_flow_runs", "Late"] == 0
    assert found["prefect_flow_runs_recent", "Crashed"] == 0
    assert found["mlflow_runs", "FINISHED"] == 3
    assert found["mlflow_runs", "FAILED"] == 0
    assert found["mlflow_registered_models", ""] == 2
    assert found["mlflow_experiments", ""] == 2


def test_a_system_that_does_not_answer_has_no_metrics() -> None:
    found = values(pictured(flows=None, models=None, runs=None))
    assert not [name for name, _ in found if name.startswith(("prefect_", "mlflow_"))]
    assert said().flows
