"""Asking Loki and Tempo from inside the network, where they are reached only."""

from __future__ import annotations

import json
import urllib.parse
from dataclasses import dataclass
from typing import Any

from tests.compose.conftest import ComposePlatform

LOKI, TEMPO = "http://loki.service.consul:3100", "http://tempo.service.consul:3200"
_ASK = """
import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode())
except urllib.error.HTTPError as error:
    if error.code != 404:
        raise
    print("{}")
"""


@dataclass(frozen=True)
class Line:
    """A line of a log, with its labels and all else that Loki keeps of it."""

    text: str
    labels: dict[str, str]


def ask(full: ComposePlatform, address: str) -> dict[str, Any]:
    """An answer; nothing when there is no such thing."""
    answer: dict[str, Any] = json.loads(full.inside("bootstrap", "python", "-c", _ASK, address))
    return answer


def lines(full: ComposePlatform, query: str) -> list[Line]:
    """What Loki finds among the lines of the last hour, the oldest first."""
    words = urllib.parse.urlencode({"query": query, "limit": 5000, "direction": "forward"})
    found = ask(full, f"{LOKI}/loki/api/v1/query_range?{words}")["data"]["result"]
    rows = [(row[0], row[1], stream["stream"]) for stream in found for row in stream["values"]]
    return [Line(text, labels) for _, text, labels in sorted(rows, key=lambda row: row[0])]


def spans(full: ComposePlatform, trace: str) -> dict[str, set[str]]:
    """The names of the spans of a trace, by service."""
    found: dict[str, set[str]] = {}
    for batch in ask(full, f"{TEMPO}/api/traces/{trace}").get("batches", []):
        attributes = {one["key"]: one["value"] for one in batch["resource"]["attributes"]}
        names = found.setdefault(attributes["service.name"]["stringValue"], set())
        names |= {span["name"] for scope in batch["scopeSpans"] for span in scope["spans"]}
    return found
