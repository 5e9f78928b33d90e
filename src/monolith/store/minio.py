"""Keys of MinIO: a policy and a user for each application, through its administration."""

from __future__ import annotations

import json
from typing import Any

from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException, S3Error
from minio.minioadmin import MinioAdmin

from monolith.store.model import OF_BUCKET, OF_OBJECT, WRONG_KEY, Server, Wanted


def ensure(server: Server, wanted: list[Wanted]) -> list[str]:
    """Policies and users as wanted. Returns what was changed, in words."""
    admin = MinioAdmin(
        endpoint=server.address, credentials=StaticProvider(server.user, server.password),
        secure=False, http_client=server.pool,
    )  # fmt: skip
    changes = _policies(admin, wanted)
    return changes + [change for one in wanted for change in _user(server, admin, one)]


def _policies(admin: MinioAdmin, wanted: list[Wanted]) -> list[str]:
    there = json.loads(admin.policy_list())
    changed = [
        one for one in wanted if _sorted(there.get(one.name)) != _sorted(policy(one.buckets))
    ]
    for one in changed:
        admin.policy_add(one.name, policy=policy(one.buckets))
    return [f"policy {one.name}" for one in changed]


def policy(buckets: list[str]) -> dict[str, Any]:
    """Read and write what is in these buckets; nothing about the buckets themselves."""
    whole = [f"arn:aws:s3:::{name}" for name in sorted(buckets)]
    inside = [f"{name}/*" for name in whole]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": OF_BUCKET, "Resource": whole},
            {"Effect": "Allow", "Action": OF_OBJECT, "Resource": inside},
        ],
    }


def _sorted(policy: dict[str, Any] | None) -> dict[str, Any] | None:
    """A policy of the server, whose lists are sets."""
    if policy is None:
        return None
    statements = [
        {key: sorted(value) if isinstance(value, list) else value for key, value in one.items()}
        for one in policy.get("Statement", [])
    ]
    return {**policy, "Statement": sorted(statements, key=lambda one: str(one.get("Action")))}


def _user(server: Server, admin: MinioAdmin, one: Wanted) -> list[str]:
    """The user with its secret and policy, and no other one with the same policy."""
    known, changes = _known(admin, one.access_key), []
    if known is None:
        changes += _remove_former(admin, one)
    if known is None or known["status"] != "enabled" or not _opens(server, one):
        admin.user_add(one.access_key, one.secret_key)
        changes.append(f"key of {one.name}")
    if known is None or known.get("policyName") != one.name:
        admin.policy_set(one.name, user=one.access_key)
        changes.append(f"policy of the key of {one.name}")
    return changes


def _known(admin: MinioAdmin, access_key: str) -> dict[str, str] | None:
    try:
        return dict(json.loads(admin.user_info(access_key)))
    except MinioAdminException as error:
        if "XMinioAdminNoSuchUser" not in str(error):
            raise
        return None


def _remove_former(admin: MinioAdmin, one: Wanted) -> list[str]:
    # Only now, since the list comes encrypted, which takes 64 MB to read.
    users = json.loads(admin.user_list())
    former = [key for key, user in users.items() if user.get("policyName") == one.name]
    for key in former:
        admin.user_remove(key)
    return [f"removed the former key of {one.name}"] if former else []


def _opens(server: Server, one: Wanted) -> bool:
    """Whether the store takes the application's key, whatever it allows with it."""
    try:
        user = server.as_user(one.access_key, one.secret_key)
        next(user.list_objects(one.buckets[0]), None)
    except S3Error as error:
        if error.code in WRONG_KEY:
            return False
        if error.code not in ("AccessDenied", "NoSuchBucket"):
            raise
    return True
