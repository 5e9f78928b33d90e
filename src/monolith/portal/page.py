"""The page as HTML. It is whole as it comes; the script only fetches it again."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from monolith.portal.sources import FlowRun
from monolith.portal.status import BAD, WELL, Picture, Row

SERVICE = "portal"
_ALERTS = ("alertmanager", "prometheus")
"""Who is asked for alerts: the first that is there."""
_DAY, _HOUR, _MINUTE = 86400, 3600, 60
_MEGABYTE, _GIGABYTE = 2**20, 2**30
_RUN_STATES = {
    "COMPLETED": "healthy", "FAILED": "unhealthy", "CRASHED": "unhealthy",
    "RUNNING": "starting", "PENDING": "starting",
}  # fmt: skip
"""Prefect's types of states -> the state that has the same colour."""
_WORDS = {
    "healthy": "Healthy", "done": "Done", "starting": "Starting", "unhealthy": "Unhealthy",
    "stopped": "Stopped", "unknown": "Unknown",
}  # fmt: skip


def html(picture: Picture) -> bytes:
    """The whole page."""
    return _template("page.html").render(_content(picture)).encode()


def missing() -> bytes:
    """The page for paths that are not there."""
    return _template("missing.html").render().encode()


@cache
def _template(name: str) -> Template:
    loader = PackageLoader("monolith.portal", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"size": size, "duration": duration, "run_state": run_state}
    environment.globals["words"] = _WORDS
    return environment.get_template(name)


def _content(picture: Picture) -> dict[str, Any]:
    said, address = picture.said, picture.catalogue.address
    titles = {row.card.name: row.card.title for row in picture.rows}
    alerts_by = next((name for name in _ALERTS if name in picture.catalogue.sources), "")
    return {
        "picture": picture,
        "said": said,
        "now": picture.time,
        "clock": datetime.fromtimestamp(picture.time, UTC),
        "headline": headline(picture.rows),
        "mood": mood(picture.rows),
        "apps": [row for row in picture.rows if _is_app(row) and row.card.access != "admins"],
        "tools": [row for row in picture.rows if _is_app(row) and row.card.access == "admins"],
        # What somebody has to look at is not below what is well.
        "inside": sorted(
            (row for row in picture.rows if not _is_app(row)), key=lambda row: row.state not in BAD
        ),
        "memory": sum(row.memory for row in picture.rows),
        "memory_limit": sum(row.memory_limit for row in picture.rows if row.memory),
        "silent": [titles.get(name, name) for name in sorted(said.silent)],
        "has_alerts": bool(alerts_by),
        "alerts_by": titles.get(alerts_by, alerts_by),
        "age": lambda text: age(text, picture.time),
        "prefect": address("prefect"),
        "mlflow": address("mlflow"),
        "alerts_at": address(alerts_by),
    }


def _is_app(row: Row) -> bool:
    """Whether it has a page to go to, other than this one."""
    return bool(row.card.address) and row.card.name != SERVICE


def mood(rows: list[Row]) -> str:
    """The state of all in one of its words: the worst."""
    states = {row.state for row in rows}
    if not states.isdisjoint(BAD):
        return "unhealthy"
    return "healthy" if states <= set(WELL) else "starting"


def headline(rows: list[Row]) -> str:
    """The state of all in one sentence."""
    bad = [row.card.title for row in rows if row.state in BAD]
    if bad:
        more = f" and {len(bad) - 2} more" if len(bad) > 2 else ""
        names = ", ".join(bad[:2]) if more else " and ".join(bad)
        return f"{names}{more} {'needs' if len(bad) == 1 else 'need'} attention"
    waiting = sum(row.state not in WELL for row in rows)
    if waiting:
        return f"{waiting} of {len(rows)} services not ready yet"
    return "All services are well"


def run_state(run: FlowRun) -> str:
    """The word whose colour a flow run has."""
    return _RUN_STATES.get(run.kind, "unknown")


def size(count: float) -> str:
    """Bytes for people: `96 MB`, `1.5 GB`."""
    if count >= _GIGABYTE:
        return f"{count / _GIGABYTE:.1f} GB"
    return f"{count / _MEGABYTE:.0f} MB"


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h`, `2 d`."""
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit:
            return f"{int(seconds // unit)} {name}"
    return f"{int(seconds)} s"


def age(text: str, now: float) -> str:
    """How long ago an ISO time was."""
    try:
        then = datetime.fromisoformat(text).timestamp()
    except ValueError:
        return ""
    return f"{duration(max(now - then, 0))} ago"
