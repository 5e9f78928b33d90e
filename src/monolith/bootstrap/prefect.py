"""Prefect: the work pool of the flows, and the blocks that flows load."""

from __future__ import annotations

from typing import Any

from monolith.bootstrap import waiting
from monolith.bootstrap.http import Api
from monolith.bootstrap.site import Site
from monolith.store.model import REGION

SERVICE, PORT = "prefect", 4200
POOL = "default"
RESULTS_BUCKET = "prefect-results"
RESULTS = "results"
"""Name of the blocks under which flows keep their results: `s3-bucket/results`."""

STORE = "s3"
_STORE = f"http://{STORE}.service.consul:9000"


def connect(site: Site) -> Api:
    """Prefect's API, when it answers and has its database."""
    url = site.url(SERVICE, PORT)
    waiting.until_answers(f"{url}/api/ready", "Prefect answers")
    return Api("Prefect", f"{url}/api")


def ensure(site: Site) -> list[str]:
    """Make the work pool, and the blocks for results. Returns what was changed, in words."""
    api = connect(site)
    return _pool(api) + _results(site, api)


def _pool(api: Api) -> list[str]:
    if api.find(f"/work_pools/{POOL}"):
        return []
    # Without a template: the first worker that comes gives its own, which fits its version.
    answer = api.send("POST", "/work_pools/", 409, json={"name": POOL, "type": "process"})
    return [] if answer.is_error else [f"work pool {POOL}"]


def _results(site: Site, api: Api) -> list[str]:
    owner = next((e for e in site.entries() if RESULTS_BUCKET in e.monolith.buckets), None)
    if owner is None or not site.has(STORE):
        return []
    credentials = {
        "minio_root_user": site.secret(owner.name, "S3_ACCESS_KEY"),
        "minio_root_password": site.secret(owner.name, "S3_SECRET_KEY"),
        "region_name": REGION,
        # Read by the worker, wherever this code runs.
        "aws_client_parameters": {"endpoint_url": _STORE},
    }
    key, changes = ensure_block(api, "minio-credentials", RESULTS, credentials)
    reference = {"$ref": {"block_document_id": key}}
    bucket = {"bucket_name": RESULTS_BUCKET, "credentials": reference}
    return changes + ensure_block(api, "s3-bucket", RESULTS, bucket)[1]


def ensure_block(api: Api, kind: str, name: str, data: dict[str, Any]) -> tuple[str, list[str]]:
    """A block document that holds `data`. Returns its id, and what was changed, in words."""
    there = api.find(f"/block_types/slug/{kind}/block_documents/name/{name}",
                     params={"include_secrets": True})  # fmt: skip
    if there is None:
        return _create(api, kind, name, data), [f"block {kind}/{name}"]
    if _holds(there, data):
        return there["id"], []
    body = {"data": data, "merge_existing_data": False}
    api.send("PATCH", f"/block_documents/{there['id']}", json=body)
    return there["id"], [f"contents of block {kind}/{name}"]


def _create(api: Api, kind: str, name: str, data: dict[str, Any]) -> str:
    schema = waiting.until(lambda: _schema(api, kind), f"Prefect knows blocks {kind}")
    body = {
        "name": name, "data": data,
        "block_type_id": schema["block_type_id"], "block_schema_id": schema["id"],
    }  # fmt: skip
    return str(api.post("/block_documents/", body)["id"])


def _schema(api: Api, kind: str) -> dict[str, Any] | None:
    """The newest form of a block type. The server registers those of Prefect's collections."""
    found = api.find(f"/block_types/slug/{kind}")
    if found is None:
        return None
    query = {"block_schemas": {"block_type_id": {"any_": [found["id"]]}}, "limit": 1}
    return next(iter(api.post("/block_schemas/filter", query)), None)


def _holds(document: dict[str, Any], data: dict[str, Any]) -> bool:
    """Whether a document has this content; a reference is told beside it."""
    references = {
        name: {"$ref": {"block_document_id": one["block_document"]["id"]}}
        for name, one in document["block_document_references"].items()
    }
    return bool(document["data"] | references == data)
