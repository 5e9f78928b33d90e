"""Every question that dashboards and alerts ask of the stores, ready to be sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.common.alerts import LOKI_RULES, PROMETHEUS_RULES, alerts, without_thresholds
from tests.common.platform import ROOT

# What Grafana puts in for its own variables, for a window of the last minutes.
_WORDS = {"$__rate_interval": "2m", "$__auto": "5m", "$__range": "15m"}


@dataclass(frozen=True)
class Question:
    """One question: who asks, which store, and in which words."""

    asker: str
    store: str
    text: str

    def __str__(self) -> str:
        return f"{self.asker}: {self.text}"


def of_dashboards() -> list[Question]:
    """The targets of all panels."""
    files = sorted((ROOT / "config/grafana/dashboards").glob("*.json"))
    return [one for file in files for one in _of_board(json.loads(file.read_text()))]


def _of_board(board: dict[str, Any]) -> Iterator[Question]:
    chosen = {f"${one['name']}": one["current"]["value"] for one in board["templating"]["list"]}
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            text = _filled(target.get("expr") or target["query"], _WORDS | chosen)
            asker = f"{board['uid']} / {panel['title']}"
            yield Question(asker, target["datasource"]["uid"], text)


def _filled(text: str, words: dict[str, str]) -> str:
    for name, value in sorted(words.items(), reverse=True):
        text = text.replace(name, value)
    return text


def of_alerts() -> list[Question]:
    """The left sides of all alerts, with the long times cut to what a young platform has."""
    found = [("prometheus", one) for one in alerts(PROMETHEUS_RULES)]
    found += [("loki", one) for one in alerts(LOKI_RULES)]
    return [
        Question(
            f"alert {one.name}", store,
            re.sub(r"\[(6h|1h|15m)\]", "[5m]", without_thresholds(one.expr)),
        )
        for store, one in found
    ]  # fmt: skip
