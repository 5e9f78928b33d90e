"""n8n as a program uses it: what became of a workflow."""

from __future__ import annotations

from typing import Any

import httpx

from tests.compose.conftest import ComposePlatform


def n8n(platform: ComposePlatform) -> httpx.Client:
    """Its API through the front door, with the key that bootstrap made."""
    return httpx.Client(
        base_url=f"http://127.0.0.1:{platform.ports['HTTP']}", timeout=30,
        headers={"Host": platform.host("n8n"), "X-N8N-API-KEY": platform.secret("n8n", "API_KEY")},
    )  # fmt: skip


def executions(client: httpx.Client, workflow: str) -> list[dict[str, Any]]:
    """The finished executions of a workflow, the newest first, with what each of its nodes did."""
    listed = client.get("/api/v1/workflows", params={"name": workflow}).raise_for_status().json()
    (found,) = [one for one in listed["data"] if one["name"] == workflow]
    query = {"workflowId": found["id"], "includeData": "true", "limit": "20"}
    answer = client.get("/api/v1/executions", params=query).raise_for_status().json()
    return [one for one in answer["data"] if one["finished"]]


def said(execution: dict[str, Any], node: str) -> list[dict[str, Any]]:
    """What a node gave to the next; nothing when it was not its turn."""
    runs = execution["data"]["resultData"]["runData"].get(node, [])
    return [item["json"] for run in runs for branch in run["data"]["main"] for item in branch or []]
