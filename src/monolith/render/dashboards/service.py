"""Dashboard: everything about one service, which is chosen at the top."""

from __future__ import annotations

from monolith.manifest.stack import Stack
from monolith.render.dashboards import panels
from monolith.render.dashboards.words import Board, Panel, Query, Row, Variable

_HERE = 'service="$service"'
FIRST = "mlflow"
"""What is shown first: a service that has all there is, requests, logs and traces."""


def board(stack: Stack) -> Board:
    """The whole dashboard."""
    names = [name for name, entry in stack.services.items() if not entry.is_one_shot]
    names.sort(key=lambda name: (name != FIRST, name))
    return Board(
        "service", "One service", "Health, requests, resources, logs and traces of a service.",
        [
            Row("Resources", _resources()),
            Row("Requests through the front door", _requests()),
            Row("Logs", [panels.lines("Log", f"{{{_HERE}}}")]),
            Row("Traces", [panels.traces("Latest traces", '{resource.service.name="$service"}')]),
        ],
        [Variable("service", "Service", names)],
    )  # fmt: skip


def _resources() -> list[Panel]:
    age = f"time() - container_start_time_seconds{{{_HERE}}}"
    restarts = f"increase(container_restarts_total{{{_HERE}}}[$__range])"
    kills = f"increase(container_oom_kills_total{{{_HERE}}}[$__range])"
    bad = [(None, panels.GOOD), (1, panels.BAD)]
    health = Query(f"monolith_service_healthy{{{_HERE}}}")
    return [
        panels.number("Health", health, width=6, **panels.HEALTH),
        panels.number("Running for", Query(age), unit="s", width=6),
        panels.number("Restarts", Query(restarts), steps=bad, width=6),
        panels.number("Memory kills", Query(kills), steps=bad, width=6),
        panels.memory(_HERE),
        panels.processor(_HERE, "processors"),
        panels.log_levels(_HERE),
    ]


def _requests() -> list[Panel]:
    count = f"sum by (code) (rate(traefik_service_requests_total{{{_HERE}}}[{panels.RATE}]))"
    # The time of a WebSocket is that of its whole session.
    here = f'{_HERE}, protocol="http"'
    buckets = f"traefik_service_request_duration_seconds_bucket{{{here}}}[{panels.RATE}]"
    slowest = [
        Query(f"histogram_quantile({share}, sum by (le) (rate({buckets})))", name)
        for share, name in ((0.5, "half"), (0.95, "one in 20 slower"), (0.99, "one in 100 slower"))
    ]
    reached = f"max(probe_duration_seconds{{{_HERE}}})"
    return [
        panels.graph("Requests by code", Query(count, "{{code}}"), unit="reqps", stacked=True),
        panels.graph("Time to answer", *slowest, unit="s"),
        panels.graph("Time of the probe", Query(reached, "probe"), unit="s"),
    ]
