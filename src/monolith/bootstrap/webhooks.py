"""Webhooks: what Label Studio, MLflow and Plane tell n8n, each with a secret.

n8n's workflows check these secrets. Names are dotted: the applications refuse others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from monolith import project
from monolith.bootstrap import deployments, label_studio, plane, prefect, waiting
from monolith.bootstrap.http import Api
from monolith.bootstrap.site import Site
from monolith.errors import UserError

RECEIVER, PORT = "n8n", 5678
HEADER = "X-Monolith-Token"
TOKEN, MLFLOW_SECRET, PLANE_SECRET = (
    "WEBHOOK_TOKEN", "MLFLOW_WEBHOOK_SECRET", "PLANE_WEBHOOK_SECRET",
)  # fmt: skip
"""Keys of n8n's document in the secret store. The last one is issued by Plane."""
FLOW = "count-annotations"
"""The deployment that n8n starts when something was labelled."""

MLFLOW, MLFLOW_PORT = "mlflow", 5000
WORKER = "prefect-worker"

_LABELLED = ["ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED"]
_REGISTERED = [
    {"entity": name, "action": "CREATED"}
    for name in ("REGISTERED_MODEL", "MODEL_VERSION", "MODEL_VERSION_ALIAS")
]
_PLANNED = {"project": True, "issue": True, "issue_comment": True, "cycle": True, "module": True}


def ensure(site: Site) -> list[str]:
    """Point the webhooks of what runs here at n8n. Returns what was changed, in words."""
    # Applications refuse a name that does not resolve yet.
    waiting.until_answers(f"{site.url(RECEIVER, PORT)}/healthz", "n8n answers")
    wires: list[tuple[str, Callable[[Site], list[str]]]] = [
        (WORKER, _flow),
        (label_studio.SERVICE, _label_studio),
        (MLFLOW, _mlflow),
        (plane.SERVICE, _plane),
    ]
    return [change for service, wire in wires if site.has(service) for change in wire(site)]


def address(site: Site, path: str) -> str:
    """Where n8n listens, as other services see it."""
    return f"http://{site.stack.service(RECEIVER).alias}:{PORT}/webhook/{path}"


def _flow(site: Site) -> list[str]:
    file = project.find().flows / "prefect.yaml"
    return deployments.ensure(prefect.connect(site), file, FLOW)


def _label_studio(site: Site) -> list[str]:
    api = label_studio.connect(site)
    there = next((one for one in api.get("/api/webhooks/") if one["project"] is None), None)
    if there is None:
        raise UserError(
            "Label Studio has no webhook for all projects; its API makes them for one only.",
            hint=f"`./monolith restart {label_studio.SERVICE}`, which makes it",
        )
    wanted = {
        "url": address(site, "label-studio"), "headers": {HEADER: site.secret(RECEIVER, TOKEN)},
        "is_active": True, "send_payload": True, "send_for_all_actions": False,
        "actions": _LABELLED,
    }  # fmt: skip
    if _is(there, wanted):
        return []
    api.send("PATCH", f"/api/webhooks/{there['id']}/", json=wanted)
    return ["webhook of Label Studio"]


def _is(there: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether an answer has what is wanted; lists are sets."""
    return all(_sorted(there.get(name)) == _sorted(value) for name, value in wanted.items())


def _sorted(value: Any) -> Any:
    return sorted(value, key=str) if isinstance(value, list) else value


def _mlflow(site: Site) -> list[str]:
    api = Api("MLflow", site.url(MLFLOW, MLFLOW_PORT))
    secret = site.secret(RECEIVER, MLFLOW_SECRET)
    wanted = {
        "name": RECEIVER, "url": address(site, "mlflow"), "status": "ACTIVE",
        "events": _REGISTERED, "description": f"Made by the platform, secret {_mark(secret)}",
    }  # fmt: skip
    path = "/api/2.0/mlflow/webhooks"
    hooks = api.get(path).get("webhooks", [])
    there = next((one for one in hooks if one["name"] == RECEIVER), None)
    if there is None:
        api.send("POST", path, json=wanted | {"secret": secret})
    elif not _is(there, wanted):
        api.send("PATCH", f"{path}/{there['webhook_id']}", json=wanted | {"secret": secret})
    else:
        return []
    return ["webhook of MLflow"]


def _mark(secret: str) -> str:
    """Tells whether a secret is the same, where it is never shown again."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


def _plane(site: Site) -> list[str]:
    """Plane makes the secret itself, and tells it once."""
    api = plane.session(site)
    path = f"/api/workspaces/{plane.WORKSPACE}/webhooks/"
    url = address(site, "plane")
    there = next((one for one in api.get(path) if one["url"] == url), None)
    wanted = {"url": url, "is_active": True, **_PLANNED}
    if there is None:
        return _keep(site, api.post(path, wanted))
    changes = []
    if not _is(there, wanted):
        api.send("PATCH", f"{path}{there['id']}/", json=wanted)
        changes = ["webhook of Plane"]
    if not site.store.read(RECEIVER).get(PLANE_SECRET):
        changes = _keep(site, api.post(f"{path}{there['id']}/regenerate/"))
    return changes


def _keep(site: Site, answer: dict[str, Any]) -> list[str]:
    values = site.store.read(RECEIVER) | {PLANE_SECRET: answer["secret_key"]}
    site.store.write(RECEIVER, values)
    return ["webhook of Plane and its secret"]
