"""Dashboards as text: where panels stand, what their numbers are, how small a change is."""

from __future__ import annotations

import difflib
import json
import re
from typing import Any

import pytest

from monolith.manifest.stack import Stack
from monolith.render import dashboards
from monolith.render.dashboards.panels import graph, number
from monolith.render.dashboards.words import Board, Panel, Query, Row, placed
from tests.unit.conftest import MakeStack, service

SERVED: dict[str, Any] = {
    "check": {"port": 80},
    "url": {"host": "web", "port": 80},
    "access": "users",
}


def sized(*sizes: tuple[int, int]) -> list[Panel]:
    query = Query("up")
    return [graph("a", query, width=width, height=height) for width, height in sizes]


@pytest.mark.parametrize(
    ("sizes", "places"),
    [
        ([(12, 7), (12, 5), (24, 3)], [(0, 2), (12, 2), (0, 9)]),
        ([(8, 4), (8, 4), (9, 4)], [(0, 2), (8, 2), (0, 6)]),
        ([(20, 2), (4, 9), (4, 1)], [(0, 2), (20, 2), (0, 11)]),
    ],
)
def test_panels_stand_side_by_side(
    sizes: list[tuple[int, int]], places: list[tuple[int, int]]
) -> None:
    assert [(one["x"], one["y"]) for one in placed(sized(*sizes), 2)] == places


def test_numbers_of_panels_stay_when_another_one_comes() -> None:
    def ids(*panels: Panel) -> dict[str, int]:
        board = Board("x", "X", "", [Row("Row", list(panels))]).json()
        return {panel["title"]: panel["id"] for panel in board["panels"]}

    first, second = graph("One", Query("up")), graph("Two", Query("up"))
    before, after = ids(second), ids(first, second)
    assert before.items() <= after.items()
    assert len(set(after.values())) == 3


def test_a_number_asks_for_now_and_a_graph_for_a_time() -> None:
    target = number("a", Query("up")).queries[0].target(0)
    assert (target["instant"], target["range"]) == (True, False)
    target = graph("a", Query("up")).queries[0].target(1)
    assert (target["refId"], target["instant"], target["range"]) == ("B", False, True)


def test_each_store_is_asked_in_its_own_words() -> None:
    assert Query("{}", source="tempo").target(0)["query"] == "{}"
    assert Query("{a=~'.+'}", source="loki").target(0)["queryType"] == "range"
    for name in ("prometheus", "loki", "tempo"):
        assert Query("x", source=name).target(0)["datasource"] == {"type": name, "uid": name}


def test_the_text_is_the_content_and_no_line_is_long_that_could_be_two(product: Stack) -> None:
    for content, text in zip(
        dashboards.boards(product), dashboards.files(product).values(), strict=True
    ):
        assert json.loads(text) == content
        structures = [line for line in text.splitlines() if line.rstrip(",").endswith(("}", "]"))]
        assert max(len(line) for line in structures) <= 140


def test_a_new_service_has_its_line_and_changes_nothing_else(make_stack: MakeStack) -> None:
    before = dashboards.files(make_stack({"web": service("web", SERVED)}))
    after = dashboards.files(make_stack({"web": service("web", SERVED), "mq": service("mq")}))
    changed = {name for name in before if before[name] != after[name]}
    assert {name.rpartition("/")[2] for name in changed} == {"overview.json", "service.json"}
    overview = "config/grafana/dashboards/overview.json"
    lines = difflib.ndiff(before[overview].splitlines(), after[overview].splitlines())
    assert [line for line in lines if line.startswith("- ") and line != "-   }"] == []
    assert "Mq: memory" in after[overview]


def test_what_ends_by_itself_has_no_line(make_stack: MakeStack) -> None:
    stack = make_stack({"once": service("once", restart="no"), "web": service("web", SERVED)})
    overview, one, *_ = dashboards.boards(stack)
    assert not [panel for panel in overview["panels"] if "Once" in panel["title"]]
    assert one["templating"]["list"][0]["query"] == "web"


def test_a_session_that_is_open_for_long_is_no_slow_answer(product: Stack) -> None:
    panels = [panel for board in dashboards.boards(product) for panel in board["panels"]]
    asked = [target.get("expr", "") for panel in panels for target in panel.get("targets", [])]
    times = re.findall(r"traefik_\w+_duration_seconds_\w+(?:\{.*?\})?", " ".join(asked))
    assert len(times) >= 6
    assert [one for one in times if 'protocol="http"' not in one] == []


def test_health_is_shown_where_somebody_asks_for_it(make_stack: MakeStack) -> None:
    stack = make_stack({"web": service("web", SERVED), "worker": service("worker")})
    panels = {panel["title"]: panel for panel in dashboards.boards(stack)[0]["panels"]}
    expr = panels["Web"]["targets"][0]["expr"]
    assert expr == 'monolith_service_healthy{service="web"}'
    assert "container_start_time_seconds" in panels["Worker"]["targets"][0]["expr"]
    assert panels["Web"]["fieldConfig"]["defaults"]["links"][0]["url"].endswith("var-service=web")
