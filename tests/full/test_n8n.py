"""n8n: who gets in, what workflows may see, and that bootstrap takes nobody's work away."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import httpx
import pytest

from tests.common.platform import eventually
from tests.compose.conftest import ComposePlatform
from tests.full.automation import executions, n8n, said

Node = dict[str, Any]


def node(name: str, kind: str, version: float, **parameters: Any) -> Node:
    """One node of a workflow."""
    return {
        "name": name, "type": f"n8n-nodes-base.{kind}", "typeVersion": version,
        "position": [0, 0], "parameters": parameters,
    }  # fmt: skip


@contextmanager
def published(client: httpx.Client, *behind: Node) -> Iterator[dict[str, Any]]:
    """A workflow that answers at /webhook/<its name> with what its last node gives."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    hook = node("Webhook", "webhook", 2.1, path=name, httpMethod="POST", responseMode="lastNode")
    nodes = [{**hook, "webhookId": str(uuid.uuid4())}, *behind]
    links = {
        one["name"]: {"main": [[{"node": two["name"], "type": "main", "index": 0}]]}
        for one, two in pairwise(nodes)
    }
    body = {"name": name, "nodes": nodes, "connections": links, "settings": {}}
    made = client.post("/api/v1/workflows", json=body).raise_for_status().json()
    try:
        client.post(f"/api/v1/workflows/{made['id']}/activate").raise_for_status()
        yield made
    finally:
        client.post(f"/api/v1/workflows/{made['id']}/deactivate")


def answer(client: httpx.Client, workflow: dict[str, Any]) -> httpx.Response:
    """What a published workflow answers, once n8n listens for it: a second after publishing."""

    def ask() -> httpx.Response | None:
        found = client.post(f"/webhook/{workflow['name']}", json={"value": 2})
        return None if found.status_code in (404, 502, 503) else found

    # A response is false when its status is an error, which may be what is wanted.
    (found,) = eventually(lambda: [one] if (one := ask()) is not None else None, 60)
    assert isinstance(found, httpx.Response)
    return found


def test_its_owner_signs_in_and_others_do_not(full: ComposePlatform) -> None:
    password = full.secret("n8n", "OWNER_PASSWORD")
    for given, status in ((password, 200), (f"{password}x", 401)):
        body = {"emailOrLdapLoginId": "admin@monolith.localhost", "password": given}
        with n8n(full) as client:
            assert client.post("/rest/login", json=body).status_code == status


def test_its_api_asks_for_a_key(full: ComposePlatform) -> None:
    with n8n(full) as client:
        assert client.get("/api/v1/workflows").is_success
        client.headers["X-N8N-API-KEY"] = "another"
        assert client.get("/api/v1/workflows").status_code == 401


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/METRICS", "/%6detrics", "//metrics"])
def test_metrics_are_for_prometheus_only(full: ComposePlatform, path: str) -> None:
    assert "n8n_version_info" not in full.through_front_door("n8n", path).text
    inside = full.inside("n8n", "wget", "-qO-", "http://n8n.service.consul:5678/metrics")
    assert "n8n_version_info" in inside


@pytest.mark.parametrize("given", [None, "", "0" * 64])
def test_an_alert_without_the_token_is_refused(full: ComposePlatform, given: str | None) -> None:
    headers = {} if given is None else {"X-Monolith-Token": given}
    with n8n(full) as client:
        refused = client.post("/webhook/alerts", json={"alerts": []}, headers=headers)
    assert refused.status_code == 403


def test_an_alert_is_kept_as_an_execution(full: ComposePlatform) -> None:
    name = f"Test{uuid.uuid4().hex[:8]}"
    alert = {"status": "firing", "labels": {"alertname": name}, "annotations": {"summary": "s"}}
    headers = {"X-Monolith-Token": full.secret("n8n", "WEBHOOK_TOKEN")}
    with n8n(full) as client:
        client.post("/webhook/alerts", json={"alerts": [alert]}, headers=headers).raise_for_status()
        assert eventually(
            lambda: any(
                told["alert"] == name and told["summary"] == "s"
                for one in executions(client, "alerts")
                for told in said(one, "What is wrong")
            ),
            30,
        )


def test_a_workflow_computes_and_outlives_a_restart(full: ComposePlatform) -> None:
    code = node("Code", "code", 2, jsCode="return [{json: {sum: $json.body.value + 40}}]")
    with n8n(full) as client, published(client, code) as workflow:
        assert answer(client, workflow).json() == {"sum": 42}
        full.compose("restart", "n8n")
        assert eventually(full.all_healthy, 180)
        assert answer(client, workflow).json() == {"sum": 42}


@pytest.mark.parametrize(
    "code",
    [
        "return [{json: {found: process.env.N8N_ENCRYPTION_KEY || 'nothing'}}]",
        "return [{json: {found: require('fs').readFileSync('/secrets/env', 'utf8')}}]",
        "return [{json: {found: require('child_process').execSync('env').toString()}}]",
        "return [{json: {found: (0, eval)('process').env.N8N_ENCRYPTION_KEY || 'nothing'}}]",
    ],
)
def test_code_does_not_see_the_secrets(full: ComposePlatform, code: str) -> None:
    with n8n(full) as client, published(client, node("Code", "code", 2, jsCode=code)) as workflow:
        text = answer(client, workflow).text
    assert full.secret("n8n", "N8N_ENCRYPTION_KEY") not in text


def test_expressions_do_not_see_the_environment(full: ComposePlatform) -> None:
    field = {"id": "1", "name": "found", "value": "={{ $env.N8N_ENCRYPTION_KEY }}"}
    shows = node("Show", "set", 3.5, assignments={"assignments": [{**field, "type": "string"}]})
    with n8n(full) as client, published(client, shows) as workflow:
        text = answer(client, workflow).text
    assert full.secret("n8n", "N8N_ENCRYPTION_KEY") not in text


def test_programs_of_the_container_are_not_run(full: ComposePlatform) -> None:
    runs = node("Run", "executeCommand", 1, command="echo it-ran")
    with n8n(full) as client:
        try:
            with published(client, runs) as workflow:
                assert "it-ran" not in answer(client, workflow).text
        except httpx.HTTPStatusError as refused:
            assert refused.response.status_code == 400


def test_bootstrap_changes_nothing_twice_and_keeps_what_people_changed(
    full: ComposePlatform,
) -> None:
    assert "n8n        unchanged" in full.run("bootstrap", "n8n")
    with n8n(full) as client:
        query = {"name": "mlflow"}
        listed = client.get("/api/v1/workflows", params=query).raise_for_status().json()["data"]
        (there,) = [one for one in listed if one["name"] == "mlflow"]
        body = {key: there[key] for key in ("name", "nodes", "connections", "settings")}
        mine = [{**one, "disabled": one["name"] == "What happened"} for one in body["nodes"]]
        path = f"/api/v1/workflows/{there['id']}"
        client.put(path, json={**body, "nodes": mine}).raise_for_status()
        try:
            assert "n8n        unchanged" in full.run("bootstrap", "n8n")
            kept = client.get(path).json()
            assert kept["active"]
            assert any(one.get("disabled") for one in kept["nodes"])
        finally:
            client.put(path, json=body).raise_for_status()
