"""n8n: a key for its API, the credentials that its workflows use, and the workflows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from monolith.bootstrap import n8n_workflows, waiting, webhooks
from monolith.bootstrap.http import Api
from monolith.bootstrap.site import Site
from monolith.errors import UserError

SERVICE, PORT = "n8n", 5678
PASSWORD, API_KEY = "OWNER_PASSWORD", "API_KEY"
"""Keys of its document in the secret store: one generated, one issued by n8n."""
LABEL = "monolith"
HEADER = "X-N8N-API-KEY"
FOLDER = "workflows"

_UNAUTHORIZED = 401
# What bootstrap does with the key, and to read what became of a workflow.
_SCOPES = [
    "credential:create", "credential:list", "credential:read", "credential:update",
    "execution:list", "execution:read", "workflow:activate", "workflow:create", "workflow:list",
    "workflow:read", "workflow:update",
]  # fmt: skip


@dataclass(frozen=True)
class Credential:
    """A credential of n8n, made of one secret of its document."""

    name: str
    kind: str
    secret: str
    data: Callable[[str], dict[str, str]]

    def marked(self, value: str) -> str:
        """Its name in n8n, which never tells a value: another one makes another mark."""
        return f"{self.name} ({hashlib.sha256(value.encode()).hexdigest()[:8]})"


def _in_header(value: str) -> dict[str, str]:
    return {"name": webhooks.HEADER, "value": value}


def _for_hmac(value: str) -> dict[str, str]:
    return {"hmacSecret": value}


CREDENTIALS = [
    Credential("Webhooks of the platform", "httpHeaderAuth", webhooks.TOKEN, _in_header),
    Credential("Webhooks of MLflow", "crypto", webhooks.MLFLOW_SECRET, _for_hmac),
    Credential("Webhooks of Plane", "crypto", webhooks.PLANE_SECRET, _for_hmac),
]


def ensure(site: Site) -> list[str]:
    """Set n8n up as wanted. Returns what was changed, in words."""
    url = site.url(SERVICE, PORT)
    waiting.until_answers(f"{url}/healthz/readiness", "n8n answers")
    key, changes = _key(site, url)
    api = Api("n8n", f"{url}/api/v1", {HEADER: key})
    known, made = _credentials(site, api)
    folder = site.stack.service(SERVICE).folder / FOLDER
    return changes + made + n8n_workflows.ensure(api, folder, known)


def _key(site: Site, url: str) -> tuple[str, list[str]]:
    """A key that n8n takes, kept in the secret store. n8n shows it once."""
    key = site.store.read(SERVICE).get(API_KEY, "")
    if key and _opens(url, key):
        return key, []
    owner = _sign_in(site, url)
    for one in owner.get("/rest/api-keys")["data"]["items"]:
        if one["label"] == LABEL:
            owner.send("DELETE", f"/rest/api-keys/{one['id']}")
    wanted = {"label": LABEL, "scopes": _SCOPES, "expiresAt": None}
    key = owner.post("/rest/api-keys", wanted)["data"]["rawApiKey"]
    site.store.write(SERVICE, site.store.read(SERVICE) | {API_KEY: key})
    return key, ["API key"]


def _opens(url: str, key: str) -> bool:
    api = Api("n8n", url, {HEADER: key})
    query = {"limit": 1}
    return api.send("GET", "/api/v1/workflows", _UNAUTHORIZED, params=query).is_success


def _sign_in(site: Site, url: str) -> Api:
    """n8n as its owner sees it; the session is in the cookies."""
    email = site.stack.service(SERVICE).model.environment["N8N_INSTANCE_OWNER_EMAIL"]
    api = Api("n8n", url)
    form = {"emailOrLdapLoginId": email, "password": site.secret(SERVICE, PASSWORD)}
    if api.send("POST", "/rest/login", _UNAUTHORIZED, json=form).is_error:
        raise UserError(
            f"n8n does not let its owner {email} in with the password of the secret store.",
            hint=f"`./monolith restart {SERVICE}`, which gives it to the owner",
        )
    return api


def _credentials(site: Site, api: Api) -> tuple[dict[str, str], list[str]]:
    """Name -> id of those whose secret is there, each with the present value; and the changes."""
    values = site.store.read(SERVICE)
    there = n8n_workflows.every(api, "/credentials")
    known: dict[str, str] = {}
    changes: list[str] = []
    for one in CREDENTIALS:
        if value := values.get(one.secret, ""):
            known[one.name], made = _credential(api, one, value, there)
            changes += made
    return known, changes


def _credential(
    api: Api, wanted: Credential, value: str, there: list[dict[str, str]]
) -> tuple[str, list[str]]:
    name = wanted.marked(value)
    found = next((one for one in there if one["name"].startswith(f"{wanted.name} (")), None)
    if found and found["name"] == name:
        return found["id"], []
    body = {"name": name, "data": wanted.data(value)}
    if found:
        api.send("PATCH", f"/credentials/{found['id']}", json=body)
        return found["id"], [f"secret of {wanted.name}"]
    return api.post("/credentials", body | {"type": wanted.kind})["id"], [wanted.name]
