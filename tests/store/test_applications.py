"""Each application's own use of the store: the requests that its program makes, in its order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
from boto3.s3.transfer import TransferConfig

from tests.native import steps
from tests.native.conftest import free_ports
from tests.store.conftest import ROOT, Store

PLANE = "plane.monolith.localhost:8080"
SIZE_LIMIT = 5 * 2**20
PAGE = b"\x89PNG" + bytes(range(256)) * 512


def as_browser(store: Store, url: str) -> tuple[str, dict[str, str]]:
    """Where the front door leads what a browser sends to Plane's own address, and its host."""
    parts = urlsplit(url)
    assert parts.netloc == PLANE
    return f"{store.url}{parts.path}?{parts.query}", {"Host": PLANE}


def test_planes_upload(store: Store) -> None:
    """Signed for Plane's own address, on which /uploads is the store; asked within the stack."""
    inside = store.client("plane-api")
    outside = store.client("plane-api", endpoint_url=f"http://{PLANE}")
    key, kind = "workspace/0123-cover.png", "image/png"
    conditions = [
        {"bucket": "uploads"}, ["content-length-range", 1, SIZE_LIMIT], {"Content-Type": kind},
        {"key": key},
    ]  # fmt: skip
    form = outside.generate_presigned_post(
        Bucket="uploads", Key=key, Fields={"Content-Type": kind, "key": key},
        Conditions=conditions, ExpiresIn=3600,
    )  # fmt: skip
    assert form["url"] == f"http://{PLANE}/uploads"
    url, host = as_browser(store, form["url"])

    def send(body: bytes) -> httpx.Response:
        files = {"file": ("cover.png", body, kind)}
        return httpx.post(url, data=form["fields"], files=files, headers=host)

    too_large = send(b"x" * (SIZE_LIMIT + 1))
    assert (too_large.status_code, "EntityTooLarge" in too_large.text) == (400, True)
    assert send(PAGE).status_code == 204
    found = inside.head_object(Bucket="uploads", Key=key)
    assert (found["ContentLength"], found["ContentType"]) == (len(PAGE), kind)
    read = outside.generate_presigned_url(
        "get_object", ExpiresIn=3600, HttpMethod="GET",
        Params={"Bucket": "uploads", "Key": key,
                "ResponseContentDisposition": 'inline; filename="a cover.png"'},
    )  # fmt: skip
    url, host = as_browser(store, read)
    assert httpx.get(url, headers=host).content == PAGE
    assert httpx.get(url, headers={"Host": "other.example"}).status_code == 403


def test_plane_copies_and_removes_files(store: Store) -> None:
    client = store.client("plane-api")
    client.upload_fileobj(BytesIO(PAGE), "uploads", "a/one", ExtraArgs={"ContentType": "image/png"})
    client.copy_object(
        Bucket="uploads", CopySource={"Bucket": "uploads", "Key": "a/one"}, Key="a/two"
    )
    gone = {"Objects": [{"Key": "a/one"}, {"Key": "a/never"}]}
    assert "Errors" not in client.delete_objects(Bucket="uploads", Delete=gone)
    assert client.get_object(Bucket="uploads", Key="a/two")["Body"].read() == PAGE


def test_label_studio_keeps_uploads(store: Store) -> None:
    """As django-storages does it: a resource, parts, a look whether the name is taken."""
    bucket = boto3.resource("s3", **store.options("label-studio")).Bucket("label-studio")
    client = bucket.meta.client
    with pytest.raises(client.exceptions.ClientError, match="404"):
        client.head_object(Bucket="label-studio", Key="uploads/1/a.csv")
    content = b"text,label\n" * 10**6
    pieces = TransferConfig(multipart_chunksize=5 * 2**20, multipart_threshold=5 * 2**20)
    thing = bucket.Object("uploads/1/a.csv")
    thing.upload_fileobj(BytesIO(content), ExtraArgs={"ContentType": "text/csv"}, Config=pieces)
    assert thing.get()["Body"].read() == content
    thing.delete()


