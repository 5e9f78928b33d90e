"""The rows of `monolith status`, natively."""

from __future__ import annotations

import time

from monolith.manifest.stack import Entry, Stack
from monolith.runtimes.base import ServiceStatus, State
from monolith.runtimes.names import LOOPBACK
from monolith.runtimes.native import health, processes
from monolith.runtimes.native.offers import Offers
from monolith.runtimes.native.plan import Program
from monolith.runtimes.native.supervisor import ProcessInfo, Supervisor


def rows(
    offers: Offers, programs: dict[str, Program], supervisor: Supervisor
) -> list[ServiceStatus]:
    """One row for each service of the stack, in its order."""
    known = supervisor.processes()
    return [
        _row(offers.stack, entry, programs[entry.name], known.get(entry.name))
        if entry.name in programs
        else ServiceStatus(entry.name, "not offered", reason=offers.reason(entry))
        for entry in offers.stack.services.values()
    ]


def _row(stack: Stack, entry: Entry, program: Program, info: ProcessInfo | None) -> ServiceStatus:
    state, reason = _state(program, info)
    pid = info.pid if info else 0
    return ServiceStatus(
        name=entry.name,
        state=state,
        address=stack.address(entry, stack.http_port) or _loopback(program),
        uptime=time.time() - info.started if info and info.started else 0.0,
        memory=processes.tree_memory(pid) if pid else 0,
        memory_limit=entry.memory_limit,
        pid=pid,
        reason=reason,
    )


def _state(program: Program, info: ProcessInfo | None) -> tuple[State, str]:
    if info is None or info.state == "STOPPED":
        return "stopped", ""
    if info.state == "BACKOFF":
        return "starting", info.reason
    if not info.is_alive:
        return "unhealthy", info.reason
    if health.is_healthy(program, settled=info.state == "RUNNING"):
        return "healthy", ""
    return ("starting", "") if info.state == "STARTING" else ("unhealthy", "its check fails")


def _loopback(program: Program) -> str:
    return f"{LOOPBACK}:{program.check_port}" if program.check_port else ""
