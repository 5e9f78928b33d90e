"""The object store: buckets, and for each application one key that opens its own and no other."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import urllib3
from minio import Minio
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException, MinioException, S3Error
from minio.minioadmin import MinioAdmin

from monolith.bootstrap import waiting
from monolith.bootstrap.site import Site
from monolith.errors import UserError

SERVICE, PORT = "s3", 9000

# A region that is known need not be asked for, which only the administrator may.
_REGION = "us-east-1"
_OF_BUCKET = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
_OF_OBJECT = [
    "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListMultipartUploadParts",
    "s3:PutObject",
]  # fmt: skip
_WRONG_KEY = {"InvalidAccessKeyId", "SignatureDoesNotMatch"}


@dataclass(frozen=True)
class Wanted:
    """One application: its buckets and its key. User and policy are the application's alone."""

    name: str
    buckets: list[str]
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)


class Server:
    """The store as the administrator sees it."""

    def __init__(self, address: str, user: str, password: str) -> None:
        # Its own defaults are five tries of five minutes each.
        self._pool = urllib3.PoolManager(timeout=20, retries=False)
        self._address = address
        self.objects = self.as_user(user, password)
        self.admin = MinioAdmin(
            endpoint=address, credentials=StaticProvider(user, password), secure=False,
            http_client=self._pool,
        )  # fmt: skip

    def as_user(self, access_key: str, secret_key: str) -> Minio:
        """The store as another sees it."""
        return Minio(
            self._address, access_key, secret_key, secure=False, region=_REGION,
            http_client=self._pool,
        )  # fmt: skip

    def ready(self) -> bool:
        """Whether it takes requests of the administrator."""
        try:
            self.objects.list_buckets()
        except (urllib3.exceptions.HTTPError, MinioException) as error:
            if isinstance(error, S3Error) and error.code in _WRONG_KEY:
                raise _other_root() from error
            return False
        return True


def connect(site: Site) -> Server:
    """The store, once it answers."""
    user, password = (
        site.secret(SERVICE, key) for key in ("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD")
    )
    server = Server(site.address(SERVICE, PORT), user, password)
    waiting.until(server.ready, "MinIO answers")
    return server


def ensure(site: Site) -> list[str]:
    """Make buckets, policies and users as wanted. Returns what was changed, in words."""
    server = connect(site)
    wanted = [
        Wanted(
            entry.name, entry.monolith.buckets,
            site.secret(entry.name, "S3_ACCESS_KEY"), site.secret(entry.name, "S3_SECRET_KEY"),
        )
        for entry in site.entries()
        if entry.monolith.buckets
    ]  # fmt: skip
    with told():
        return _buckets(server, wanted) + _policies(server, wanted) + _users(server, wanted)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What the store refuses, as a UserError."""
    try:
        yield
    except (urllib3.exceptions.HTTPError, MinioException) as error:
        # Its text may hold an access key.
        text = f"MinIO could not be set up: {getattr(error, 'code', type(error).__name__)}."
        raise UserError(text, hint="`monolith logs s3` tells more") from error


def _buckets(server: Server, wanted: list[Wanted]) -> list[str]:
    there = {bucket.name for bucket in server.objects.list_buckets()}
    new = [name for one in wanted for name in one.buckets if name not in there]
    for name in new:
        server.objects.make_bucket(name)
    return [f"bucket {name}" for name in new]


def _policies(server: Server, wanted: list[Wanted]) -> list[str]:
    there = json.loads(server.admin.policy_list())
    changed = [
        one for one in wanted if _sorted(there.get(one.name)) != _sorted(_policy(one.buckets))
    ]
    for one in changed:
        server.admin.policy_add(one.name, policy=_policy(one.buckets))
    return [f"policy {one.name}" for one in changed]


def _policy(buckets: list[str]) -> dict[str, Any]:
    """Read and write what is in these buckets; nothing about the buckets themselves."""
    whole = [f"arn:aws:s3:::{name}" for name in sorted(buckets)]
    inside = [f"{name}/*" for name in whole]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": _OF_BUCKET, "Resource": whole},
            {"Effect": "Allow", "Action": _OF_OBJECT, "Resource": inside},
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


def _users(server: Server, wanted: list[Wanted]) -> list[str]:
    return [change for one in wanted for change in _user(server, one)]


def _user(server: Server, one: Wanted) -> list[str]:
    """The user with its secret and policy, and no other one with the same policy."""
    known, changes = _known(server, one.access_key), []
    if known is None:
        changes += _remove_former(server, one)
    if known is None or known["status"] != "enabled" or not _opens(server, one):
        server.admin.user_add(one.access_key, one.secret_key)
        changes.append(f"key of {one.name}")
    if known is None or known.get("policyName") != one.name:
        server.admin.policy_set(one.name, user=one.access_key)
        changes.append(f"policy of the key of {one.name}")
    return changes


def _known(server: Server, access_key: str) -> dict[str, str] | None:
    try:
        return dict(json.loads(server.admin.user_info(access_key)))
    except MinioAdminException as error:
        if "XMinioAdminNoSuchUser" not in str(error):
            raise
        return None


def _remove_former(server: Server, one: Wanted) -> list[str]:
    # Only now, since the list comes encrypted, which takes 64 MB to read.
    users = json.loads(server.admin.user_list())
    former = [key for key, user in users.items() if user.get("policyName") == one.name]
    for key in former:
        server.admin.user_remove(key)
    return [f"removed the former key of {one.name}"] if former else []


def _opens(server: Server, one: Wanted) -> bool:
    """Whether the store takes the application's key, whatever it allows with it."""
    try:
        user = server.as_user(one.access_key, one.secret_key)
        next(user.list_objects(one.buckets[0]), None)
    except S3Error as error:
        if error.code in _WRONG_KEY:
            return False
        if error.code not in ("AccessDenied", "NoSuchBucket"):
            raise
    return True


def _other_root() -> UserError:
    return UserError(
        "MinIO does not take the administrator's key of the secret store: the data and the "
        "secrets are not of one installation, or MinIO was not restarted since they changed.",
        hint="`monolith restart s3`; else restore the secrets that belong to this data",
    )
