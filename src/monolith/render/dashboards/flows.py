"""Dashboard: Prefect's flow runs and MLflow's runs and models."""

from __future__ import annotations

from monolith.manifest.stack import Stack
from monolith.render.dashboards import panels
from monolith.render.dashboards.words import Board, Panel, Query, Row

_BAD = [(None, panels.GOOD), (1, panels.BAD)]
_WORKER = 'service="prefect-worker"'


def board(_: Stack) -> Board:
    """The whole dashboard."""
    return Board(
        "flows", "Flows and models", "What ran, what failed, and what was learnt.",
        [
            Row("Flows", _flows()),
            Row("Experiments and models", _models()),
            Row("The worker", [
                panels.memory(_WORKER, width=8), panels.processor(_WORKER, "processors"),
                panels.log_levels(_WORKER), panels.lines("Log of the worker", f"{{{_WORKER}}}"),
            ]),
        ],
        since="now-24h",
    )  # fmt: skip


def _flows() -> list[Panel]:
    ended = 'prefect_flow_runs_recent{state=~"Completed|Failed|Crashed"}'
    failed = 'prefect_flow_runs_recent{state=~"Failed|Crashed"}'
    share = f"sum({failed}) / clamp_min(sum({ended}), 1)"
    waiting = 'prefect_flow_runs{state=~"Scheduled|Pending|Running|Late"}'
    return [
        panels.number("Failed, last hour", Query(f"sum({failed})"), steps=_BAD),
        panels.number("Share of failed, last hour", Query(share), **panels.SHARE),
        panels.number("Late", Query('sum(prefect_flow_runs{state="Late"})'), steps=_BAD),
        panels.number("Running", Query('sum(prefect_flow_runs{state="Running"})')),
        panels.number("Completed, ever", Query('sum(prefect_flow_runs{state="Completed"})')),
        panels.number("Failed, ever", Query('sum(prefect_flow_runs{state=~"Failed|Crashed"})')),
        panels.graph(
            "Ended within the last hour", Query(ended, "{{state}}"), width=12, stacked=True
        ),
        panels.graph("Waiting and running", Query(waiting, "{{state}}"), width=12, stacked=True),
    ]


def _models() -> list[Panel]:
    runs = Query("mlflow_runs", "{{status}}")
    requests = (
        f'sum by (code) (rate(traefik_service_requests_total{{service="mlflow"}}[{panels.RATE}]))'
    )
    return [
        panels.number("Registered models", Query("mlflow_registered_models")),
        panels.number("Experiments", Query("mlflow_experiments")),
        panels.graph("Runs by status", runs, stacked=True),
        panels.graph("Requests to MLflow", Query(requests, "{{code}}"), unit="reqps"),
    ]
