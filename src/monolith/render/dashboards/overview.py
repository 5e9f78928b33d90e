"""Dashboard: the platform at a glance, and a line for each service."""

from __future__ import annotations

from typing import Any

from monolith.manifest.stack import Entry, Stack
from monolith.render.dashboards import panels
from monolith.render.dashboards.words import Board, Panel, Query, Row

_MANY = [(None, panels.GOOD), (1, panels.BAD)]


def board(stack: Stack) -> Board:
    """The whole dashboard."""
    staying = [entry for entry in stack.services.values() if not entry.is_one_shot]
    services = [panel for entry in staying for panel in _line(entry)]
    return Board(
        "overview", "Platform overview", "What is well, what is not, and what takes the place.",
        [Row("Now", _now()), Row("Over time", _over_time()), Row("Services", services)],
    )  # fmt: skip


def _now() -> list[Panel]:
    down = "count(monolith_service_healthy == 0) or vector(0)"
    firing = 'count(ALERTS{alertstate="firing"}) or vector(0)'
    failed = 'sum(prefect_flow_runs_recent{state=~"Failed|Crashed"})'
    used = "sum(container_memory_working_set_bytes)"
    limits = "sum(container_spec_memory_limit_bytes)"
    free = (
        'min(sum by (mountpoint) (system_filesystem_usage_bytes{state="free"})'
        " / sum by (mountpoint) (system_filesystem_usage_bytes))"
    )
    room = [(None, panels.BAD), (0.1, panels.MEDIUM), (0.2, panels.GOOD)]
    return [
        panels.number("Services down", Query(down), steps=_MANY),
        panels.number("Alerts firing", Query(firing), steps=_MANY),
        panels.number("Flow runs failed, last hour", Query(failed), steps=_MANY),
        panels.number("Memory of all services", Query(used), unit="bytes"),
        panels.number("Of all their limits", Query(f"{used} / {limits}"), **panels.SHARE),
        panels.number("Disk free", Query(free), unit="percentunit", steps=room),
    ]


def _over_time() -> list[Panel]:
    idle = f'sum(rate(system_cpu_time_seconds_total{{state="idle"}}[{panels.RATE}]))'
    busy = f"1 - {idle} / sum(rate(system_cpu_time_seconds_total[{panels.RATE}]))"
    reclaimable = 'system_memory_usage_bytes{state=~"free|cached|buffered|slab_reclaimable"}'
    taken = f"1 - sum({reclaimable}) / sum(system_memory_usage_bytes)"
    requests = f"sum by (code) (rate(traefik_entrypoint_requests_total[{panels.RATE}]))"
    return [
        panels.graph(
            "The machine", Query(busy, "processors"), Query(taken, "memory"),
            unit="percentunit", highest=1,
        ),
        panels.graph("Requests by code", Query(requests, "{{code}}"), unit="reqps", stacked=True),
        panels.log_levels('service=~".+"'),
        panels.graph(
            "Memory by service", Query("container_memory_working_set_bytes", "{{service}}"),
            unit="bytes", width=12, stacked=True,
        ),
        panels.processor("", "{{service}}", width=12, stacked=True),
    ]  # fmt: skip


def _line(entry: Entry) -> list[Panel]:
    """One service: how it is, what it takes, and the way to its own dashboard."""
    here = f'service="{entry.name}"'
    link = ("This service", f"/d/service?var-service={entry.name}")
    share = f"container_memory_working_set_bytes{{{here}}} / "
    share += f"container_spec_memory_limit_bytes{{{here}}}"
    size: dict[str, Any] = {"width": 6, "height": 3}
    health = f"monolith_service_healthy{{{here}}}"
    state = panels.number(
        entry.monolith.title, Query(health), about=entry.monolith.about, link=link,
        **panels.HEALTH | size,
    )  # fmt: skip
    if not entry.monolith.check:
        state = panels.number(
            entry.monolith.title, Query(f"time() - container_start_time_seconds{{{here}}}"),
            about=entry.monolith.about, unit="s", link=link, **size,
        )  # fmt: skip
    restarts = f"increase(container_restarts_total{{{here}}}[1d])"
    name = entry.monolith.title
    return [
        state,
        panels.number(f"{name}: memory", Query(share), **panels.SHARE | size),
        panels.number(
            f"{name}: processors",
            Query(f"rate(container_cpu_usage_seconds_total{{{here}}}[{panels.RATE}])"), **size,
        ),
        panels.number(f"{name}: restarts in a day", Query(restarts), steps=_MANY, **size),
    ]  # fmt: skip
