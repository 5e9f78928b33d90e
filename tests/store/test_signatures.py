"""Who may do what: signatures, signed addresses and forms, clocks, and keys of others."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.auth
import httpx
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from monolith.store.model import REGION
from tests.store.conftest import BUCKETS, Store
from tests.store.test_objects import refused

BUCKET = "mlflow"
OTHERS = [(one, bucket) for one in BUCKETS for bucket in BUCKETS.values() if bucket != BUCKETS[one]]


def test_an_address_for_reading(store: Store) -> None:
    client = store.client("mlflow")
    client.put_object(Bucket=BUCKET, Key="signed/read", Body=b"content")
    place = {"Bucket": BUCKET, "Key": "signed/read"}
    named = {"ResponseContentDisposition": 'attachment; filename="x"'}
    url = client.generate_presigned_url("get_object", Params=place | named, ExpiresIn=60)
    answer = httpx.get(url)
    assert (answer.status_code, answer.content) == (200, b"content")
    assert answer.headers["Content-Disposition"] == named["ResponseContentDisposition"]
    assert httpx.get(url, headers={"Range": "bytes=0-2"}).content == b"con"
    for other in (url.replace("signed/read", "signed/other"), url[:-1] + "f0"[url[-1] == "f"]):
        assert httpx.get(other).status_code == 403
    assert httpx.put(url, content=b"y").status_code == 403


def test_an_address_for_writing(store: Store) -> None:
    client = store.client("mlflow")
    place = {"Bucket": BUCKET, "Key": "signed/write", "ContentType": "text/x"}
    url = client.generate_presigned_url("put_object", Params=place, ExpiresIn=60)
    assert httpx.put(url, content=b"1", headers={"Content-Type": "text/y"}).status_code == 403
    assert httpx.put(url, content=b"12", headers={"Content-Type": "text/x"}).status_code == 200
    found = client.get_object(Bucket=BUCKET, Key="signed/write")
    assert (found["Body"].read(), found["ContentType"]) == (b"12", "text/x")


def test_an_address_ends(store: Store) -> None:
    client = store.client("mlflow")
    client.put_object(Bucket=BUCKET, Key="signed/old", Body=b"x")
    place = {"Bucket": BUCKET, "Key": "signed/old"}
    url = client.generate_presigned_url("get_object", Params=place, ExpiresIn=1)
    assert httpx.get(url).status_code == 200
    time.sleep(2.1)
    assert httpx.get(url).status_code == 403


def form(store: Store, application: str = "mlflow", bucket: str = BUCKET) -> dict[str, Any]:
    """A form for an upload of 1 to 5 bytes."""
    client = store.client(application)
    conditions = [["content-length-range", 1, 5], {"Content-Type": "text/x"}]
    found: dict[str, Any] = client.generate_presigned_post(
        bucket, "form", Fields={"Content-Type": "text/x"}, Conditions=conditions, ExpiresIn=60
    )
    return found


def send(found: dict[str, Any], body: bytes, **changed: str) -> tuple[int, str]:
    data = found["fields"] | changed
    answer = httpx.post(found["url"], data=data, files={"file": ("name", body)})
    return answer.status_code, answer.text


def test_a_form_takes_what_its_policy_allows(store: Store) -> None:
    found = form(store)
    assert send(found, b"12345")[0] == 204
    there = store.client("mlflow").get_object(Bucket=BUCKET, Key="form")
    assert (there["Body"].read(), there["ContentType"]) == (b"12345", "text/x")
    for body, code in ((b"123456", "EntityTooLarge"), (b"", "EntityTooSmall")):
        status, text = send(found, body)
        assert (status, code in text) == (400, True), text
    for changed in ({"key": "another"}, {"Content-Type": "text/html"}):
        assert send(found, b"1", **changed)[0] == 403
    assert send(found, b"1", **{"x-amz-signature": "0" * 64})[0] == 403
    assert there["ETag"] == store.client("mlflow").head_object(Bucket=BUCKET, Key="form")["ETag"]


@pytest.mark.parametrize(("application", "bucket"), OTHERS)
def test_a_key_opens_nothing_of_others(store: Store, application: str, bucket: str) -> None:
    store.client("s3").put_object(Bucket=bucket, Key="private", Body=b"private")
    client = store.client(application)
    place = {"Bucket": bucket, "Key": "private"}
    own = BUCKETS[application]
    attempts = {
        "list": lambda: client.list_objects_v2(Bucket=bucket),
        "read": lambda: client.get_object(**place),
        "write": lambda: client.put_object(**place, Body=b"x"),
        "delete": lambda: client.delete_object(**place),
        "copy": lambda: client.copy_object(Bucket=own, Key="stolen", CopySource=place),
        "parts": lambda: client.create_multipart_upload(**place),
        "policy": lambda: client.put_bucket_policy(Bucket=own, Policy="{}"),
        "make": lambda: client.create_bucket(Bucket=f"more-{own}"),
        "remove": lambda: client.delete_bucket(Bucket=own),
    }
    assert {name: refused(call) for name, call in attempts.items()} == dict.fromkeys(
        attempts, "AccessDenied"
    )
    assert httpx.get(client.generate_presigned_url("get_object", Params=place)).status_code == 403
    assert send(form(store, application, bucket), b"1")[0] == 403
    assert store.client("s3").get_object(**place)["Body"].read() == b"private"


@pytest.mark.parametrize(
    "path",
    [
        "mlflow/../uploads/private",
        "mlflow/%2e%2e/uploads/private",
        "mlflow/a%2f..%2f..%2fuploads/x",
    ],
)
def test_no_path_leads_out_of_a_bucket(store: Store, path: str) -> None:
    """Sent as it is: clients would shorten it."""
    headers = dict(signed(store, "GET", f"/{path}").headers)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", store.port)) as connection:
        host = f"Host: 127.0.0.1:{store.port}\r\nConnection: close\r\n"
        connection.sendall(f"GET /{path} HTTP/1.1\r\n{host}{lines}\r\n".encode())
        status = connection.makefile("rb").readline().split()[1]
    assert status in (b"400", b"403")


def test_nobody_without_a_key_finds_anything(store: Store) -> None:
    store.client("mlflow").put_object(Bucket=BUCKET, Key="closed", Body=b"x")
    for path in ("", f"/{BUCKET}", f"/{BUCKET}/closed"):
        assert httpx.get(f"{store.url}{path}").status_code == 403


def test_a_wrong_key_is_told_apart(store: Store) -> None:
    keys = store.keys("mlflow")
    wrong = store.client("mlflow", aws_secret_access_key="0" * 64)
    assert refused(lambda: wrong.list_objects_v2(Bucket=BUCKET)) == "SignatureDoesNotMatch"
    unknown = store.client("mlflow", aws_access_key_id=keys["aws_access_key_id"][::-1])
    assert refused(lambda: unknown.list_objects_v2(Bucket=BUCKET)) == "InvalidAccessKeyId"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Sets the clock by which requests are signed."""

    def set_to(ahead: timedelta) -> None:
        moment = datetime.now(UTC) + ahead
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: moment)

    return set_to


def signed(store: Store, method: str, path: str) -> AWSRequest:
    keys = store.keys("mlflow")
    request = AWSRequest(method, f"{store.url}{path}")
    S3SigV4Auth(Credentials(*keys.values()), "s3", REGION).add_auth(request)
    return request


@pytest.mark.parametrize(
    ("minutes", "status"), [(-20, 403), (-5, 200), (0, 200), (5, 200), (20, 403)]
)
def test_a_clock_may_be_wrong_by_minutes(
    store: Store, clock: Callable[[timedelta], None], minutes: int, status: int
) -> None:
    clock(timedelta(minutes=minutes))
    request = signed(store, "GET", f"/{BUCKET}")
    answer = httpx.get(request.url, headers=dict(request.headers))
    assert answer.status_code == status
    assert ("RequestTimeTooSkewed" in answer.text) == (status == 403)
