"""STAND-IN. A real Celery application on the real RabbitMQ, found by `celery -A plane`."""

from __future__ import annotations

import logging
import os

from celery import Celery
from celery.schedules import crontab
from celery.signals import after_setup_logger

from plane.contract import backend_problems, refuse

refuse("plane-backend", backend_problems(os.environ))

app = Celery("plane", broker=os.environ["AMQP_URL"], include=["plane.tasks"])
app.conf.update(
    task_serializer="json",
    result_serializer="json",
    accept_content=["application/json"],
    timezone="UTC",
    broker_connection_retry_on_startup=True,
    beat_schedule_filename="/tmp/plane-stand-in-schedule",
    beat_schedule={
        "stand-in-tick": {"task": "plane.tasks.tick", "schedule": 15.0},
        "run-every-6-hours-for-instance-trace": {
            "task": "plane.tasks.instance_traces",
            "schedule": crontab(hour="*/6", minute=0),
        },
    },
)


@after_setup_logger.connect
def tell_all(logger: logging.Logger, **_: object) -> None:
    """As Plane: a second line for each line, with what the task was given."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        logging.Formatter("%(levelname)s %(message)s %(data)s", defaults={"data": ""})
    )
    logger.addHandler(handler)


def later(task: str, *arguments: object, module: str = "plane.tasks") -> None:
    """Have a worker do a task of a module, by its name."""
    app.send_task(f"{module}.{task}", arguments)
