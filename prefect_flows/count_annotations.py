"""Count what was labelled in a project of Label Studio, label by label.

It knows no address: LABEL_STUDIO_URL is in the environment, the token in Prefect's secret block
`label-studio-token`. n8n starts it when something was labelled; a training flow can be started from
here once there is enough.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.blocks.system import Secret
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

NETWORK: dict[str, Any] = {
    "retries": 3,
    "retry_delay_seconds": exponential_backoff(backoff_factor=2),
    "cache_policy": NO_CACHE,
}


def label_studio() -> httpx.Client:
    """Return a client with the token of the secret block."""
    token = Secret.load("label-studio-token").get()
    return httpx.Client(
        base_url=os.environ["LABEL_STUDIO_URL"],
        headers={"Authorization": f"Token {token}"},
        timeout=60,
    )


@task(**NETWORK)
def labelled_tasks(project: int) -> list[dict[str, Any]]:
    """Return the tasks of a project that somebody has annotated, with their annotations."""
    with label_studio() as client:
        answer = client.get(f"/api/projects/{project}/export", params={"exportType": "JSON"})
        return list(answer.raise_for_status().json())


def labels(tasks: list[dict[str, Any]]) -> Iterator[str]:
    """Give each label as often as it was used."""
    for one in tasks:
        for annotation in one["annotations"]:
            for region in annotation["result"]:
                # The labels of a region are under the name of its kind: choices, rectanglelabels.
                found = region.get("value", {}).get(region.get("type"), [])
                yield from (label for label in found if isinstance(label, str))


@flow(name="count-annotations")
def count_annotations(project: int) -> dict[str, Any]:
    """Count the annotations of one project and return how often each label was used."""
    tasks = labelled_tasks(project)
    counts = Counter(labels(tasks))
    rows = [{"label": label, "used": number} for label, number in counts.most_common()]
    create_table_artifact(rows, key=f"labels-of-project-{project}")
    annotations = sum(len(one["annotations"]) for one in tasks)
    get_run_logger().info("Project %s: %s annotations, %s", project, annotations, dict(counts))
    return {"project": project, "annotations": annotations, "labels": dict(counts)}


if __name__ == "__main__":
    print(json.dumps(count_annotations(**json.loads(sys.argv[1]))))
