"""Every alert has a page, and a rule test that makes it fire and one that keeps it quiet."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from monolith.cli import app
from tests.common.alerts import LOKI_RULES, PROMETHEUS_RULES, RULE_TESTS, alerts, without_thresholds
from tests.unit.conftest import ROOT

RUNBOOKS = ROOT / "docs/runbooks"
ALL = alerts([*PROMETHEUS_RULES, *LOKI_RULES])
IN_PROMETHEUS = {one.name for one in alerts(PROMETHEUS_RULES)}
PAGES = sorted(path for path in RUNBOOKS.glob("*.md") if path.name != "README.md")
_MATCHER = re.compile(r'(\w+)(=~|!=|=)"(.*)"')
_MEANS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda value, wanted: value == wanted,
    "!=": lambda value, wanted: value != wanted,
    "=~": lambda value, wanted: bool(re.fullmatch(wanted, value)),
}
_NAMED = re.compile(r'ALERTS\{.*?alertname="(\w+)"')


def test_there_is_an_alert_for_what_matters() -> None:
    assert len({one.name for one in ALL}) >= 25


@pytest.mark.parametrize("alert", ALL, ids=lambda one: f"{one.name}-{one.words['labels']}")
def test_an_alert_says_what_is_wrong_and_what_to_do(alert: Any) -> None:
    notes = alert.words["annotations"]
    assert alert.words["labels"]["severity"] in ("critical", "warning")
    assert set(notes) == {"summary", "description", "runbook"}
    assert notes["runbook"] == f"docs/runbooks/{alert.name}.md"
    assert not re.search(r'[<>]|==|!=(?!")', without_thresholds(alert.expr)), alert.expr


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert {page.stem for page in PAGES} == {one.name for one in ALL}
    index = (RUNBOOKS / "README.md").read_text()
    rows = dict(re.findall(r"^\| \[(\w+)\]\(\1\.md\) \| (\w+) \|$", index, re.MULTILINE))
    assert rows == {one.name: one.words["labels"]["severity"] for one in ALL}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_short_and_can_be_followed(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n")
    assert "\n## Do\n" in text
    assert "\n## Look\n" in text
    assert len(text.splitlines()) <= 50
    for link in re.findall(r"\]\(([^)#]+\.md)", text):
        assert (page.parent / link).is_file(), link
    for path in re.findall(r"`((?:config|docs)/[\w./-]+\.\w+)`", text):
        assert "SERVICE" in path or (ROOT / path).is_file(), path


def test_pages_use_verbs_that_there_are() -> None:
    verbs = {
        command.name or getattr(command.callback, "__name__", "")
        for command in app.app.registered_commands
    }
    verbs |= {group.name for group in app.app.registered_groups}
    used = {v for page in PAGES for v in re.findall(r"\./monolith ([a-z]+)", page.read_text())}
    assert used <= verbs


def hides(source: dict[str, str], target: dict[str, str]) -> bool:
    """Whether Alertmanager does not tell `target` while it tells `source`, by their labels."""
    rules = yaml.safe_load((ROOT / "config/alertmanager/alertmanager.yml").read_text())
    return any(
        _fits(source, rule["source_matchers"])
        and _fits(target, rule["target_matchers"])
        and all(source.get(name) == target.get(name) for name in rule["equal"])
        for rule in rules["inhibit_rules"]
    )


def _fits(labels: dict[str, str], matchers: list[str]) -> bool:
    found = [_MATCHER.fullmatch(one) for one in matchers]
    return all(one and _MEANS[one[2]](labels.get(one[1], ""), one[3]) for one in found)


def test_what_follows_from_a_service_that_is_down_is_not_told() -> None:
    down = {"alertname": "ServiceDown", "severity": "critical", "service": "mlflow"}
    address = {**down, "alertname": "AddressUnreachable"}
    slow = {**down, "alertname": "SlowRoute", "severity": "warning"}
    assert hides(down, address)
    assert hides({**down, "alertname": "ServiceMissing"}, address)
    assert hides(down, slow)
    assert not hides(down, {**address, "service": "n8n"})
    assert not hides(address, down)
    assert not hides(down, {**down, "alertname": "RestartLoop"})


def expectations() -> tuple[set[str], set[str]]:
    """Names of alerts that a rule test expects to fire, and of those it expects not to."""
    fires: set[str] = set()
    quiet: set[str] = set()
    for file in RULE_TESTS:
        for test in yaml.safe_load(file.read_text())["tests"]:
            for one in test.get("alert_rule_test", []):
                (fires if one["exp_alerts"] else quiet).add(one["alertname"])
            for one in test.get("promql_expr_test", []):
                (fires if one["exp_samples"] else quiet).update(_NAMED.findall(one["expr"]))
    return fires, quiet


def test_every_alert_is_made_to_fire_and_kept_quiet() -> None:
    fires, quiet = expectations()
    assert fires == IN_PROMETHEUS
    assert quiet == IN_PROMETHEUS


def test_every_rule_test_is_named_by_what_it_expects() -> None:
    for file in RULE_TESTS:
        for test in yaml.safe_load(file.read_text())["tests"]:
            alert, says = test["name"].split()[:2]
            expected = [one["exp_alerts"] for one in test.get("alert_rule_test", [])]
            expected += [one["exp_samples"] for one in test.get("promql_expr_test", [])]
            assert {bool(one) for one in expected} == {says == "fires"}, test["name"]
            assert alert in IN_PROMETHEUS, test["name"]


@pytest.mark.parametrize(
    ("expr", "left"),
    [
        ("up == 0", "up"),
        ("a / (b > 2) > 0.2", "a / (b)"),
        ('x{code=~"5.."} >= 16', 'x{code=~"5.."}'),
        ('absent(a{s="x"}) and on () b == 1', 'a{s="x"} and on () b'),
    ],
)
def test_an_expression_without_its_threshold(expr: str, left: str) -> None:
    assert without_thresholds(expr) == left
