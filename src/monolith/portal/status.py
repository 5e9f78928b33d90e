"""One picture of the platform from all that was said: pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from monolith.cgroups import Usage
from monolith.portal.catalogue import Card, Catalogue
from monolith.portal.engine import Container
from monolith.portal.sources import Alert, Champion, Flows, Models, Runs

State = Literal["healthy", "done", "starting", "unhealthy", "stopped", "unknown"]
WELL: tuple[State, ...] = ("healthy", "done")
BAD: tuple[State, ...] = ("unhealthy", "stopped")


@dataclass(frozen=True)
class Said:
    """The last answers of all sources. None: no answer, which `silent` names, or not asked."""

    containers: dict[str, Container] | None = None
    usage: dict[str, Usage] = field(default_factory=dict)
    checks: dict[str, bool] | None = None
    flows: Flows | None = None
    models: Models | None = None
    runs: Runs | None = None
    alerts: list[Alert] | None = None
    silent: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Row:
    """One service: what the manifest says, and how it is."""

    card: Card
    state: State
    reason: str = ""
    container: Container | None = None
    usage: Usage | None = None

    @property
    def memory(self) -> int:
        """Bytes in use; 0 where the kernel does not say."""
        return self.usage.memory if self.usage else 0

    @property
    def memory_limit(self) -> int:
        """Bytes; what the kernel enforces, else what the manifest says."""
        return (self.usage.limit if self.usage else 0) or self.card.memory_limit

    def as_dict(self) -> dict[str, Any]:
        """Shape of one entry under `services` of /status.json."""
        return {
            "name": self.card.name, "title": self.card.title, "about": self.card.about,
            "address": self.card.address, "version": self.card.version, "state": self.state,
            "reason": self.reason, "memory": self.memory, "memory_limit": self.memory_limit,
            "restarts": self.container.restarts if self.container else 0,
        }  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """All of the platform at one moment."""

    catalogue: Catalogue
    rows: list[Row]
    said: Said
    time: float

    @property
    def bad(self) -> list[Row]:
        """Services that somebody has to look at."""
        return [row for row in self.rows if row.state in BAD]

    @property
    def champions(self) -> list[Champion]:
        """Champion models."""
        return self.said.models.champions if self.said.models else []

    def as_dict(self) -> dict[str, Any]:
        """/status.json. Lists are null where their source does not answer."""
        said = self.said
        return {
            "time": round(self.time),
            "stack": self.catalogue.stack,
            "healthy": all(row.state in WELL for row in self.rows),
            "services": [row.as_dict() for row in self.rows],
            "flow_runs": [asdict(run) for run in said.flows.last] if said.flows else None,
            "champions": [asdict(one) for one in said.models.champions] if said.models else None,
            "alerts": None if said.alerts is None else [asdict(alert) for alert in said.alerts],
            "silent": sorted(said.silent),
        }


def picture(catalogue: Catalogue, said: Said, time: float) -> Picture:
    """Put together what was said."""
    return Picture(catalogue, [_row(card, said) for card in catalogue.cards], said, time)


def _row(card: Card, said: Said) -> Row:
    container = (said.containers or {}).get(card.name)
    state, reason = state_of(card, said.containers, said.checks)
    usage = said.usage.get(container.id) if container and container.running else None
    return Row(card, state, reason, container, usage)


def state_of(
    card: Card, containers: Mapping[str, Container] | None, checks: Mapping[str, bool] | None
) -> tuple[State, str]:
    """How a service is, and why if it is not well: the engine says whether it runs, Consul whether
    it answers; while Consul does not answer the engine's own check tells.
    """
    container = None if containers is None else containers.get(card.name)
    if containers is not None and container is None:
        return "stopped", "it has no container"
    if container and (card.ends or not container.runs):
        return _of_engine(card, container)
    if checks is not None and card.check:
        return _of_check(container, card.check, checks)
    return _of_engine(card, container) if container else ("unknown", "nobody says")


def _of_check(
    container: Container | None, check: str, checks: Mapping[str, bool]
) -> tuple[State, str]:
    if checks.get(check):
        return "healthy", ""
    if container and container.health == "starting":
        return "starting", ""
    if check in checks:
        return "unhealthy", "it does not answer"
    return _of_nobody(container, anybody=bool(checks))


def _of_nobody(container: Container | None, *, anybody: bool) -> tuple[State, str]:
    """Consul does not ask it, so it has no route; `anybody`: it asks others."""
    if container and container.health == "unhealthy":
        return "unhealthy", "its check fails"
    if container and not anybody:
        # Bootstrap has not registered anything yet: the first start.
        return "starting", "Consul does not know it yet"
    return "unknown", "Consul does not know it"


def _of_engine(card: Card, container: Container) -> tuple[State, str]:
    if container.restarting:
        return "unhealthy", f"{_ending(container)}, is started again"
    if container.paused:
        return "unhealthy", "it is paused"
    if not container.running:
        if card.ends and not container.exit_code and container.started:
            return "done", ""
        return ("unhealthy" if card.ends else "stopped"), _ending(container)
    if card.ends or container.health == "starting":
        return "starting", ""
    return ("unhealthy", "its check fails") if container.health == "unhealthy" else ("healthy", "")


def _ending(container: Container) -> str:
    if not container.started:
        return "it has not started yet"
    return f"exit code {container.exit_code}" + ", out of memory" * container.oom_killed
