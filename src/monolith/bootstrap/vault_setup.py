"""What the platform needs inside Vault: the engine for secrets, the audit log, the operator.

Looked at and looked after by the operator; the root token is used only where that is not enough,
and revoked at once.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx

from monolith.bootstrap.waiting import until
from monolith.errors import UserError
from monolith.secrets.keys import Keys, KeySource, Operator
from monolith.secrets.vault_api import Api, RefusedError, log_in
from monolith.secrets.vault_store import FOLDER, MOUNT

OPERATOR = "operator"
AUDIT = "stdout"
TOKEN_SECONDS = 3600
POLICY = f"""\
path "{MOUNT}/data/{FOLDER}/*" {{
  capabilities = ["create", "read", "update", "delete", "list"]
}}
path "{MOUNT}/metadata/{FOLDER}/*" {{
  capabilities = ["create", "read", "update", "delete", "list"]
}}
path "{MOUNT}/undelete/{FOLDER}/*" {{
  capabilities = ["update"]
}}
path "sys/policies/acl/service-*" {{
  capabilities = ["create", "read", "update", "list"]
}}
# To see whether the set-up is whole; Vault asks for sudo to list audit devices.
path "sys/mounts" {{
  capabilities = ["read"]
}}
path "sys/audit" {{
  capabilities = ["read", "sudo"]
}}
path "sys/policies/acl/{OPERATOR}" {{
  capabilities = ["read"]
}}
path "auth/token/lookup-self" {{
  capabilities = ["read"]
}}
"""
_ROLE = {
    "token_policies": [OPERATOR],
    "token_no_default_policy": True,
    # Not written to the disk and gone by itself: nothing has to be revoked.
    "token_type": "batch",
    "token_ttl": TOKEN_SECONDS,
    "token_max_ttl": TOKEN_SECONDS,
    "secret_id_ttl": 0,
    "secret_id_num_uses": 0,
}


def service_policy(service: str) -> str:
    """A service may read its own document, and nothing else."""
    path = f"{MOUNT}/data/{FOLDER}/{service}"
    return f'path "{path}" {{\n  capabilities = ["read"]\n}}\n'


def ensure(api: Api, keys: KeySource, services: list[str]) -> list[str]:
    """Whole, and one policy for each of `services`. Returns what was changed, in words."""
    operator = log_in(api, keys)
    changes = []
    if operator is None or _is_wanting(operator):
        root = _root(api, keys)
        changes = [*_set_up(root), *_make_operator(root, keys)]
        operator = _checked(api, keys)
    changes += _complete(api, keys)
    return [*changes, *_service_policies(operator, services)]


def _is_wanting(operator: Api) -> bool:
    """Whether something is not as wanted. An operator who may not even look is of old times."""
    try:
        token = operator.get("auth/token/lookup-self")["data"]
        return not (
            _has_engine(operator)
            and _has_audit(operator)
            and _text(operator, OPERATOR) == POLICY
            and token["policies"] == [OPERATOR]
            and (token["type"], token["creation_ttl"]) == ("batch", TOKEN_SECONDS)
        )
    except RefusedError as refused:
        if refused.status != httpx.codes.FORBIDDEN:
            raise
        return True


def _has_engine(api: Api) -> bool:
    return f"{MOUNT}/" in api.get("sys/mounts")["data"]


def _has_audit(api: Api) -> bool:
    return f"{AUDIT}/" in api.get("sys/audit")["data"]


def _text(api: Api, policy: str) -> str:
    found = api.find(f"sys/policies/acl/{policy}")
    return str(found["data"]["policy"]) if found else ""


def _set_up(root: Api) -> Iterator[str]:
    if not _has_audit(root):
        root.post(f"sys/audit/{AUDIT}", {"type": "file", "options": {"file_path": "stdout"}})
        yield "audit log to standard output"
    if not _has_engine(root):
        root.post(f"sys/mounts/{MOUNT}", {"type": "kv", "options": {"version": "2"}})
        yield f"engine for secrets at {MOUNT}/"
    # The engine says "upgrading" for a moment when it is new.
    until(lambda: _answers(root, f"{MOUNT}/config"), "Vault's engine for secrets is ready", 60)
    if _text(root, OPERATOR) != POLICY:
        root.post(f"sys/policies/acl/{OPERATOR}", {"policy": POLICY})
        yield f"policy {OPERATOR}"


def _answers(api: Api, path: str) -> bool:
    try:
        api.get(path)
    except RefusedError as refused:
        if refused.status == httpx.codes.BAD_REQUEST:
            return False
        raise
    return True


def _make_operator(root: Api, keys: KeySource) -> list[str]:
    """A login of our choice, on the disk before Vault knows it: made again, it is the same."""
    operator = keys.operator()
    if operator is None:
        operator = Operator(secrets.token_hex(16), secrets.token_hex(32))
        keys.save_operator(operator)
    if "approle/" not in root.get("sys/auth")["data"]:
        root.post("sys/auth/approle", {"type": "approle"})
    role = f"auth/approle/role/{OPERATOR}"
    # Anew, so that no other login is left.
    root.delete(role)
    root.post(role, _ROLE)
    root.post(f"{role}/role-id", {"role_id": operator.role_id})
    root.post(f"{role}/custom-secret-id", {"secret_id": operator.secret_id})
    return ["login of the operator"]


def _checked(api: Api, keys: KeySource) -> Api:
    operator = log_in(api, keys)
    if operator is None or _is_wanting(operator):
        raise UserError("Vault's set-up is not as it was asked for.",
                        hint="./monolith logs vault")  # fmt: skip
    return operator


def _complete(api: Api, keys: KeySource) -> list[str]:
    """Revoke the root token; from now on secrets may be in Vault."""
    found = _found(keys)
    if found.complete and not found.root_token:
        return []
    if found.root_token and _is_valid(api.with_token(found.root_token)):
        api.with_token(found.root_token).post("auth/token/revoke-self")
    keys.save_keys(replace(found, root_token="", complete=True))
    return ["root token revoked"]


def _root(api: Api, keys: KeySource) -> Api:
    found = _found(keys)
    root = api.with_token(found.root_token)
    if found.root_token and _is_valid(root):
        return root
    token = _generate_root(api, found)
    keys.save_keys(replace(found, root_token=token))
    return api.with_token(token)


def _found(keys: KeySource) -> Keys:
    found = keys.keys()
    if found is None:
        raise UserError("Vault's keys are gone.", hint="restore vault-keys from a backup")
    return found


def _is_valid(api: Api) -> bool:
    try:
        api.get("auth/token/lookup-self")
    except RefusedError as refused:
        if refused.status == httpx.codes.FORBIDDEN:
            return False
        raise
    return True


def _generate_root(api: Api, keys: Keys) -> str:
    """A new root token from the key shares."""
    # One that was begun and never ended is in the way.
    api.delete("sys/generate-root/attempt")
    attempt = api.post("sys/generate-root/attempt")
    answer: dict[str, Any] = {}
    for key in keys.keys:
        answer = api.post("sys/generate-root/update", {"key": key, "nonce": attempt["nonce"]})
    return _decoded(answer["encoded_token"], attempt["otp"])


def _decoded(encoded: str, password: str) -> str:
    """Vault gives the token as its bytes XOR those of the one-time password."""
    raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    return bytes(a ^ b for a, b in zip(raw, password.encode(), strict=True)).decode()


def _service_policies(operator: Api, services: list[str]) -> list[str]:
    changed = []
    for service in services:
        name, text = f"service-{service}", service_policy(service)
        if _text(operator, name) != text:
            operator.post(f"sys/policies/acl/{name}", {"policy": text})
            changed.append(service)
    return [f"policies of {', '.join(changed)}"] if changed else []
