"""Panels that several dashboards have, and the kinds they are made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from monolith.render.dashboards.words import Panel, Query

RATE = "$__rate_interval"
GOOD, MEDIUM, BAD = "green", "orange", "red"
HEALTH: dict[str, Any] = {
    "steps": [(None, BAD), (1, GOOD)], "names": {"0": "down", "1": "healthy"},
}  # fmt: skip
SHARE: dict[str, Any] = {
    "unit": "percentunit", "steps": [(None, GOOD), (0.8, MEDIUM), (0.9, BAD)], "highest": 1,
}  # fmt: skip


def graph(title: str, *queries: Query, **words: Any) -> Panel:
    """Lines over time."""
    return Panel("timeseries", title, list(queries), **words)


def number(title: str, *queries: Query, **words: Any) -> Panel:
    """The value of now, large."""
    now = [replace(query, instant=True) for query in queries]
    return Panel("stat", title, now, **{"width": 4, "height": 4} | words)


def bars(title: str, *queries: Query, **words: Any) -> Panel:
    """The values of now, one bar for each series."""
    now = [replace(query, instant=True) for query in queries]
    return Panel("bargauge", title, now, **words)


def lines(title: str, selector: str) -> Panel:
    """The lines of a log."""
    query = Query(selector, source="loki")
    return Panel("logs", title, [query], width=24, height=12)


def traces(title: str, search: str) -> Panel:
    """The latest traces of a search; a click opens one."""
    return Panel("table", title, [Query(search, source="tempo")], width=24, height=8)


def log_levels(selector: str, **words: Any) -> Panel:
    """How many lines of each level."""
    expr = f"sum by (level) (count_over_time({{{selector}}} [$__auto]))"
    return graph("Lines logged", Query(expr, "{{level}}", "loki"), stacked=True, **words)


def memory(selector: str, legend: str = "in use", **words: Any) -> Panel:
    """Memory of containers against their limit."""
    return graph(
        "Memory against its limit",
        Query(f"container_memory_working_set_bytes{{{selector}}}", legend),
        Query(f"container_spec_memory_limit_bytes{{{selector}}}", f"{legend}: limit"),
        unit="bytes", **words,
    )  # fmt: skip


def processor(selector: str, legend: str, **words: Any) -> Panel:
    """Processors that containers keep busy."""
    expr = f"rate(container_cpu_usage_seconds_total{{{selector}}}[{RATE}])"
    return graph("Processors in use", Query(expr, legend), **words)
