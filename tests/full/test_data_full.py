"""What lives on in the full stack: annotations, files, workflows, and what they have done."""

from __future__ import annotations

import httpx

from tests.common.checks import kept
from tests.common.platform import eventually
from tests.compose.conftest import ComposePlatform
from tests.full.automation import executions, n8n
from tests.full.labels import PICTURE, annotate, choices, fetch, label_studio, new_project, tasks
from tests.full.test_label_studio import PNG

OWN = {
    "name": "One of my own", "connections": {}, "settings": {},
    "nodes": [
        {"id": "a", "name": "By hand", "type": "n8n-nodes-base.manualTrigger", "typeVersion": 1,
         "position": [0, 0], "parameters": {}},
    ],
}  # fmt: skip


def workflows(client: httpx.Client) -> dict[str, bool]:
    """Name -> whether it is published."""
    found = client.get("/api/v1/workflows").raise_for_status().json()["data"]
    return {one["name"]: one["active"] for one in found}


def test_labels_files_and_workflows_are_there_after_down_and_up(full: ComposePlatform) -> None:
    with label_studio(full) as client:
        project = new_project(client, "Kept", PICTURE)
        file = {"file": ("point.png", PNG, "image/png")}
        client.post(f"/api/projects/{project}/import", files=file).raise_for_status()
        annotate(client, tasks(client, project)[0]["id"], "good", "image")
    with n8n(full) as client:
        client.post("/api/v1/workflows", json=OWN).raise_for_status()
        before = workflows(client), [one["id"] for one in executions(client, "label-studio")]
    assert before[0] | {"label-studio": True, "One of my own": False} == before[0]
    with kept(full):
        full.compose("down")
        assert full.containers() == {}
        full.compose("up", "-d", "--wait")
    for host, path in (("labels", "/health"), ("n8n", "/healthz")):
        assert eventually(lambda: full.through_front_door(host, path).is_success, 60)  # noqa: B023
    with label_studio(full) as client:
        assert choices(client, project) == [["good"]]
        (task,) = tasks(client, project)
        assert fetch(client, task["data"]["image"]).content == PNG
    with n8n(full) as client:
        now = workflows(client), [one["id"] for one in executions(client, "label-studio")]
    assert now[0] == before[0]
    assert set(before[1]) <= set(now[1])
