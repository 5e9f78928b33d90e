"""STAND-IN. The log of what was asked with API tokens.

As in Plane, the worker's own list of tasks leaves this one out (makeplane/plane#8928): a worker
that is not told of it discards each message and writes it, token and all, into its log as an error.
"""

from __future__ import annotations

from plane.celery import app
from plane.database import connect, insert


@app.task(name="plane.bgtasks.logger_task.process_logs", ignore_result=True)
def process_logs(log_data: dict[str, str]) -> None:
    """Keep one request."""
    with connect() as db:
        insert(db, "api_activity_logs", **log_data)
