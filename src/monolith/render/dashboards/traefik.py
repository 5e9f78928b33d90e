"""Dashboard: the front door by route, and the service levels that are aimed at."""

from __future__ import annotations

from typing import Any

from monolith.manifest.stack import Stack
from monolith.render.dashboards import panels
from monolith.render.dashboards.words import Board, Panel, Query, Row

AVAILABLE, QUICK, SECONDS = 0.995, 0.95, "1.0"
"""Aims: this share of requests is not answered 5xx, and this share within that many seconds."""

_TOTAL = "sum by (service) (increase(traefik_service_requests_total[$__range]))"
_BAD = 'sum by (service) (increase(traefik_service_requests_total{code=~"5.."}[$__range]))'
_TIMES = "traefik_service_request_duration_seconds"
# The time of a WebSocket is that of its whole session.
_HTTP = 'protocol="http"'
_TRACES = (
    '/explore?schemaVersion=1&orgId=1&panes={"a":{"datasource":"tempo","queries":[{"refId":"A",'
    '"queryType":"traceql","query":"{resource.service.name=\\"${__field.labels.service}\\"}"}],'
    '"range":{"from":"now-1h","to":"now"}}}'
)


def board(_: Stack) -> Board:
    """The whole dashboard."""
    return Board(
        "traefik", "Traefik", "Requests by route, errors, times, and how far aims are kept.",
        [Row("Aims", _aims()), Row("Routes", _routes()), Row("The front door itself", _itself())],
        since="now-24h",
    )  # fmt: skip


def _aims() -> list[Panel]:
    # Where nothing failed there is no series of failures.
    failed = f"(({_BAD}) or 0 * {_TOTAL}) / ({_TOTAL} > 0)"
    quick = f'sum by (service) (increase({_TIMES}_bucket{{{_HTTP}, le="{SECONDS}"}}[$__range]))'
    every = f"sum by (service) (increase({_TIMES}_count{{{_HTTP}}}[$__range]))"
    good = [(None, panels.BAD), (AVAILABLE, panels.GOOD)]
    left = [(None, panels.BAD), (0.2, panels.MEDIUM), (0.5, panels.GOOD)]
    words: dict[str, Any] = {"unit": "percentunit", "width": 8, "height": 9, "highest": 1.0}
    return [
        panels.bars(
            f"Answered without 5xx (aim {AVAILABLE:.1%})",
            Query(f"1 - {failed}", "{{service}}"), steps=good, **words,
        ),
        panels.bars(
            "Error budget left",
            Query(f"clamp_min(1 - {failed} / {1 - AVAILABLE:.3f}, 0)", "{{service}}"),
            about="1: nothing failed. 0: as much failed as the aim allows.", steps=left, **words,
        ),
        panels.bars(
            f"Answered within {SECONDS} s (aim {QUICK:.0%})",
            Query(f"{quick} / ({every} > 0)", "{{service}}"),
            steps=[(None, panels.BAD), (QUICK, panels.GOOD)], **words,
        ),
    ]  # fmt: skip


def _routes() -> list[Panel]:
    def rate(where: str) -> str:
        metric = f"traefik_router_requests_total{where}"
        return f"sum by (service, router) (rate({metric}[{panels.RATE}]))"

    buckets = f"rate(traefik_router_request_duration_seconds_bucket{{{_HTTP}}}[{panels.RATE}])"
    slow = f"histogram_quantile(0.95, sum by (le, service, router) ({buckets}))"
    failed = rate('{code=~"5.."}')
    errors = f"({failed} or 0 * {rate('')}) / ({rate('')} > 0)"
    link = ("Traces of this service", _TRACES)
    return [
        panels.graph("Requests", Query(rate(""), "{{router}}"), unit="reqps"),
        panels.graph("Share of 5xx", Query(errors, "{{router}}"), unit="percentunit", highest=1),
        panels.graph("Time of 95 in 100", Query(slow, "{{router}}"), unit="s", link=link),
    ]


def _itself() -> list[Panel]:
    sent = f"sum by (service) (rate(traefik_service_responses_bytes_total[{panels.RATE}]))"
    probes = "max by (service) (probe_duration_seconds)"
    return [
        panels.graph("Sent", Query(sent, "{{service}}"), unit="Bps"),
        panels.graph("Open connections", Query("sum(traefik_open_connections)", "open")),
        panels.graph("Time of the probes", Query(probes, "{{service}}"), unit="s"),
        panels.memory('service="traefik"', width=12),
        panels.processor('service="traefik"', "processors", width=12),
    ]
