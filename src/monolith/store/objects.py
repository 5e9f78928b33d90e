"""One object from one store to the other, with all that is said of it, in pieces."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO, cast

import urllib3
from minio import Minio
from minio.commonconfig import Tags
from minio.datatypes import Object
from minio.helpers import DictType

from monolith.store.ledger import Copied, Thing

_PIECE = 8 * 2**20
_MOST_PIECES = 9000
_SAID = ("cache-control", "content-disposition", "content-encoding", "content-language", "expires")
_OWN = "x-amz-meta-"


class _Summed:
    """A stream that is summed while it is read."""

    def __init__(self, answer: urllib3.BaseHTTPResponse) -> None:
        self._answer = answer
        self._sum = hashlib.sha256()

    def read(self, size: int) -> bytes:
        # As it is stored: what was packed stays packed.
        taken = self._answer.read(size, decode_content=False)
        self._sum.update(taken)
        return taken

    @property
    def sum(self) -> str:
        return self._sum.hexdigest()


def listed(store: Minio, bucket: str) -> Iterator[Thing]:
    """The objects of a bucket."""
    return (_thing(found) for found in store.list_objects(bucket, recursive=True))


def _thing(found: Object) -> Thing:
    etag, size = found.etag or "", found.size or 0
    # The same content written with other words about it is told by the time only.
    mark = f"{etag} {found.last_modified}"
    return Thing(found.bucket_name, found.object_name or "", size, mark, etag)


def copy(source: Minio, target: Minio, thing: Thing) -> Copied:
    """Copy what the object is now; when it was changed since it was listed, its mark tells."""
    answer = source.get_object(thing.bucket, thing.name)
    try:
        size = int(answer.headers["Content-Length"])
        stream = _Summed(answer)
        written = target.put_object(
            thing.bucket, thing.name, cast(BinaryIO, stream), size,
            content_type=answer.headers.get("Content-Type", "application/octet-stream"),
            metadata=_said(answer), tags=_tags(source, thing, answer),
            part_size=max(_PIECE, size // _MOST_PIECES), num_parallel_uploads=1,
        )  # fmt: skip
    finally:
        _release(answer)
    return Copied(thing.bucket, thing.name, thing.mark, size, stream.sum, written.etag or "")


def sum_of(store: Minio, bucket: str, name: str) -> str:
    """The sum of an object's content as the store gives it now."""
    answer = store.get_object(bucket, name)
    try:
        stream = _Summed(answer)
        while stream.read(2**20):
            pass
    finally:
        _release(answer)
    return stream.sum


def _said(answer: urllib3.BaseHTTPResponse) -> DictType:
    return {
        name: value
        for name, value in answer.headers.items()
        if name.lower() in _SAID or name.lower().startswith(_OWN)
    }


def _tags(source: Minio, thing: Thing, answer: urllib3.BaseHTTPResponse) -> Tags | None:
    if not int(answer.headers.get("x-amz-tagging-count", 0)):
        return None
    return source.get_object_tags(thing.bucket, thing.name)


def _release(answer: urllib3.BaseHTTPResponse) -> None:
    # One that was not read to its end cannot be used again.
    answer.close()
    answer.release_conn()
