"""STAND-IN. The background tasks; each leaves a row, so a test can see that somebody works."""

from __future__ import annotations

import logging
import os

from plane.celery import app
from plane.database import connect, insert, one
from plane.webhooks import send_all


def issue_activity(kind: str, issue_id: str, actor_id: str, epoch: int) -> None:
    """Write down what was done to a work item."""
    with connect() as db:
        issue = one(db, "SELECT * FROM issues WHERE id = %s", issue_id)
        if issue is None:
            return
        insert(
            db,
            "issue_activities",
            issue=issue_id,
            project=issue["project"],
            workspace=issue["workspace"],
            created_by=actor_id,
            verb=kind,
            comment=f"{kind} the issue",
            epoch=epoch,
        )
        actor = one(db, "SELECT id, first_name, last_name FROM users WHERE id = %s", actor_id)
        send_all(db, "issue", kind, issue, {"actor": actor, "field": None})


def instance_traces() -> None:
    """Note what the real Plane would now report to its maker: unless refused before."""
    if os.environ.get("OTEL_SDK_DISABLED") == "true":
        return
    with connect() as db:
        instance = one(db, "SELECT is_telemetry_enabled FROM instances")
        if instance and instance["is_telemetry_enabled"]:
            endpoint = os.environ["OTLP_ENDPOINT"]
            db.execute("INSERT INTO stand_in_telemetry (endpoint) VALUES (%s)", [endpoint])
            logging.getLogger(__name__).error("Failed to export traces to %s", endpoint)


def tick() -> None:
    """Note that the scheduler and a worker live."""
    with connect() as db:
        db.execute(
            "INSERT INTO stand_in_beat VALUES (true, now())"
            " ON CONFLICT (only_row) DO UPDATE SET at = now()"
        )


for _function in (issue_activity, instance_traces, tick):
    app.task(name=f"plane.tasks.{_function.__name__}", ignore_result=True)(_function)
