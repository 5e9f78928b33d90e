"""The words of a dashboard: queries, panels, rows, and a board that places them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

WIDTH = 24
"""Columns of Grafana's grid."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """One question to a store; `source` is the uid of a data source in config/grafana."""

    expr: str
    legend: str = ""
    source: str = "prometheus"
    instant: bool = False

    def target(self, number: int) -> Json:
        """As Grafana writes it."""
        head = {"refId": chr(ord("A") + number), "datasource": datasource(self.source)}
        if self.source == "tempo":
            return head | {"queryType": "traceql", "query": self.expr, "limit": 20,
                           "tableType": "traces"}  # fmt: skip
        words = head | {"expr": self.expr, "legendFormat": self.legend}
        if self.source == "loki":
            return words | {"queryType": "instant" if self.instant else "range"}
        return words | {"instant": self.instant, "range": not self.instant, "editorMode": "code"}


@dataclass(frozen=True)
class Panel:
    """One picture; `steps` are (from this value on, colour), `link` an address or nothing."""

    kind: str
    title: str
    queries: list[Query]
    unit: str = "short"
    width: int = 8
    height: int = 7
    about: str = ""
    steps: list[tuple[float | None, str]] = field(default_factory=lambda: [(None, "green")])
    link: tuple[str, str] | None = None
    names: dict[str, str] = field(default_factory=dict)
    highest: float | None = None
    stacked: bool = False

    def json(self, identity: int, place: Json) -> Json:
        """As Grafana writes it."""
        return {
            "id": identity,
            "type": self.kind,
            "title": self.title,
            "description": self.about,
            "gridPos": place,
            "datasource": datasource(self.queries[0].source),
            "targets": [query.target(number) for number, query in enumerate(self.queries)],
            "fieldConfig": {"defaults": self._defaults(), "overrides": []},
            "options": _OPTIONS[self.kind],
        }

    def _defaults(self) -> Json:
        steps = [{"value": value, "color": colour} for value, colour in self.steps]
        found: Json = {"unit": self.unit, "thresholds": {"mode": "absolute", "steps": steps}}
        if self.highest is not None:
            found |= {"min": 0, "max": self.highest}
        if self.names:
            texts = {value: {"text": text} for value, text in self.names.items()}
            found["mappings"] = [{"type": "value", "options": texts}]
        if self.link:
            title, address = self.link
            found["links"] = [{"title": title, "url": address}]
        if self.kind == "timeseries":
            mode = "normal" if self.stacked else "none"
            stacking = {"group": "A", "mode": mode}
            found["custom"] = {"fillOpacity": 10, "showPoints": "never", "stacking": stacking}
        return found


@dataclass(frozen=True)
class Row:
    """Panels below a heading."""

    title: str
    panels: list[Panel]


@dataclass(frozen=True)
class Variable:
    """A choice at the top of a board, of values that are known when it is rendered."""

    name: str
    label: str
    values: list[str]

    def json(self) -> Json:
        """As Grafana writes it."""
        options = [
            {"text": value, "value": value, "selected": value == self.values[0]}
            for value in self.values
        ]
        return {
            "type": "custom", "name": self.name, "label": self.label, "hide": 0, "multi": False,
            "includeAll": False, "query": ",".join(self.values), "options": options,
            "current": options[0],
        }  # fmt: skip


@dataclass(frozen=True)
class Board:
    """One dashboard. Its uid is its file's name and a part of its address."""

    uid: str
    title: str
    about: str
    rows: list[Row]
    variables: list[Variable] = field(default_factory=list)
    since: str = "now-6h"

    def json(self) -> Json:
        """As Grafana writes it."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.about,
            "tags": ["monolith"],
            "schemaVersion": 42,
            "editable": False,
            "graphTooltip": 1,
            "refresh": "1m",
            "time": {"from": self.since, "to": "now"},
            "timezone": "browser",
            "annotations": {"list": []},
            "links": [_LINKS],
            "templating": {"list": [variable.json() for variable in self.variables]},
            "panels": self._panels(),
        }

    def _panels(self) -> list[Json]:
        found: list[Json] = []
        top = 0
        for row in self.rows:
            place = {"x": 0, "y": top, "w": WIDTH, "h": 1}
            found.append(
                {"id": _identity(row.title), "type": "row", "title": row.title,
                 "gridPos": place, "collapsed": False, "panels": []}
            )  # fmt: skip
            for panel, place in zip(row.panels, placed(row.panels, top + 1), strict=True):
                found.append(panel.json(_identity(row.title, panel.title), place))
                top = max(top, place["y"] + place["h"])
        return found


def placed(panels: list[Panel], top: int) -> list[Json]:
    """Places from left to right; a line that is full is followed by one below its highest."""
    found: list[Json] = []
    x, y, height = 0, top, 0
    for panel in panels:
        if x + panel.width > WIDTH:
            x, y, height = 0, y + height, 0
        found.append({"x": x, "y": y, "w": panel.width, "h": panel.height})
        x, height = x + panel.width, max(height, panel.height)
    return found


def datasource(uid: str) -> Json:
    """A reference to a data source; uids are the names of their types."""
    return {"type": uid, "uid": uid}


def _identity(*titles: str) -> int:
    """A number that stays when other panels come and go."""
    return zlib.crc32("/".join(titles).encode()) % 2**31


_LINKS = {
    "type": "dashboards", "title": "Dashboards", "tags": ["monolith"], "asDropdown": True,
    "includeVars": False, "keepTime": True, "targetBlank": False, "icon": "external link",
    "tooltip": "", "url": "",
}  # fmt: skip
_LEGEND = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
_LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_OPTIONS: dict[str, Json] = {
    "timeseries": {"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}},
    "stat": {
        "reduceOptions": _LAST, "colorMode": "value", "graphMode": "none", "justifyMode": "auto",
        "orientation": "auto", "textMode": "auto",
    },
    "bargauge": {
        "reduceOptions": _LAST, "displayMode": "basic", "orientation": "horizontal",
        "showUnfilled": True, "valueMode": "color", "minVizHeight": 16, "minVizWidth": 8,
    },
    "logs": {
        "showTime": True, "wrapLogMessage": True, "prettifyLogMessage": False,
        "enableLogDetails": True, "dedupStrategy": "none", "sortOrder": "Descending",
        "showLabels": False, "showCommonLabels": False,
    },
    "table": {"showHeader": True, "cellHeight": "sm"},
}  # fmt: skip
