"""STAND-IN. Webhooks of a workspace: where they may go, and how a worker sends them."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import os
import re
import socket
import urllib.error
import urllib.request
import uuid
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.routing import Route

from plane import accounts
from plane.database import Db, Row, as_json, every, insert, one, update
from plane.web import Answer, Call, RefusedError, needed, route

NAME = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
FLAGS = ("project", "issue", "module", "cycle", "issue_comment")
SHOWN = ("id", "url", "is_active", "created_at", "updated_at", *FLAGS)


def listed(name: str) -> list[str]:
    """The entries of a variable that is a comma list."""
    return [entry.strip().lower() for entry in os.environ.get(name, "").split(",") if entry.strip()]


def is_address(host: str) -> bool:
    """Whether a host is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def reachable(host: str) -> bool:
    """Whether a name resolves, and only to addresses that webhooks may go to."""
    networks = [ipaddress.ip_network(entry, False) for entry in listed("WEBHOOK_ALLOWED_IPS")]
    try:
        found = {ipaddress.ip_address(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return all(ip.is_global or any(ip in network for network in networks) for ip in found)


def problem(url: str, own: str) -> str | None:
    """Why a webhook may not go there. Asked when it is kept, and each time it is sent."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in ("http", "https") or not (NAME.fullmatch(host) or is_address(host)):
        return "Enter a valid URL."
    if host in listed("WEBHOOK_ALLOWED_HOSTS"):
        return None
    if not reachable(host):
        return "Invalid or disallowed webhook URL."
    own_domains = [own, *listed("WEBHOOK_DISALLOWED_DOMAINS")]
    inside = any(host == domain or host.endswith("." + domain) for domain in own_domains)
    return "URL domain or its subdomain is not allowed." if inside else None


def checked(call: Call) -> Row:
    """The fields that were sent. The secret is not among them: Plane makes it itself."""
    fields = {name: bool(call.data[name]) for name in ("is_active", *FLAGS) if name in call.data}
    if "url" in call.data:
        url = fields["url"] = str(call.data["url"])
        if wrong := problem(url, call.request.url.hostname or ""):
            raise RefusedError(400, {"url": [wrong]})
    return fields


def new_secret() -> str:
    """A secret as Plane makes them."""
    return f"plane_wh_{uuid.uuid4().hex}"


def shown(row: Row) -> Row:
    """A webhook without its secret."""
    return {name: row[name] for name in SHOWN}


def found(call: Call) -> Row:
    """The webhook of the path."""
    workspace = accounts.member(call, accounts.user(call))
    query = "SELECT * FROM webhooks WHERE workspace = %s AND id = %s"
    return needed(one(call.db, query, workspace["id"], call.path("pk")))


def listing(call: Call) -> Response:
    """The webhooks of a workspace."""
    workspace = accounts.member(call, accounts.user(call))
    query = "SELECT * FROM webhooks WHERE workspace = %s ORDER BY created_at DESC"
    return Answer([shown(row) for row in every(call.db, query, workspace["id"])])


def create(call: Call) -> Response:
    """Keep a webhook, and show its secret this once."""
    workspace = accounts.member(call, accounts.user(call))
    call.data.setdefault("url", "")
    fields = checked(call)
    query = "SELECT id FROM webhooks WHERE workspace = %s AND url = %s"
    if one(call.db, query, workspace["id"], fields["url"]):
        raise RefusedError(409, {"error": "URL already exists for the workspace"})
    owner = {"workspace": workspace["id"], "secret_key": new_secret()}
    return Answer(insert(call.db, "webhooks", **fields | owner), 201)


def patch(call: Call) -> Response:
    """Change a webhook."""
    row, fields = found(call), checked(call)
    return Answer(shown(update(call.db, "webhooks", row["id"], **fields) if fields else row))


def delete(call: Call) -> Response:
    """Take a webhook away."""
    call.db.execute("DELETE FROM webhooks WHERE id = %s", [found(call)["id"]])
    return Answer(None, 204)


def regenerate(call: Call) -> Response:
    """Another secret, shown this once."""
    return Answer(update(call.db, "webhooks", found(call)["id"], secret_key=new_secret()))


def send_all(db: Db, event: str, action: str, data: Row, activity: Row) -> None:
    """Tell every webhook of the workspace that wants to hear of it."""
    query = f"SELECT * FROM webhooks WHERE workspace = %s AND is_active AND {event}"
    for hook in every(db, query, data["workspace"]):
        body = {
            "event": event, "action": action, "webhook_id": hook["id"],
            "workspace_id": hook["workspace"], "data": data, "activity": activity,
        }  # fmt: skip
        note = {"webhook": hook["id"], "event_type": event}
        insert(db, "webhook_logs", response_status=send(hook, event, body), **note)


def send(hook: Row, event: str, body: Row) -> int:
    """Post one; its status, 0 where there was no answer or it may not go there any more."""
    if problem(hook["url"], ""):
        return 0
    content = json.dumps(body, default=as_json).encode()
    headers = {
        "Content-Type": "application/json", "User-Agent": "Autopilot", "X-Plane-Event": event,
        "X-Plane-Delivery": str(uuid.uuid4()), "X-Plane-Signature": signature(hook, content),
    }  # fmt: skip
    request = urllib.request.Request(hook["url"], content, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0


def signature(hook: Row, content: bytes) -> str:
    """Plane's signature of a body."""
    return hmac.new(str(hook["secret_key"]).encode(), content, hashlib.sha256).hexdigest()


BASE = "/api/workspaces/{slug}/webhooks/"
ROUTES: list[Route] = [
    route(BASE, GET=listing, POST=create),
    route(BASE + "{pk:uuid}/", PATCH=patch, DELETE=delete),
    route(BASE + "{pk:uuid}/regenerate/", POST=regenerate),
]
