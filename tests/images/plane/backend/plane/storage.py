"""STAND-IN. The real S3 store, with the library and the signatures that Plane uses."""

from __future__ import annotations

import os
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def client(endpoint: str) -> Any:
    """A client that signs for this address."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        region_name=os.environ["AWS_REGION"],
        config=Config(signature_version="s3v4"),
    )


def signed_for(scheme: str, host: str) -> str:
    """The address that files are signed for: with USE_MINIO the one that the browser asked."""
    if os.environ["USE_MINIO"] != "1":
        return os.environ["AWS_S3_ENDPOINT_URL"]
    return f"{'https' if os.environ.get('MINIO_ENDPOINT_SSL') == '1' else scheme}://{host}"


def expiry() -> int:
    """How many seconds a signed address is good for."""
    return int(os.environ.get("SIGNED_URL_EXPIRATION", "3600"))


def upload_form(endpoint: str, key: str, kind: str, size: int) -> dict[str, Any]:
    """Address and fields of a form that may store one file, of at most `size` bytes."""
    bucket = os.environ["AWS_S3_BUCKET_NAME"]
    conditions = [
        {"bucket": bucket}, ["content-length-range", 1, size], {"Content-Type": kind}, {"key": key},
    ]  # fmt: skip
    form: dict[str, Any] = client(endpoint).generate_presigned_post(
        Bucket=bucket,
        Key=key,
        Fields={"Content-Type": kind, "key": key},
        Conditions=conditions,
        ExpiresIn=expiry(),
    )
    return form


def download_address(endpoint: str, key: str) -> str:
    """An address that gives the file to whoever has it."""
    parameters = {"Bucket": os.environ["AWS_S3_BUCKET_NAME"], "Key": key}
    signed: str = client(endpoint).generate_presigned_url(
        "get_object", Params=parameters, ExpiresIn=expiry()
    )
    return signed


def ensure_bucket() -> str:
    """Make the bucket where the store says that there is none, and tell which it was."""
    store, bucket = client(os.environ["AWS_S3_ENDPOINT_URL"]), os.environ["AWS_S3_BUCKET_NAME"]
    try:
        store.head_bucket(Bucket=bucket)
    except ClientError as answer:
        if answer.response["Error"]["Code"] != "404":
            raise
        store.create_bucket(Bucket=bucket)
        return "made"
    return "there"
