"""Grafana's dashboards: one module each, made of the words in `words.py` and `panels.py`."""

from __future__ import annotations

import json
from typing import Any

from monolith.manifest.stack import Stack
from monolith.render.dashboards import flows, overview, postgres, service, storage, traefik

_MODULES = (overview, service, flows, postgres, traefik, storage)
_LINE = 100


def boards(stack: Stack) -> list[dict[str, Any]]:
    """Every dashboard as Grafana writes it."""
    return [module.board(stack).json() for module in _MODULES]


def files(stack: Stack) -> dict[str, str]:
    """Path -> text of every dashboard, in an order that changes only with its content."""
    return {
        f"config/grafana/dashboards/{one['uid']}.json": text(one) + "\n" for one in boards(stack)
    }


def text(value: Any, depth: int = 0) -> str:
    """JSON with sorted keys, in which all that fits on a line is on one: a change shows as one."""
    line = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if not value or not isinstance(value, dict | list) or len(line) + depth <= _LINE:
        return line
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {text(one, depth + 1)}" for key, one in sorted(value.items())]
        return _block("{", parts, "}", depth)
    return _block("[", [text(one, depth + 1) for one in value], "]", depth)


def _block(start: str, parts: list[str], end: str, depth: int) -> str:
    margin = "\n" + " " * (depth + 1)
    return start + margin + f",{margin}".join(parts) + "\n" + " " * depth + end
