"""File a work item in Plane: a title, a text, and links to where the work was done.

It knows no address: PLANE_BASE_URL and PLANE_WORKSPACE_SLUG are in the environment, Plane's API key
in Prefect's secret block `plane-api-key`.
"""

import json
import os
import sys
from html import escape
from typing import Annotated, Any

import httpx
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_link_artifact
from prefect.blocks.system import Secret
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from prefect.tasks import exponential_backoff
from pydantic import BaseModel, Field

NETWORK: dict[str, Any] = {
    "retries": 3,
    "retry_delay_seconds": exponential_backoff(backoff_factor=2),
    "cache_policy": NO_CACHE,
}


class Link(BaseModel):
    """Where something is to be seen."""

    title: str
    url: str


def plane() -> httpx.Client:
    """Return a client of the workspace, with the key of the secret block."""
    workspace = os.environ["PLANE_WORKSPACE_SLUG"]
    return httpx.Client(
        base_url=f"{os.environ['PLANE_BASE_URL']}/api/v1/workspaces/{workspace}/",
        headers={"X-Api-Key": Secret.load("plane-api-key").get()},
        timeout=30,
    )


@task(**NETWORK)
def ensure_project(name: str, identifier: str) -> str:
    """Return the id of the project, made if missing."""
    with plane() as client:
        projects = client.get("projects/").raise_for_status().json()["results"]
        for project in projects:
            if project["identifier"] == identifier:
                return str(project["id"])
        made = client.post("projects/", json={"name": name, "identifier": identifier})
        return str(made.raise_for_status().json()["id"])


@task(**NETWORK)
def create(project: str, title: str, description: str, links: list[Link]) -> dict[str, Any]:
    """Make the work item; its text holds the links, too. A retry finds the one that was made."""
    body = {"name": title, "description_html": html(description, links)}
    body |= {"external_source": "prefect", "external_id": flow_run.id}
    address = f"projects/{project}/work-items/"
    with plane() as client:
        answer = client.post(address, json=body)
        if answer.status_code == httpx.codes.CONFLICT:
            answer = client.get(f"{address}{answer.json()['id']}/")
        return dict(answer.raise_for_status().json())


@task(**NETWORK)
def attach(project: str, item: str, link: Link) -> None:
    """Put a link beside the work item; one that is there already is left."""
    with plane() as client:
        address = f"projects/{project}/work-items/{item}/links/"
        answer = client.post(address, json=link.model_dump())
        # Plane's answer is 400, as for an address that it does not take.
        if "already exists" not in answer.text:
            answer.raise_for_status()


@flow(name="file-work-item")
def file_work_item(
    title: Annotated[str, Field(min_length=1, max_length=255)],
    description: str = "",
    links: list[Link] = [],  # noqa: B006
    project: str = "Monolith",
    identifier: str = "MONO",
) -> dict[str, Any]:
    """File one work item and return where it is."""
    where = ensure_project(project, identifier)
    item = create(where, title, description, links)
    for link in links:
        attach(where, item["id"], link)
    result = {"project": where, "item": item["id"], "sequence": item["sequence_id"]}
    result["url"] = page(f"{identifier}-{item['sequence_id']}")
    create_link_artifact(result["url"], title, key="plane-work-item")
    get_run_logger().info("Filed %s-%s: %s", identifier, item["sequence_id"], result["url"])
    return result


def page(name: str) -> str:
    """Return the page of a work item such as MONO-7."""
    web = os.environ.get("PLANE_WEB_URL") or os.environ["PLANE_BASE_URL"]
    return f"{web}/{os.environ['PLANE_WORKSPACE_SLUG']}/browse/{name}/"


def html(description: str, links: list[Link]) -> str:
    """Return the text as HTML, one paragraph for it and one for each link."""
    rows = [f'<a href="{escape(link.url)}">{escape(link.title)}</a>' for link in links]
    text = "".join(f"<p>{row}</p>" for row in [escape(description), *rows] if row)
    # Plane takes no empty one.
    return text or "<p></p>"


if __name__ == "__main__":
    print(json.dumps(file_work_item(**json.loads(sys.argv[1] if sys.argv[1:] else "{}"))))
