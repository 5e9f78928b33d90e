"""/metrics: names of containers' metrics are cAdvisor's, so that what knows those knows these."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from monolith.portal.engine import Container
from monolith.portal.status import WELL, Picture, Row

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STATES = (
    "Completed", "Failed", "Crashed", "Running", "Pending", "Scheduled", "Late", "Cancelled",
)  # fmt: skip
"""States of flow runs that are always told, also when there are none: rules need the 0."""
STATUSES = ("FINISHED", "FAILED", "KILLED", "RUNNING", "SCHEDULED")
_LABELS = ["service", "stack"]


def text(picture: Picture) -> bytes:
    """All metrics in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Picture(picture))
    return generate_latest(registry)


class _Picture(Collector):
    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def collect(self) -> Iterator[Metric]:
        yield from _services(self._picture)
        yield from _containers(self._picture)
        yield from _flows(self._picture)
        yield from _models(self._picture)


def _services(picture: Picture) -> Iterator[Metric]:
    healthy = GaugeMetricFamily("monolith_service_healthy", "1: well, 0: not.", labels=_LABELS)
    info = GaugeMetricFamily(
        "monolith_service_info", "What the manifest says.", labels=[*_LABELS, "title", "version"]
    )
    for row in picture.rows:
        labels = [row.card.name, picture.catalogue.stack]
        info.add_metric([*labels, row.card.title, row.card.version], 1)
        if row.state != "unknown":
            healthy.add_metric(labels, row.state in WELL)
    yield healthy
    yield info


def _containers(picture: Picture) -> Iterator[Metric]:
    with_container = [row for row in picture.rows if row.container]
    for name, about, read in _OF_CONTAINERS:
        kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
        family = kind(name, about, labels=_LABELS)
        for row in with_container:
            if (value := read(row)) is not None:
                family.add_metric([row.card.name, picture.catalogue.stack], value)
        yield family


def _memory(row: Row) -> float | None:
    return row.usage.memory if row.usage else None


def _limit(row: Row) -> float | None:
    return row.usage.limit if row.usage else None


def _cpu(row: Row) -> float | None:
    return row.usage.cpu if row.usage else None


def _oom_kills(row: Row) -> float | None:
    """The kernel's count ends with the container; that it was so is what the engine remembers."""
    if row.container is None or _is_not_told(row, row.container):
        return None
    return max(row.usage.oom_kills if row.usage else 0, row.container.oom_killed)


def _is_not_told(row: Row, container: Container) -> bool:
    """The engine's word alone would be less than was counted, which looks like a new count."""
    return row.usage is None and container.running and not container.restarting


def _started(row: Row) -> float | None:
    return row.container.started if row.container and row.container.running else None


def _restarts(row: Row) -> float | None:
    return row.container.restarts if row.container else None


def _log_bytes(row: Row) -> float | None:
    return row.container.log_bytes if row.container else None


_OF_CONTAINERS = [
    ("container_memory_working_set_bytes", "Memory in use, without page cache.", _memory),
    ("container_spec_memory_limit_bytes", "Memory cap, 0 for none.", _limit),
    ("container_cpu_usage_seconds_total", "Processor time since the start.", _cpu),
    ("container_start_time_seconds", "Time of the start.", _started),
    ("container_restarts_total", "Restarts that nobody asked for.", _restarts),
    ("container_oom_kills_total", "Processes ended for want of memory.", _oom_kills),
    ("container_log_bytes", "Size of the container's log.", _log_bytes),
]


def _flows(picture: Picture) -> Iterator[Metric]:
    flows = picture.said.flows
    if flows:
        yield _counts("prefect_flow_runs", "Flow runs.", "state", STATES, flows.by_state)
        about = "Flow runs of the last hour."
        yield _counts("prefect_flow_runs_recent", about, "state", STATES, flows.recent)


def _models(picture: Picture) -> Iterator[Metric]:
    said = picture.said
    if said.models:
        about = "Registered models."
        yield GaugeMetricFamily("mlflow_registered_models", about, said.models.models)
    if said.runs:
        yield _counts("mlflow_runs", "Runs.", "status", STATUSES, said.runs.by_status)
        yield GaugeMetricFamily("mlflow_experiments", "Experiments.", said.runs.experiments)


def _counts(
    name: str, about: str, label: str, always: tuple[str, ...], counts: dict[str, int]
) -> Metric:
    family = GaugeMetricFamily(name, about, labels=[label])
    for key, value in {**dict.fromkeys(always, 0), **counts}.items():
        family.add_metric([key], value)
    return family
