"""What every store does with objects, asked as an application asks, and where the two differ."""

from __future__ import annotations

import hashlib
import itertools
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from tests.store.conftest import Store

BUCKET = "mlflow"
PART = 5 * 2**20
GIGABYTE = 2**30
OTHER_ORIGIN = "http://labels.monolith.localhost"


def refused(call: Callable[[], Any]) -> str:
    """The store's word for why not."""
    with pytest.raises(ClientError) as error:
        call()
    return str(error.value.response["Error"]["Code"])


def names(client: Any, prefix: str) -> list[str]:
    """All names below a prefix, whatever number of pages it takes."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [one["Key"] for page in pages for one in page.get("Contents", [])]


def test_what_was_put_is_there_with_all_that_was_said_of_it(store: Store) -> None:
    client, key = store.client("mlflow"), "told/ü ñ/+%&?#;=☃"
    said = {
        "ContentType": "text/x", "CacheControl": "no-store", "ContentLanguage": "de",
        "ContentDisposition": 'attachment; filename="a"', "ContentEncoding": "x-none",
        "Metadata": {"for": "a test"},
    }  # fmt: skip
    client.put_object(Bucket=BUCKET, Key=key, Body=b"content", **said)
    assert names(client, "told/") == [key]
    found = client.get_object(Bucket=BUCKET, Key=key)
    assert found["Body"].read() == b"content"
    assert {name: found[name] for name in said} == said
    assert found["ETag"].strip('"') == hashlib.md5(b"content").hexdigest()
    client.copy_object(Bucket=BUCKET, Key="copies/a", CopySource={"Bucket": BUCKET, "Key": key})
    assert client.head_object(Bucket=BUCKET, Key="copies/a")["Metadata"] == {"for": "a test"}
    client.delete_object(Bucket=BUCKET, Key=key)
    assert refused(lambda: client.get_object(Bucket=BUCKET, Key=key)) == "NoSuchKey"
    client.delete_object(Bucket=BUCKET, Key=key)


@pytest.mark.parametrize(
    ("asked", "found"), [("bytes=2-4", b"234"), ("bytes=7-", b"789"), ("bytes=-2", b"89")]
)
def test_a_part_of_an_object(store: Store, asked: str, found: bytes) -> None:
    client = store.client("mlflow")
    client.put_object(Bucket=BUCKET, Key="range", Body=b"0123456789")
    answer = client.get_object(Bucket=BUCKET, Key="range", Range=asked)
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Body"].read()) == (206, found)
    beyond = refused(lambda: client.get_object(Bucket=BUCKET, Key="range", Range="bytes=20-"))
    assert beyond == "InvalidRange"


def test_parts_become_one_object(store: Store) -> None:
    client = store.client("mlflow")
    whole = b"a" * PART + b"b" * PART + b"c"
    upload = {"Bucket": BUCKET, "Key": "parts"}
    upload["UploadId"] = client.create_multipart_upload(**upload)["UploadId"]
    parts: list[dict[str, Any]] = []
    for number, start in reversed([*enumerate(range(0, len(whole), PART), 1)]):
        body = whole[start : start + PART]
        etag = client.upload_part(**upload, PartNumber=number, Body=body)["ETag"]
        parts.insert(0, {"PartNumber": number, "ETag": etag})
    listed = client.list_parts(**upload)["Parts"]
    assert [one["Size"] for one in listed] == [PART, PART, 1]
    assert names(client, "parts") == []
    client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    found = client.get_object(Bucket=BUCKET, Key="parts")
    assert found["Body"].read() == whole
    assert found["ETag"].endswith('-3"')


def test_an_upload_that_was_given_up_leaves_nothing(store: Store) -> None:
    client = store.client("mlflow")
    upload = {"Bucket": BUCKET, "Key": "given-up"}
    upload["UploadId"] = client.create_multipart_upload(**upload)["UploadId"]
    client.upload_part(**upload, PartNumber=1, Body=b"x" * PART)
    client.abort_multipart_upload(**upload)
    assert client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []
    assert refused(lambda: client.list_parts(**upload)) == "NoSuchUpload"


class Made:
    """A file of some size that is nowhere; what is read of it is summed."""

    def __init__(self, size: int) -> None:
        self.left, self.sum = size, hashlib.blake2b()
        self._rounds = itertools.count()

    def read(self, size: int) -> bytes:
        size = min(size, self.left)
        mark = hashlib.sha512(str(next(self._rounds)).encode()).digest()
        taken = (mark * (size // len(mark) + 1))[:size]
        self.left -= size
        self.sum.update(taken)
        return taken


def test_a_gigabyte_passes_through_in_pieces(store: Store) -> None:
    client, source = store.client("mlflow"), Made(GIGABYTE)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pieces = TransferConfig(multipart_chunksize=32 * 2**20, max_concurrency=2)
    client.upload_fileobj(source, BUCKET, "gigabyte", Config=pieces)
    found = client.get_object(Bucket=BUCKET, Key="gigabyte")
    assert found["ContentLength"] == GIGABYTE
    total = hashlib.blake2b()
    for block in found["Body"].iter_chunks(2**20):
        total.update(block)
    assert total.digest() == source.sum.digest()
    # Of this process; that of the store is capped, and it is looked at when the store is stopped.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 * 1024
    client.delete_object(Bucket=BUCKET, Key="gigabyte")


def many() -> Iterator[str]:
    return (f"many/{number % 10}/{number:05}" for number in range(10_000))


def test_ten_thousand_objects_are_listed_and_gone(store: Store) -> None:
    client = store.client("mlflow")
    with ThreadPoolExecutor(4) as pool:
        made = pool.map(lambda key: client.put_object(Bucket=BUCKET, Key=key, Body=b"x"), many())
        assert len([*made]) == 10_000
    first = client.list_objects_v2(Bucket=BUCKET, Prefix="many/")
    assert (first["KeyCount"], first["IsTruncated"]) == (1000, True)
    assert names(client, "many/") == sorted(many())
    folders = client.list_objects_v2(Bucket=BUCKET, Prefix="many/", Delimiter="/")
    assert len(folders["CommonPrefixes"]) == 10
    later = client.list_objects_v2(Bucket=BUCKET, Prefix="many/9/", StartAfter="many/9/09989")
    assert [one["Key"] for one in later["Contents"]] == ["many/9/09999"]
    keys = [*many()]
    for start in range(0, len(keys), 1000):
        page = keys[start : start + 1000]
        deleted = {"Objects": [{"Key": key} for key in page], "Quiet": True}
        assert "Errors" not in client.delete_objects(Bucket=BUCKET, Delete=deleted)
    assert names(client, "many/") == []


def test_versions_are_kept_where_the_administrator_says_so(store: Store) -> None:
    root, bucket = store.client("s3"), "with-versions"
    root.create_bucket(Bucket=bucket)
    assert "Status" not in root.get_bucket_versioning(Bucket=bucket)
    on = {"Status": "Enabled"}
    root.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=on)
    for body in (b"1", b"2"):
        root.put_object(Bucket=bucket, Key="v", Body=body)
    found = root.list_object_versions(Bucket=bucket)["Versions"]
    assert [one["IsLatest"] for one in found] == [True, False]
    old = root.get_object(Bucket=bucket, Key="v", VersionId=found[1]["VersionId"])
    assert old["Body"].read() == b"1"
    application = store.client("mlflow")
    assert refused(
        lambda: application.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration=on)
    ) == "AccessDenied"  # fmt: skip
    for one in found:
        root.delete_object(Bucket=bucket, Key="v", VersionId=one["VersionId"])
    root.delete_bucket(Bucket=bucket)


def test_a_page_of_another_origin_may_read_what_is_signed(store: Store) -> None:
    client = store.client("label-studio")
    client.put_object(Bucket="label-studio", Key="image", Body=b"pixels")
    place = {"Bucket": "label-studio", "Key": "image"}
    url = client.generate_presigned_url("get_object", Params=place)
    answer = httpx.get(url, headers={"Origin": OTHER_ORIGIN})
    assert answer.content == b"pixels"
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", OTHER_ORIGIN)
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-a"}
    before = httpx.options(url, headers={"Origin": OTHER_ORIGIN, **asked})
    assert before.is_success
    assert before.headers["Access-Control-Allow-Origin"] in ("*", OTHER_ORIGIN)
    assert "PUT" in before.headers["Access-Control-Allow-Methods"]


def test_rules_of_a_bucket_for_other_origins(store: Store) -> None:
    rules = {"CORSRules": [{"AllowedOrigins": [OTHER_ORIGIN], "AllowedMethods": ["GET"]}]}
    words = {"Bucket": BUCKET, "CORSConfiguration": rules}
    assert refused(lambda: store.client("mlflow").put_bucket_cors(**words)) == "AccessDenied"
    root = store.client("s3")
    if not store.intended.bucket_cors:
        assert refused(lambda: root.put_bucket_cors(**words)) == "NotImplemented"
        return
    root.put_bucket_cors(**words)
    assert root.get_bucket_cors(Bucket=BUCKET)["CORSRules"]
    root.delete_bucket_cors(Bucket=BUCKET)


def test_below_an_object_nothing_is_found(store: Store) -> None:
    """What is written there is lost to whoever lists, so it is told in the docs."""
    client = store.client("mlflow")
    client.put_object(Bucket=BUCKET, Key="both", Body=b"object")

    def below() -> None:
        client.put_object(Bucket=BUCKET, Key="both/below", Body=b"x")

    if store.intended.below_an_object == "refused":
        assert refused(below) == "ObjectParentIsFile"
    else:
        below()
    assert names(client, "both") == ["both"]


def test_names_with_empty_steps(store: Store) -> None:
    client = store.client("mlflow")

    def put() -> None:
        client.put_object(Bucket=BUCKET, Key="steps//empty", Body=b"x")

    if store.intended.empty_steps == "refused":
        assert refused(put) == "XMinioInvalidObjectName"
        return
    put()
    assert names(client, "steps") == ["steps/empty"]


def test_tags_given_with_an_object(store: Store) -> None:
    client = store.client("mlflow")

    def put() -> None:
        client.put_object(Bucket=BUCKET, Key="tagged", Body=b"x", Tagging="a=b")

    if store.intended.tags:
        put()
        assert store.client("s3").get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"]
    else:
        assert refused(put) == "AccessDenied"


def test_buckets_that_a_key_sees(store: Store) -> None:
    found = [one["Name"] for one in store.client("mlflow").list_buckets()["Buckets"]]
    assert found == ([BUCKET] if store.intended.own_buckets_listed else [])


def test_objects_outlive_a_restart(store: Store) -> None:
    client = store.client("mlflow")
    client.put_object(Bucket=BUCKET, Key="kept", Body=b"kept", Metadata={"a": "b"})
    store.restart()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            found = store.client("mlflow").get_object(Bucket=BUCKET, Key="kept")
            break
        except Exception:
            time.sleep(0.2)
    assert (found["Body"].read(), found["Metadata"]) == (b"kept", {"a": "b"})
