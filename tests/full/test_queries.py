"""Every question of every dashboard and alert has an answer while the platform works.

A metric that was renamed by an update, a label that is called otherwise, a range that is too short:
each leaves a panel empty and an alert silent, and nothing says so.
"""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.common.platform import eventually
from tests.common.queries import Question, of_alerts, of_dashboards
from tests.compose.conftest import ComposePlatform

EXCEPTIONS = {
    "alert CertificateExpiring": "there is no certificate while the front door speaks HTTP",
    "alert CollectorDropping": "its counters are made by the first failure",
    "alert HighErrorRatio": "no route answers 5xx while all is well",
    "alert LogErrorBurst": "nothing has to log errors while all is well",
}
"""Who may ask and get no answer, and why. Rule tests show that these alerts fire all the same."""
MINUTES, PAUSE = 6, 10

ADDRESSES = {
    "prometheus": "http://prometheus.service.consul:9090/api/v1/query",
    "loki": "http://loki.service.consul:3100/loki/api/v1/query_range",
    "tempo": "http://tempo.service.consul:3200/api/search",
}
_ASK = """
import json, sys, urllib.error, urllib.request
def ask(address):
    try:
        return json.load(urllib.request.urlopen(address, timeout=30))
    except urllib.error.HTTPError as error:
        return {"refused": f"{address}: {error.read().decode()}"}
print(json.dumps([ask(address) for address in json.load(sys.stdin)]))
"""


def address(question: Question) -> str:
    """The question as an address of its store's API, about the last hour."""
    now = int(time.time())
    words: dict[str, Any] = {"query": question.text}
    if question.store == "loki":
        words |= {"start": (now - 3600) * 10**9, "end": now * 10**9, "limit": 5}
    elif question.store == "tempo":
        words = {"q": question.text, "start": now - 3600, "end": now, "limit": 5}
    return f"{ADDRESSES[question.store]}?{urlencode(words)}"


def rows(answer: dict[str, Any]) -> list[Any]:
    """What came back: series, lines, or traces. A series of nothing but NaN is nothing."""
    if "traces" in answer:
        return list(answer["traces"] or [])
    found = answer["data"]["result"]
    return [one for one in found if one.get("value", [0, "0"])[1] != "NaN"]


def answers(full: ComposePlatform, questions: list[Question]) -> list[list[Any]]:
    """What the stores say, asked from inside the network; a refused question is a failure."""
    given = json.dumps([address(one) for one in questions])
    found = json.loads(full.inside("bootstrap", "python", "-c", _ASK, given=given))
    assert [one["refused"] for one in found if "refused" in one] == []
    return [rows(one) for one in found]


def use(full: ComposePlatform) -> None:
    """What people do all the time: without requests there is no time to answer."""
    for name in ("prefect", "mlflow", "grafana", "n8n"):
        full.through_front_door(name, "/")


def unanswered(full: ComposePlatform, questions: list[Question]) -> list[Question]:
    """Those that have no answer within some minutes of use."""
    left = list(questions)

    def none_left() -> bool:
        use(full)
        found = zip(left, answers(full, left), strict=True)
        left[:] = [question for question, answer in found if not answer]
        if left:
            time.sleep(PAUSE)
        return not left

    eventually(none_left, MINUTES * 60)
    return left


@pytest.fixture(scope="session")
def used(shared: ComposePlatform) -> ComposePlatform:
    """The platform with a run of a flow in this hour, whatever the other tests have left."""
    flow = shared.prefect("flows/", {"name": "asked-for"})
    run = shared.prefect("flow_runs/", {"flow_id": flow["id"]})
    done = {"state": {"type": "COMPLETED", "name": "Completed"}, "force": True}
    shared.prefect(f"flow_runs/{run['id']}/set_state", done)
    return shared


def test_every_panel_has_data(used: ComposePlatform) -> None:
    questions = [one for one in of_dashboards() if one.asker not in EXCEPTIONS]
    assert len(questions) > 100
    assert [str(one) for one in unanswered(used, questions)] == []


def test_every_alert_watches_something(used: ComposePlatform) -> None:
    questions = [one for one in of_alerts() if one.asker not in EXCEPTIONS]
    assert [str(one) for one in unanswered(used, questions)] == []


def test_an_exception_is_of_somebody_who_asks() -> None:
    askers = {one.asker for one in [*of_alerts(), *of_dashboards()]}
    assert set(EXCEPTIONS) <= askers


def test_a_question_without_an_answer_is_found(used: ComposePlatform) -> None:
    nothing = Question("a test", "prometheus", "no_such_metric")
    everything = Question("a test", "prometheus", "up")
    empty, full = answers(used, [nothing, everything])
    assert empty == []
    assert full != []
