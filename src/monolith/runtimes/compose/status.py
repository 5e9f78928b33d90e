"""The rows of `monolith status`, from what the engine says: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monolith.manifest.stack import Entry, Stack
from monolith.runtimes.base import ServiceStatus, State
from monolith.runtimes.compose.containers import Container
from monolith.runtimes.names import LOOPBACK

GIVEN_UP = 5
"""A service that ends so often, without being healthy in between, will do so again."""
_OUTPUT_LENGTH = 200


def rows(
    stack: Stack, found: Iterable[Container], memory: Mapping[str, int], now: float
) -> list[ServiceStatus]:
    """One row for each service of the stack, in its order; `memory` is bytes by container id."""
    by_service = {container.service: container for container in found}
    return [
        _row(stack, entry, by_service.get(entry.name), memory, now)
        for entry in stack.services.values()
    ]


def _row(
    stack: Stack, entry: Entry, container: Container | None, memory: Mapping[str, int], now: float
) -> ServiceStatus:
    address = stack.address(entry, stack.http_port) or _loopback(entry)
    if container is None:
        return ServiceStatus(entry.name, "stopped", address, memory_limit=entry.memory_limit)
    state, reason = state_of(entry, container)
    return ServiceStatus(
        name=entry.name,
        state=state,
        address=address,
        uptime=max(now - container.started, 0.0) if container.state == "running" else 0.0,
        memory=memory.get(container.id, 0),
        memory_limit=entry.memory_limit,
        pid=container.pid,
        reason=reason,
        restarts=container.restarts,
        oom_killed=container.oom_killed,
    )


def _loopback(entry: Entry) -> str:
    """Where programs of this machine reach it: the port of its check, else its first one."""
    ports, check = entry.ports(), entry.monolith.check
    inner = check.port if check and check.port in ports else next(iter(ports), None)
    return f"{LOOPBACK}:{ports[inner]}" if inner else ""


def state_of(entry: Entry, container: Container) -> tuple[State, str]:
    """The state of a service that has a container, and the reason if it is not well."""
    match container.state:
        case "running" if entry.is_one_shot:
            return "starting", ""
        case "running":
            return _running(container)
        case "restarting":
            return "unhealthy", f"{_ending(container)}, is started again"
        case "paused":
            return "unhealthy", "it is paused"
        case "exited" | "dead" if entry.is_one_shot:
            return ("unhealthy", _ending(container)) if container.exit_code else ("done", "")
    return ("unhealthy", container.error) if container.error else ("stopped", "")


def _running(container: Container) -> tuple[State, str]:
    match container.health:
        case "starting":
            return "starting", ""
        case "unhealthy":
            output = container.health_output[:_OUTPUT_LENGTH]
            return "unhealthy", f"its check fails: {output}" if output else "its check fails"
    return "healthy", ""


def _ending(container: Container) -> str:
    memory = ", out of memory" if container.oom_killed else ""
    return f"exit code {container.exit_code}{memory}"


def failure(entry: Entry, container: Container, restarts_before: int = 0) -> str:
    """Why a service will not get well by waiting; empty where it may.

    `restarts_before` of its restarts are from earlier.
    """
    state, reason = state_of(entry, container)
    restarts = container.restarts - restarts_before
    if restarts >= GIVEN_UP and state != "healthy":
        ended = f"it has ended {restarts} times"
        return f"{_ending(container)}, {ended}" if container.state == "restarting" else ended
    return reason if state == "unhealthy" and container.state != "restarting" else ""


def progress(entry: Entry, container: Container) -> tuple[str, bool]:
    """What `up` says of a service, and whether it has got where it should be."""
    state, reason = state_of(entry, container)
    if container.state == "created" and not reason:
        return "waiting", False
    return f"{state}: {reason}" if reason else state, state in ("healthy", "done")
