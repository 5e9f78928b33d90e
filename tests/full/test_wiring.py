"""Applications tell each other: what happens in one starts a workflow, and nobody else can."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.common.platform import eventually
from tests.compose.conftest import ComposePlatform
from tests.compose.test_data import plane
from tests.full.automation import executions, n8n, said
from tests.full.labels import TEXT, annotate, label_studio, new_project, tasks

LAST = "What happened"
"""The node of each workflow that only a message with a good signature gets to."""
OLD_SECONDS = 3600
Sign = Callable[[str, bytes, int], dict[str, str]]


def flow_runs(platform: ComposePlatform, project: int) -> list[dict[str, Any]]:
    """Completed runs of the flow that counts, for one project of Label Studio."""
    query = {
        "deployments": {"name": {"any_": ["count-annotations"]}},
        "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}},
    }
    found = platform.prefect("flow_runs/filter", query)
    return [run for run in found if run["parameters"] == {"project": project}]


def test_an_annotation_starts_a_workflow_which_starts_a_flow(full: ComposePlatform) -> None:
    with label_studio(full) as labels:
        project = new_project(labels, "Wiring", TEXT)
        body = [{"text": "one"}, {"text": "two"}]
        labels.post(f"/api/projects/{project}/import", json=body).raise_for_status()
        first, second = tasks(labels, project)
        annotate(labels, first["id"], "good")
        assert eventually(lambda: flow_runs(full, project), 120)
        annotate(labels, second["id"], "bad")
        assert eventually(lambda: len(flow_runs(full, project)) == 2, 120)
    assert all("n8n" in run["tags"] for run in flow_runs(full, project))
    table = full.prefect(f"artifacts/labels-of-project-{project}/latest")["data"]
    assert sorted(json.loads(table), key=str) == [
        {"label": "bad", "used": 1}, {"label": "good", "used": 1},
    ]  # fmt: skip
    with n8n(full) as automation:
        told = [said(one, "Webhook") for one in executions(automation, "label-studio")]
    assert project in [one["body"]["project"]["id"] for (one,) in told]


def happened(client: httpx.Client, workflow: str) -> list[dict[str, Any]]:
    """What a workflow was told and believed."""
    return [item for one in executions(client, workflow) for item in said(one, LAST)]


def names(client: httpx.Client, workflow: str) -> list[str]:
    """Of what that was about."""
    return [str(one["name"]) for one in happened(client, workflow)]


def test_a_registered_model_version_reaches_n8n(full: ComposePlatform) -> None:
    name = f"wired-{uuid.uuid4().hex[:8]}"
    registry = f"http://127.0.0.1:{full.ports['MLFLOW']}/api/2.0/mlflow"
    model, version = {"name": name}, {"name": name, "source": "s3://elsewhere/model"}
    httpx.post(f"{registry}/registered-models/create", json=model).raise_for_status()
    httpx.post(f"{registry}/model-versions/create", json=version).raise_for_status()

    def told() -> bool:
        found = [one for one in happened(client, "mlflow") if one["name"] == name]
        return {"registered_model.created", "model_version.created"} == {
            one["event"] for one in found
        }

    with n8n(full) as client:
        assert eventually(told, 60)


def test_a_work_item_reaches_n8n_plane_stand_in(full: ComposePlatform) -> None:
    name = f"wired {uuid.uuid4().hex[:8]}"
    with plane(full) as client:
        base = "/api/v1/workspaces/monolith/projects/"
        project = client.get(base).raise_for_status().json()["results"][0]["id"]
        path = f"{base}{project}/work-items/"
        item = client.post(path, json={"name": name}).raise_for_status().json()
    with n8n(full) as client:
        wanted = {"event": "issue.created", "id": item["id"], "name": name}
        assert eventually(lambda: wanted in happened(client, "plane"), 60)


def as_mlflow(secret: str, body: bytes, at: int) -> dict[str, str]:
    """Headers of a message as MLflow signs it."""
    identifier = str(uuid.uuid4())
    text = f"{identifier}.{at}.".encode() + body
    made = base64.b64encode(hmac.digest(secret.encode(), text, hashlib.sha256)).decode()
    return {
        "X-MLflow-Delivery-Id": identifier, "X-MLflow-Timestamp": str(at),
        "X-MLflow-Signature": f"v1,{made}",
    }  # fmt: skip


def as_plane(secret: str, body: bytes, _: int) -> dict[str, str]:
    """Headers of a message as Plane signs it."""
    return {"X-Plane-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


@pytest.mark.parametrize(
    ("workflow", "sign", "key"),
    [
        ("mlflow", as_mlflow, "MLFLOW_WEBHOOK_SECRET"),
        ("plane", as_plane, "PLANE_WEBHOOK_SECRET"),
    ],
)
def test_only_what_is_signed_right_is_believed(
    full: ComposePlatform, workflow: str, sign: Sign, key: str
) -> None:
    secret, now = full.secret("n8n", key), int(time.time())

    def message(name: str) -> bytes:
        return json.dumps(
            {"entity": "e", "event": "e", "action": "a", "data": {"name": name, "id": name}}
        ).encode()

    good, bad = message(f"good-{now}"), message(f"bad-{now}")
    with n8n(full) as client:
        headers = {"Content-Type": "application/json"}

        def answer(body: bytes, signed: dict[str, str]) -> int:
            path = f"/webhook/{workflow}"
            return client.post(path, content=body, headers=headers | signed).status_code

        assert answer(good, sign(secret, good, now)) == 204
        assert answer(bad, sign(secret, good, now)) == 401
        assert answer(bad, sign("another secret", bad, now)) == 401
        assert answer(bad, {}) == 401
        if workflow == "mlflow":
            assert answer(bad, sign(secret, bad, now - OLD_SECONDS)) == 401
        assert eventually(lambda: f"good-{now}" in names(client, workflow), 30)
        assert f"bad-{now}" not in names(client, workflow)


@pytest.mark.parametrize("workflow", ["label-studio", "alerts"])
@pytest.mark.parametrize("token", ["", "wrong"])
def test_whoever_has_no_token_is_refused(full: ComposePlatform, workflow: str, token: str) -> None:
    with n8n(full) as client:
        before = len(executions(client, workflow))
        headers = {"X-Monolith-Token": token} if token else {}
        answer = client.post(f"/webhook/{workflow}", json={"project": {"id": 1}}, headers=headers)
        assert answer.status_code == 403
        assert len(executions(client, workflow)) == before
