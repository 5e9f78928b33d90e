"""Deployments of the flows in Prefect, as `prefect_flows/prefect.yaml` describes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from monolith.bootstrap.http import Api


def ensure(api: Api, file: Path, name: str) -> list[str]:
    """Offer the flow `name` by the deployment `name`. Returns what was changed, in words.

    One that is there is left: `prefect deploy` knows more of it, such as its parameters.
    """
    if api.find(f"/deployments/name/{name}/{name}"):
        return []
    flow = api.post("/flows/", {"name": name})["id"]
    api.post("/deployments/", body(yaml.safe_load(file.read_text()), name) | {"flow_id": flow})
    return [f"deployment {name}"]


def body(described: dict[str, Any], name: str) -> dict[str, Any]:
    """What Prefect's API is told about a deployment of `prefect.yaml`."""
    found = next(one for one in described["deployments"] if one["name"] == name)
    return {
        "name": name,
        "entrypoint": found["entrypoint"],
        "work_pool_name": found["work_pool"]["name"],
        "job_variables": found["work_pool"].get("job_variables", {}),
        "pull_steps": found["pull"],
        "enforce_parameter_schema": False,
    }
