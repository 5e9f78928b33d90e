"""Label Studio as a program uses it: through the front door, with the platform's token."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.compose.conftest import ComposePlatform

TEXT = (
    '<View><Text name="text" value="$text"/><Choices name="kind" toName="text">'
    '<Choice value="good"/><Choice value="bad"/></Choices></View>'
)
PICTURE = (
    '<View><Image name="image" value="$image"/><Choices name="kind" toName="image">'
    '<Choice value="good"/><Choice value="bad"/></Choices></View>'
)


def label_studio(platform: ComposePlatform) -> httpx.Client:
    """Its API and pages; an address that it gives out leads to the front door, too."""
    token = platform.secret("label-studio", "LABEL_STUDIO_USER_TOKEN")
    return httpx.Client(
        base_url=f"http://127.0.0.1:{platform.ports['HTTP']}", timeout=30,
        headers={"Host": platform.host("labels"), "Authorization": f"Token {token}"},
    )  # fmt: skip


def new_project(client: httpx.Client, title: str, config: str) -> int:
    """A project without tasks."""
    body = {"title": title, "label_config": config}
    return int(client.post("/api/projects/", json=body).raise_for_status().json()["id"])


def tasks(client: httpx.Client, project: int) -> list[dict[str, Any]]:
    """The tasks of a project."""
    answer = client.get("/api/tasks/", params={"project": project})
    return list(answer.raise_for_status().json()["tasks"])


def annotate(client: httpx.Client, task: int, choice: str, name: str = "text") -> None:
    """Choose for a task, as the editor does."""
    region = {
        "from_name": "kind", "to_name": name, "type": "choices", "value": {"choices": [choice]},
    }  # fmt: skip
    client.post(f"/api/tasks/{task}/annotations/", json={"result": [region]}).raise_for_status()


def choices(client: httpx.Client, project: int) -> list[Any]:
    """What was chosen in a project, as an export tells."""
    answer = client.get(f"/api/projects/{project}/export", params={"exportType": "JSON"})
    return [
        region["value"]["choices"]
        for task in answer.raise_for_status().json()
        for annotation in task["annotations"]
        for region in annotation["result"]
    ]


def fetch(client: httpx.Client, url: str) -> httpx.Response:
    """A file of a task, asked for as a page of Label Studio does: never from another address."""
    parts = urlsplit(url)
    assert parts.netloc in ("", client.headers["Host"])
    return client.get(f"{parts.path}?{parts.query}")
