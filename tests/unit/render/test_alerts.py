"""Default alerts: what each kind of service gets."""

from __future__ import annotations

from typing import Any

import yaml

from monolith.manifest.stack import Stack
from monolith.render import alerts
from tests.unit.conftest import MakeStack, service


def rules(stack: Stack) -> dict[tuple[str, str], dict[str, Any]]:
    """(alert, service) -> rule."""
    groups = yaml.safe_load(alerts.text(stack))["groups"]
    found = [rule for group in groups for rule in group["rules"]]
    return {(rule["alert"], rule["labels"]["service"]): rule for rule in found}


def test_each_service_has_what_fits_it(make_stack: MakeStack) -> None:
    stack = make_stack({
        "web": service("web", {"check": {"port": 80}, "metrics": {"port": 80}}),
        "worker": service("worker"),
        "once": service("once", restart="no"),
    })  # fmt: skip
    found = rules(stack)
    assert set(found) == {
        ("ServiceMissing", "web"), ("TargetMissing", "web"), ("ServiceMissing", "worker"),
    }  # fmt: skip
    here, seen = ' and on () up{job="portal"} == 1', " and on () container_start_time_seconds"
    web, worker = found["ServiceMissing", "web"], found["ServiceMissing", "worker"]
    assert web["expr"] == f'absent(monolith_service_healthy{{service="web"}}){here}'
    assert worker["expr"] == f'absent(container_start_time_seconds{{service="worker"}}){seen}'
    assert found["TargetMissing", "web"]["expr"] == 'absent(up{job="web"})'


def test_titles_may_have_anything_in_them(make_stack: MakeStack) -> None:
    title = "a: 'b' \"c\" # {d}"
    stack = make_stack({"web": service("web", {"title": title, "check": {"port": 80}})})
    summary = rules(stack)["ServiceMissing", "web"]["annotations"]["summary"]
    assert summary == f"{title} is not there"


def test_the_text_says_where_it_is_from(product: Stack) -> None:
    head = alerts.text(product).splitlines()[:2]
    assert all(line.startswith("# ") for line in head)
    assert "monolith render" in head[1]
