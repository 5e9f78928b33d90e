"""Runs inside the container of bootstrap, read from standard input: takes back what those steps
have made that only the full stack has. What else they make is checked by the way.
"""

from __future__ import annotations

from monolith.bootstrap import label_studio, n8n, plane, prefect, probes, webhooks
from monolith.bootstrap.http import Api
from monolith.bootstrap.site import Site
from monolith.cli.session import Session


def targets(site: Site) -> None:
    (site.data / probes.FOLDER / probes.FILE).unlink()


def prefects(site: Site) -> None:
    api = prefect.connect(site)
    block = api.get(f"/block_types/slug/secret/block_documents/name/{label_studio.BLOCK}")
    api.send("DELETE", f"/block_documents/{block['id']}")
    deployment = api.get(f"/deployments/name/{webhooks.FLOW}/{webhooks.FLOW}")
    api.send("DELETE", f"/deployments/{deployment['id']}")


def mlflows(site: Site) -> None:
    api = Api("MLflow", site.url(webhooks.MLFLOW, webhooks.MLFLOW_PORT))
    path = "/api/2.0/mlflow/webhooks"
    for hook in api.get(path)["webhooks"]:
        api.send("DELETE", f"{path}/{hook['webhook_id']}")


def label_studios(site: Site) -> None:
    api = label_studio.connect(site)
    for hook in api.get("/api/webhooks/"):
        api.send("PATCH", f"/api/webhooks/{hook['id']}/", json={"is_active": False})


def planes(site: Site) -> None:
    api = plane.session(site)
    path = f"/api/workspaces/{plane.WORKSPACE}/webhooks/"
    for hook in api.get(path):
        api.send("DELETE", f"{path}{hook['id']}/")


def n8ns(site: Site) -> None:
    """The key is lost, and with Plane's new secret a credential is an old one."""
    kept = site.store.read(n8n.SERVICE)
    site.store.write(n8n.SERVICE, kept | {n8n.API_KEY: "lost"})


def main() -> None:
    site = Session("", "").runtime.site()
    assert site
    for undo in (targets, prefects, mlflows, label_studios, planes, n8ns):
        undo(site)


main()
