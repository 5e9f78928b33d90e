"""The alerts as their files say: what several lanes ask of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.common.platform import ROOT

PROMETHEUS_RULES = sorted((ROOT / "config/prometheus/rules").glob("*.yaml"))
LOKI_RULES = sorted((ROOT / "config/loki/rules/fake").glob("*.yaml"))
RULE_TESTS = sorted((ROOT / "tests/rules").glob("*.yaml"))
_THRESHOLD = re.compile(r"\s*(?:==|!=|>=|<=|>|<)\s*-?[0-9.]+")
_ABSENT = re.compile(r"absent\(([^()]*)\)")


@dataclass(frozen=True)
class Alert:
    """One rule, and the file it is in."""

    file: Path
    name: str
    expr: str
    words: dict[str, Any]


def alerts(files: list[Path]) -> list[Alert]:
    """All alerts of these files, in their order."""
    groups = [group for file in files for group in _groups(file)]
    return [Alert(file, rule["alert"], rule["expr"], rule) for file, rule in groups]


def _groups(file: Path) -> list[tuple[Path, dict[str, Any]]]:
    content = yaml.safe_load(file.read_text())
    return [(file, rule) for group in content["groups"] for rule in group["rules"]]


def without_thresholds(expr: str) -> str:
    """The expression without its comparisons with numbers: it has data when all is well, too."""
    return _ABSENT.sub(r"\1", _THRESHOLD.sub("", expr))
