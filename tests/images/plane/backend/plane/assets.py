"""STAND-IN. Files: the browser sends them to the store itself, with a form that Plane signs."""

from __future__ import annotations

import os
import uuid
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from plane import accounts, storage
from plane.database import Row, insert, one, update
from plane.web import Answer, Call, RefusedError, needed, route

IMAGES = {"image/jpeg", "image/png", "image/webp", "image/jpg", "image/gif"}
# Of these everybody may see the file; the others have addresses inside their workspace.
OPEN = {"USER_AVATAR", "USER_COVER", "WORKSPACE_LOGO", "PROJECT_COVER"}
INSIDE = {
    "ISSUE_ATTACHMENT", "ISSUE_DESCRIPTION", "COMMENT_DESCRIPTION", "PAGE_DESCRIPTION",
    "DRAFT_ISSUE_DESCRIPTION", "DRAFT_ISSUE_ATTACHMENT",
}  # fmt: skip
MISSING = {"error": "The requested asset could not be found."}


def endpoint(call: Call) -> str:
    """The address that this request's files are signed for."""
    return storage.signed_for(call.request.url.scheme, call.request.headers["host"])


def wrong(text: str) -> RefusedError:
    """A refusal of a file."""
    return RefusedError(400, {"error": text, "status": False})


def wanted(call: Call) -> tuple[str, str, int]:
    """Name, type and largest size of a file that somebody wants to send."""
    kind = call.data.get("type", "image/jpeg")
    if call.data.get("entity_type") not in OPEN | INSIDE:
        raise wrong("Invalid entity type.")
    if kind not in IMAGES:
        raise wrong("Invalid file type. Only JPEG, PNG, WebP, JPG and GIF files are allowed.")
    limit = int(os.environ["FILE_SIZE_LIMIT"])
    size = min(int(call.data.get("size", limit)), limit)
    return PurePosixPath(str(call.data.get("name") or "unnamed")).name, str(kind), size


def create(call: Call) -> Response:
    """Note a file, and give the form that stores it."""
    user = accounts.user(call)
    workspace = accounts.member(call, user)
    name, kind, size = wanted(call)
    asset: Row = insert(
        call.db,
        "file_assets",
        workspace=workspace["id"],
        created_by=user["id"],
        entity_type=call.data["entity_type"],
        attributes=Jsonb({"name": name, "type": kind, "size": size}),
        asset=f"{workspace['id']}/{uuid.uuid4().hex}-{name}",
        size=size,
    )
    form = storage.upload_form(endpoint(call), asset["asset"], kind, size)
    address = asset_url(str(call.path("slug")), asset)
    return Answer({"upload_data": form, "asset_id": str(asset["id"]), "asset_url": address})


def asset_url(slug: str, asset: Row) -> str:
    """Where the file can be had."""
    inside = f"workspaces/{slug}"
    return f"/api/assets/v2/{'static' if asset['entity_type'] in OPEN else inside}/{asset['id']}/"


def in_workspace(call: Call) -> Row:
    """A file of a workspace whose member asks."""
    workspace = accounts.member(call, accounts.user(call))
    query = "SELECT * FROM file_assets WHERE id = %s AND workspace = %s"
    return needed(one(call.db, query, call.path("asset"), workspace["id"]))


def patch(call: Call) -> Response:
    """Note that the file was sent."""
    asset = in_workspace(call)
    attributes: Any = call.data.get("attributes", asset["attributes"])
    update(call.db, "file_assets", UUID(str(asset["id"])), is_uploaded=True,
           attributes=Jsonb(attributes))  # fmt: skip
    return Answer(None, 204)


def download(call: Call, asset: Row) -> Response:
    """Send the browser to the store."""
    if not asset["is_uploaded"]:
        raise RefusedError(404, MISSING)
    return RedirectResponse(storage.download_address(endpoint(call), asset["asset"]), 302)


def get(call: Call) -> Response:
    """A file, for members of its workspace."""
    return download(call, in_workspace(call))


def get_open(call: Call) -> Response:
    """A file that everybody may see."""
    asset = needed(one(call.db, "SELECT * FROM file_assets WHERE id = %s", call.path("asset")))
    if asset["entity_type"] not in OPEN:
        raise RefusedError(400, {"error": "Invalid entity type.", "status": False})
    return download(call, asset)


def delete(call: Call) -> Response:
    """Forget a file."""
    call.db.execute("DELETE FROM file_assets WHERE id = %s", [in_workspace(call)["id"]])
    return Answer(None, 204)


ROUTES: list[Route] = [
    route("/api/assets/v2/workspaces/{slug}/", POST=create),
    route("/api/assets/v2/workspaces/{slug}/{asset:uuid}/", GET=get, PATCH=patch, DELETE=delete),
    route("/api/assets/v2/static/{asset:uuid}/", GET=get_open),
]
