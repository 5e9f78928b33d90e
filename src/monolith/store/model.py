"""The store as its administrator sees it, whatever program it is, and what is wanted of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from monolith.errors import UserError

REGION = "us-east-1"
"""A region that is known need not be asked for, which only the administrator may."""
OF_BUCKET = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
OF_OBJECT = [
    "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListMultipartUploadParts",
    "s3:PutObject",
]  # fmt: skip
"""What a key may do in its own buckets: nothing about the buckets themselves."""
WRONG_KEY = {"InvalidAccessKeyId", "SignatureDoesNotMatch"}


class RefusedError(MinioException):
    """What a server's own administration refused; `code` is its word for it."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True)
class Wanted:
    """One application: its buckets and its key, which opens these and no other."""

    name: str
    buckets: list[str]
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)


class Server:
    """A store that runs; `user` and `password` are its administrator's."""

    def __init__(self, address: str, user: str, password: str, *, patience: float = 20) -> None:
        # The library's own defaults are five tries of five minutes each.
        self.pool = urllib3.PoolManager(timeout=patience, retries=False, maxsize=8)
        self.address = address
        self.user = user
        self.password = password
        self.objects = self.as_user(user, password)

    def as_user(self, access_key: str, secret_key: str) -> Minio:
        """The store as another sees it."""
        return Minio(
            self.address, access_key, secret_key, secure=False, region=REGION,
            http_client=self.pool,
        )  # fmt: skip

    def ready(self) -> bool:
        """Whether it takes requests of the administrator."""
        try:
            self.objects.list_buckets()
        except (urllib3.exceptions.HTTPError, MinioException) as error:
            if isinstance(error, S3Error) and error.code in WRONG_KEY:
                raise _other_root() from error
            return False
        return True


def by_bucket(wanted: list[Wanted]) -> dict[str, list[str]]:
    """Bucket -> the keys that open it."""
    names = dict.fromkeys(name for one in wanted for name in one.buckets)
    return {name: sorted(one.access_key for one in wanted if name in one.buckets) for name in names}


def _other_root() -> UserError:
    return UserError(
        "The object store does not take the administrator's key of the secret store: the data and "
        "the secrets are not of one installation, or it was not restarted since they changed.",
        hint="`monolith restart s3`; else restore the secrets that belong to this data",
    )
