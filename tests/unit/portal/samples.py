"""A small platform, as its sources would tell of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from monolith.cgroups import Usage
from monolith.portal.catalogue import Card, Catalogue
from monolith.portal.engine import Container
from monolith.portal.sources import Alert, Champion, FlowRun, Flows, Models, Runs
from monolith.portal.status import Picture, Said, picture

NOW = 1_800_000_000.0
NASTY = "<script>alert('x')</script>&\"quoted\""
SOURCES = {
    name: f"http://{name}.service.consul:1"
    for name in ("consul", "prefect", "mlflow", "prometheus")
}


def card(name: str, **keys: Any) -> Card:
    """A service that has a page."""
    values: dict[str, Any] = {
        "name": name, "title": name.title(), "about": f"About {name}",
        "address": f"http://{name}.monolith.localhost:8080", "access": "users",
        "version": "1.2.3", "memory_limit": 64 << 20, "check": f"{name} answers", "ends": False,
    }  # fmt: skip
    return Card(**values | keys)


def container(service: str, **keys: Any) -> Container:
    """A container that runs and is healthy."""
    values: dict[str, Any] = {
        "id": service, "service": service, "created": "2026-01-01", "running": True,
        "restarting": False, "paused": False, "health": "healthy", "exit_code": 0,
        "oom_killed": False, "restarts": 0, "started": NOW - 100, "log_bytes": 10,
    }  # fmt: skip
    return Container(**values | keys)


CARDS = [
    card("prefect"),
    card("mlflow"),
    card("consul", access="admins"),
    card("worker", address="", access="internal", check=""),
    card("setup", address="", access="internal", check="", ends=True),
    card("portal", address="http://monolith.localhost:8080"),
]
RUN = FlowRun("id-1", "busy-owl", "train", "Failed", "FAILED", "2027-01-15T07:59:00+00:00", 61.5)


def said(**keys: Any) -> Said:
    """All answers, of a platform on which all is well."""
    ended = container("setup", running=False, health="")
    containers = {one.name: container(one.name) for one in CARDS} | {"setup": ended}
    values: dict[str, Any] = {
        "containers": containers,
        "usage": {one.name: Usage(32 << 20, 64 << 20, 1.5, 0) for one in CARDS},
        "checks": {one.check: True for one in CARDS if one.check},
        "flows": Flows([RUN], {"Failed": 1}, {"Failed": 1}),
        "models": Models([Champion("digits", "7")], 2),
        "runs": Runs({"FINISHED": 3}, 2),
        "alerts": [],
    }
    return Said(**values | keys)


def pictured(cards: list[Card] | None = None, **keys: Any) -> Picture:
    """The picture of it at `NOW`."""
    return picture(Catalogue("minimal", cards or CARDS, SOURCES), said(**keys), NOW)


def troubled() -> Picture:
    """A bad day: every state and every colour is on the page."""
    containers = {
        "prefect": container("prefect", running=False, exit_code=137, oom_killed=True),
        "mlflow": container("mlflow"),
        "consul": container("consul", health="starting"),
        "worker": container("worker", restarting=True, exit_code=1),
        "setup": container("setup", running=False, health=""),
        "portal": container("portal"),
    }
    alerts = [
        Alert("MemoryNearLimit", "critical", "mlflow", NASTY, "2027-01-15T07:00:00Z"),
        Alert("LateRuns", "warning", "", "", "2027-01-15T07:00:00Z"),
    ]
    states = [("COMPLETED", "Completed"), ("RUNNING", "Running"), ("CANCELLED", "Cancelled")]
    runs = [replace(RUN, id=kind, kind=kind, state=name) for kind, name in states]
    flows = Flows([replace(RUN, name=NASTY), *runs], {}, {})
    cards = [*CARDS, card("far", about="x" * 200)]
    return pictured(
        cards,
        containers=containers | {"far": container("far")},
        usage={"mlflow": Usage(63 << 20, 64 << 20, 1.5, 0)},
        checks={"mlflow answers": True, "consul answers": False, "portal answers": True},
        alerts=alerts,
        flows=flows,
        models=None,
        silent=frozenset({"mlflow"}),
    )