def test_label_studio_imports_tasks(store: Store) -> None:
    """An import storage: the bucket is looked at, listed, tasks are read, pages get addresses."""
    client = store.client("label-studio")
    task = {"data": {"image": "s3://label-studio/import/1.png"}}
    client.put_object(Bucket="label-studio", Key="import/1.json", Body=json.dumps(task))
    client.put_object(Bucket="label-studio", Key="import/1.png", Body=PAGE)
    client.put_object(Bucket="label-studio", Key="import/", Body=b"")
    client.head_bucket(Bucket="label-studio")
    found = client.list_objects_v2(Bucket="label-studio", Prefix="import/", MaxKeys=1)
    assert found["KeyCount"] == 1
    bucket = boto3.resource("s3", **store.options("label-studio")).Bucket("label-studio")
    keys = [one.key for one in bucket.objects.filter(Prefix="import/", Delimiter="/").all()]
    assert keys == ["import/", "import/1.json", "import/1.png"]
    thing = boto3.resource("s3", **store.options("label-studio")).Object("label-studio", keys[1])
    assert json.loads(thing.get()["Body"].read().decode()) == task
    place = {"Bucket": "label-studio", "Key": keys[2]}
    url = client.generate_presigned_url("get_object", Params=place, ExpiresIn=900)
    answer = httpx.get(url, headers={"Origin": "http://labels.monolith.localhost"})
    assert answer.content == PAGE
    assert answer.headers["Access-Control-Allow-Origin"]


def test_label_studio_exports_annotations(store: Store) -> None:
    resource = boto3.resource("s3", **store.options("label-studio"))
    for number in range(3):
        resource.Object("label-studio", f"export/{number}").put(Body=json.dumps({"id": number}))
    bucket = resource.Bucket("label-studio")
    found = [
        json.loads(one.get()["Body"].read()) for one in bucket.objects.filter(Prefix="export/")
    ]
    assert found == [{"id": number} for number in range(3)]
    resource.Object("label-studio", "export/1").delete()
    assert [one.key for one in bucket.objects.filter(Prefix="export/")] == ["export/0", "export/2"]


@pytest.fixture(scope="module")
def mlflow(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The real MLflow, as its manifest sets it up, with tables in a file."""
    folder = tmp_path_factory.mktemp("mlflow")
    (port,) = free_ports(1)
    said = store.site.stack.service("mlflow").model.environment
    keys = store.keys("mlflow")
    environment: dict[str, Any] = {
        **{name: str(value) for name, value in said.items()},
        "MLFLOW_S3_ENDPOINT_URL": store.url,
        "AWS_ACCESS_KEY_ID": keys["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": keys["aws_secret_access_key"],
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder}/mlflow.db",
        "MLFLOW_SERVER_ALLOWED_HOSTS": "127.0.0.1:*",
    }
    program = Path(steps.installed("config/mlflow/requirements.lock")) / "bin" / "uvicorn"
    command = [str(program), "--app-dir", str(ROOT / "config/mlflow"), "proxied:app",
               "--host", "127.0.0.1", "--port", str(port)]  # fmt: skip
    url, log = f"http://127.0.0.1:{port}", folder / "log"
    ready = f"{url}/api/2.0/mlflow/experiments/search?max_results=1"
    with (
        steps.running(command, ready, log, environment=environment, cwd=folder),
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        yield client
    assert keys["aws_secret_access_key"] not in log.read_text()


def test_mlflows_artifacts_pass_through_it(store: Store, mlflow: httpx.Client) -> None:
    path, at = "1/abc/artifacts", "/api/2.0/mlflow-artifacts/artifacts"
    large = b"weights!" * 2**21
    for name, content in (("MLmodel", b"a model"), ("data/weights", large)):
        mlflow.put(f"{at}/{path}/{name}", content=content).raise_for_status()
    listed = mlflow.get(at, params={"path": path}).json()["files"]
    assert [(one["path"], one["is_dir"]) for one in listed] == [("MLmodel", False), ("data", True)]
    assert mlflow.get(f"{at}/{path}/data/weights").content == large
    # Larger than boto3 sends whole: it went in parts.
    found = store.client("mlflow").head_object(
        Bucket="mlflow", Key=f"artifacts/{path}/data/weights"
    )
    assert (found["ContentLength"], '-2"' in found["ETag"]) == (len(large), True)
    mlflow.delete(f"{at}/{path}").raise_for_status()
    assert mlflow.get(at, params={"path": path}).json().get("files", []) == []
