"""The containers of one Compose project, from the files that the engine keeps of them.

No socket of the engine: whoever has it owns the machine. These files are only read.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

_LABEL = "com.docker.compose."
_NEVER = "0001-01-01"
_FRACTION = re.compile(r"\.\d+")


@dataclass(frozen=True)
class Container:
    """One container. `health` is the engine's word, empty where it has no check; `started` is
    seconds since 1970, 0 for never.
    """

    id: str
    service: str
    created: str
    running: bool
    restarting: bool
    paused: bool
    health: str
    exit_code: int
    oom_killed: bool
    restarts: int
    started: float
    log_bytes: int

    @property
    def runs(self) -> bool:
        """Whether its processes are at work."""
        return self.running and not self.restarting and not self.paused


def project_of(folder: Path, host_name: str) -> str:
    """The project of the container that calls itself `host_name`, as the engine does by default."""
    for file in folder.glob(f"{host_name}*/config.v2.json"):
        return _labels(_read(file)).get(f"{_LABEL}project", "")
    return ""


def containers(folder: Path, project: str) -> dict[str, Container]:
    """The containers of a project by service; of several the newest."""
    found: dict[str, Container] = {}
    for file in sorted(folder.glob("*/config.v2.json")):
        content = _read(file)
        if _is_of(content, project):
            container = _container(content, file.parent)
            other = found.get(container.service)
            if other is None or other.created < container.created:
                found[container.service] = container
    return found


def _is_of(content: dict[str, Any], project: str) -> bool:
    """Whether it is a service of the project, and no `docker compose run`."""
    labels = _labels(content)
    return labels.get(f"{_LABEL}project") == project and labels.get(f"{_LABEL}oneoff") != "True"


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}  # It has just been removed.
    return content if isinstance(content, dict) else {}


def _labels(content: dict[str, Any]) -> dict[str, str]:
    return (content.get("Config") or {}).get("Labels") or {}


def _container(content: dict[str, Any], folder: Path) -> Container:
    state = content["State"]
    return Container(
        id=content["ID"],
        service=_labels(content).get(f"{_LABEL}service", ""),
        created=content.get("Created", ""),
        running=state["Running"],
        restarting=state.get("Restarting", False),
        paused=state.get("Paused", False),
        health=(state.get("Health") or {}).get("Status", ""),
        exit_code=state["ExitCode"],
        oom_killed=state.get("OOMKilled", False),
        restarts=content.get("RestartCount", 0),
        started=seconds(state["StartedAt"]),
        log_bytes=_log_bytes(folder),
    )


def seconds(text: str) -> float:
    """A time of the engine, which has more digits than Python takes, as seconds since 1970."""
    if text.startswith(_NEVER):
        return 0.0
    return datetime.fromisoformat(_FRACTION.sub("", text)).timestamp()


def _log_bytes(folder: Path) -> int:
    """Size of its log, with what was rotated."""
    files = [*folder.glob("*-json.log*"), *folder.glob("local-logs/*")]
    return sum(_size(file) for file in files)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
