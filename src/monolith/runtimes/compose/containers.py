"""What the engine says of a container, read from `docker inspect`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from monolith.runtimes.compose.commands import PROJECT

_NEVER = "0001-01-01"


@dataclass(frozen=True)
class Container:
    """One container. `state` and `health` are the engine's words (`health` empty: no check);
    `started` is seconds since 1970, `folder` where its stack file lies, `ports` those of this
    machine that it publishes now, `sources` the folders and files that it mounts.
    """

    id: str
    service: str
    folder: Path
    state: str
    health: str
    health_output: str
    exit_code: int
    error: str
    started: float
    pid: int
    restarts: int
    oom_killed: bool
    ports: frozenset[int]
    sources: frozenset[Path]

    @property
    def is_running(self) -> bool:
        """Whether it has processes, or will have again in a moment."""
        return self.state in ("running", "restarting", "paused")

    def uses(self, folder: Path) -> bool:
        """Whether something below `folder` is mounted."""
        return any(source.is_relative_to(folder) for source in self.sources)

    @property
    def mark(self) -> tuple[str, float]:
        """Differs when it was made anew or started again."""
        return self.id, self.started


def parse(rows: list[dict[str, Any]]) -> list[Container]:
    """The containers of one answer of `docker inspect`."""
    return [_parse(row) for row in rows]


def _parse(row: dict[str, Any]) -> Container:
    state, labels = row["State"], row["Config"]["Labels"]
    health = state.get("Health") or {}
    return Container(
        id=row["Id"],
        service=labels.get("com.docker.compose.service", ""),
        folder=Path(labels.get(f"{PROJECT}.working_dir", "")),
        state=state["Status"],
        health=health.get("Status", ""),
        health_output=_last_output(health),
        exit_code=state["ExitCode"],
        error=state["Error"],
        started=_seconds(state["StartedAt"]),
        pid=state["Pid"],
        restarts=row["RestartCount"],
        oom_killed=state["OOMKilled"],
        ports=_ports(row),
        sources=frozenset(Path(mount["Source"]) for mount in row.get("Mounts") or []),
    )


def _last_output(health: dict[str, Any]) -> str:
    """The last line that the last health check wrote."""
    log = health.get("Log") or []
    lines = log[-1]["Output"].split("\n") if log else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _seconds(text: str) -> float:
    return 0.0 if text.startswith(_NEVER) else datetime.fromisoformat(text).timestamp()


def _ports(row: dict[str, Any]) -> frozenset[int]:
    published = row["NetworkSettings"]["Ports"] or {}
    bindings = [binding for found in published.values() for binding in found or []]
    return frozenset(int(binding["HostPort"]) for binding in bindings)
