"""Keys of versitygw: a plain user for each application, and a policy on each of its buckets.

The administrator stays the owner of every bucket, since an owner may change its bucket's policy.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from minio.credentials.credentials import Credentials
from minio.error import S3Error
from minio.helpers import DictType
from minio.signer import sign_v4_s3

from monolith.store.model import (
    OF_BUCKET,
    OF_OBJECT,
    REGION,
    RefusedError,
    Server,
    Wanted,
    by_bucket,
)

_OK = (200, 201)
_ROLE = "user"


def ensure(server: Server, wanted: list[Wanted]) -> list[str]:
    """Users and policies as wanted. Returns what was changed, in words."""
    buckets = by_bucket(wanted)
    there = {name: _policy_of(server, name) for name in buckets}
    changes = _users(server, wanted)
    # Before the policies, which are what tells a former key.
    changes += _remove_former(server, wanted, there)
    for name, keys in buckets.items():
        if there[name] != (right := policy(name, keys)):
            server.objects.set_bucket_policy(name, json.dumps(right))
            changes.append(f"policy of bucket {name}")
    return changes


def policy(bucket: str, keys: list[str]) -> dict[str, Any]:
    """These keys read and write what is in the bucket; nothing about the bucket itself."""
    whole = f"arn:aws:s3:::{bucket}"
    granted = {"Effect": "Allow", "Principal": {"AWS": keys}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {**granted, "Action": OF_BUCKET, "Resource": [whole]},
            # It asks whether an upload by a form may write to the bucket, not to the object.
            {**granted, "Action": OF_OBJECT, "Resource": [whole, f"{whole}/*"]},
        ],
    }


def _policy_of(server: Server, bucket: str) -> dict[str, Any]:
    try:
        return dict(json.loads(server.objects.get_bucket_policy(bucket)))
    except S3Error as error:
        if error.code != "NoSuchBucketPolicy":
            raise
        return {}


def _users(server: Server, wanted: list[Wanted]) -> list[str]:
    answer = ElementTree.fromstring(_ask(server, "list-users"))  # noqa: S314
    known = {
        found.findtext("Access"): (found.findtext("Secret"), found.findtext("Role"))
        for found in answer.iter("Accounts")
    }
    changed = [one for one in wanted if known.get(one.access_key) != (one.secret_key, _ROLE)]
    for one in changed:
        _set_user(server, one, is_known=one.access_key in known)
    return [f"key of {one.name}" for one in changed]


def _set_user(server: Server, one: Wanted, *, is_known: bool) -> None:
    words = {"Secret": one.secret_key, "Role": _ROLE}
    if is_known:
        _ask(server, f"update-user?access={one.access_key}", _xml("MutableProps", words))
    else:
        _ask(server, "create-user", _xml("Account", {"Access": one.access_key, **words}))


def _remove_former(
    server: Server, wanted: list[Wanted], there: dict[str, dict[str, Any]]
) -> list[str]:
    """Keys that a bucket was opened to, and that no application has any more."""
    keys = {one.access_key for one in wanted}
    owner = {name: one.name for one in wanted for name in one.buckets}
    former = {
        key: owner[bucket] for bucket, found in there.items() for key in _keys_in(found) - keys
    }
    for key in former:
        _ask(server, f"delete-user?access={key}")
    return [f"removed the former key of {name}" for name in former.values()]


def _keys_in(policy: dict[str, Any]) -> set[str]:
    principals = [one.get("Principal") for one in policy.get("Statement", [])]
    named = [one.get("AWS", []) for one in principals if isinstance(one, dict)]
    return {key for keys in named for key in ([keys] if isinstance(keys, str) else keys)} - {"*"}


def _xml(name: str, words: dict[str, str]) -> bytes:
    inner = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in words.items())
    return f"<{name}>{inner}</{name}>".encode()


def _ask(server: Server, path: str, body: bytes = b"") -> bytes:
    """A request of its administration, signed as those of S3."""
    url = urlsplit(f"http://{server.address}/{path}")
    now, digest = datetime.now(UTC), hashlib.sha256(body).hexdigest()
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    headers: DictType = {"Host": url.netloc, "x-amz-content-sha256": digest, "x-amz-date": stamp}
    signed = sign_v4_s3(
        method="PATCH", url=url, region=REGION, headers=headers, content_sha256=digest, date=now,
        credentials=Credentials(server.user, server.password),
    )  # fmt: skip
    sent = {name: str(value) for name, value in signed.items()}
    answer = server.pool.request("PATCH", url.geturl(), body=body, headers=sent)
    if answer.status not in _OK:
        raise RefusedError(_code(answer.data) or str(answer.status))
    return answer.data


def _code(body: bytes) -> str:
    """The word for what was refused; the rest of an answer may hold a key."""
    try:
        return ElementTree.fromstring(body).findtext("Code") or ""  # noqa: S314
    except ElementTree.ParseError:
        return ""
