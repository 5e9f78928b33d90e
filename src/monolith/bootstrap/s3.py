"""The object store: buckets, and for each application one key that opens its own and no other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import urllib3
from minio.error import MinioException

from monolith.bootstrap import waiting
from monolith.bootstrap.site import Site
from monolith.errors import UserError
from monolith.store import minio, versitygw
from monolith.store.model import Server, Wanted, by_bucket

SERVICE, PORT = "s3", 9000
USER, PASSWORD = "ROOT_ACCESS_KEY", "ROOT_SECRET_KEY"
"""Names of the administrator's key in the secret store, whatever program the store is."""
KEYS: dict[str, Callable[[Server, list[Wanted]], list[str]]] = {
    "minio": minio.ensure, "versitygw": versitygw.ensure,
}  # fmt: skip
"""`x-monolith: {store: ...}` -> what makes the applications' keys there."""


def connect(site: Site) -> Server:
    """The store, once it answers."""
    user, password = (site.secret(SERVICE, key) for key in (USER, PASSWORD))
    server = Server(site.address(SERVICE, PORT), user, password)
    waiting.until(server.ready, "the object store answers")
    return server


def ensure(site: Site) -> list[str]:
    """Make buckets and keys as wanted. Returns what was changed, in words."""
    kind = site.stack.service(SERVICE).monolith.store or "minio"
    server, applications = connect(site), wanted(site)
    with told():
        return _buckets(server, applications) + KEYS[kind](server, applications)


def wanted(site: Site) -> list[Wanted]:
    """The applications that have buckets, with the keys of the secret store."""
    return [
        Wanted(
            entry.name, entry.monolith.buckets,
            site.secret(entry.name, "S3_ACCESS_KEY"), site.secret(entry.name, "S3_SECRET_KEY"),
        )
        for entry in site.entries()
        if entry.monolith.buckets
    ]  # fmt: skip


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What the store refuses, as a UserError."""
    try:
        yield
    except (urllib3.exceptions.HTTPError, MinioException) as error:
        # Its text may hold an access key.
        text = f"The object store refused: {getattr(error, 'code', type(error).__name__)}."
        raise UserError(text, hint="`monolith logs s3` tells more") from error


def _buckets(server: Server, wanted: list[Wanted]) -> list[str]:
    there = {bucket.name for bucket in server.objects.list_buckets()}
    new = [name for name in by_bucket(wanted) if name not in there]
    for name in new:
        server.objects.make_bucket(name)
    return [f"bucket {name}" for name in new]
