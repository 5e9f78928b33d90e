"""What lives on: a model, a run, a secret, a file, a Plane project; and who may see it."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import httpx
import pytest
from minio import Minio
from minio.error import S3Error

from tests.common.checks import kept
from tests.common.platform import eventually
from tests.compose.conftest import ComposePlatform

FILE = b"\x89PNG\r\n" + bytes(range(256)) * 40


def plane(platform: ComposePlatform) -> httpx.Client:
    """Plane's token API, with the key that bootstrap made."""
    return httpx.Client(
        base_url=f"http://127.0.0.1:{platform.ports['PLANE']}",
        headers={"X-Api-Key": platform.secret("bootstrap", "PLANE_API_TOKEN")}, timeout=20,
    )  # fmt: skip


def projects(platform: ComposePlatform) -> list[dict[str, Any]]:
    with plane(platform) as client:
        answer = client.get("/api/v1/workspaces/monolith/projects/").raise_for_status()
    return list(answer.json()["results"])


def work_items(platform: ComposePlatform) -> list[dict[str, Any]]:
    (project,) = projects(platform)
    with plane(platform) as client:
        path = f"/api/v1/workspaces/monolith/projects/{project['id']}/work-items/"
        return list(client.get(path).raise_for_status().json()["results"])


def browser(platform: ComposePlatform) -> httpx.Client:
    """A person at Plane, signed in through the front door."""
    host = platform.host("plane")
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{platform.ports['HTTP']}", timeout=20,
        headers={"Host": host, "Origin": f"http://{host}", "Referer": f"http://{host}/",
                 "User-Agent": "test"},
    )  # fmt: skip
    token = client.get("/auth/get-csrf-token/").json()["csrf_token"]
    person = {
        "email": "admin@monolith.localhost",
        "password": platform.secret("bootstrap", "PLANE_ADMIN_PASSWORD"),
        "csrfmiddlewaretoken": token,
    }
    answer = client.post("/auth/sign-in/", data=person)
    assert answer.is_redirect, answer.text
    assert "session-id" in client.cookies, answer.headers
    return client


def upload(client: httpx.Client, content: bytes) -> tuple[str, httpx.Response]:
    """Plane's three steps of an upload, as a browser takes them. Returns (asset url, answer)."""
    asked = {"name": "C# 50% done; what? ü.png", "type": "image/png", "size": len(FILE),
             "entity_type": "PROJECT_COVER", "entity_identifier": ""}  # fmt: skip
    path = "/api/assets/v2/workspaces/monolith/"
    told = client.post(path, json=asked).raise_for_status().json()
    form = told["upload_data"]
    address = httpx.URL(form["url"])
    assert address.netloc.decode() == client.headers["Host"]
    answer = client.post(address.path, data=form["fields"], files={"file": ("a.png", content)})
    client.patch(f"{path}{told['asset_id']}/", json={}).raise_for_status()
    return str(told["asset_url"]), answer


def download(client: httpx.Client, url: str) -> bytes:
    """The file behind an asset's address; the redirect is signed for the same host."""
    redirect = client.get(url)
    assert redirect.status_code == 302, redirect.text
    address = httpx.URL(redirect.headers["Location"])
    assert address.netloc.decode() == client.headers["Host"]
    return client.get(address.raw_path.decode()).raise_for_status().content


def test_demo_has_filed_a_work_item_with_both_links(platform: ComposePlatform) -> None:
    assert [project["identifier"] for project in projects(platform)] == ["MONO"]
    item = work_items(platform)[-1]
    assert "digits" in item["name"]
    assert f"http://{platform.host('prefect')}/runs/flow-run/" in item["description_html"]
    assert f"http://{platform.host('mlflow')}/#/" in item["description_html"]
    assert f"http://{platform.host('plane')}/monolith/browse/MONO-" in platform.extra["DEMO_OUTPUT"]


def test_a_file_goes_to_plane_and_comes_back_through_the_front_door(
    platform: ComposePlatform,
) -> None:
    with closing(browser(platform)) as client:
        url, answer = upload(client, FILE)
        assert answer.status_code == 204
        assert download(client, url) == FILE
        _, answer = upload(client, FILE * 2)
        assert answer.status_code == 400
        assert "EntityTooLarge" in answer.text


def test_the_queue_works_plane_stand_in(platform: ComposePlatform) -> None:
    """Where RabbitMQ denies Celery's queues the worker takes nothing, while all is healthy."""
    with plane(platform) as client:
        (project,) = projects(platform)
        path = f"/api/v1/workspaces/monolith/projects/{project['id']}/work-items/"
        item = client.post(path, json={"name": "for the queue"}).raise_for_status().json()
        activities = f"{path}{item['id']}/activities/"
        assert eventually(lambda: client.get(activities).json()["results"], 30)


def store(platform: ComposePlatform, service: str) -> Minio:
    return Minio(
        f"127.0.0.1:{platform.ports['S3']}", platform.secret(service, "S3_ACCESS_KEY"),
        platform.secret(service, "S3_SECRET_KEY"), secure=False, region="us-east-1",
    )  # fmt: skip


def test_artifacts_and_results_are_on_the_object_store(platform: ComposePlatform) -> None:
    platform.run("run", "--deployed", "train-digits")
    names = [
        one.object_name for one in store(platform, "mlflow").list_objects("mlflow", recursive=True)
    ]
    assert any("MLmodel" in str(name) for name in names)
    assert list(store(platform, "prefect-worker").list_objects("prefect-results", recursive=True))


@pytest.mark.parametrize(
    ("service", "bucket"),
    [("mlflow", "uploads"), ("plane-api", "mlflow"), ("prefect-worker", "mlflow")],
)
def test_a_key_opens_its_own_bucket_only(
    platform: ComposePlatform, service: str, bucket: str
) -> None:
    with pytest.raises(S3Error, match=r"Access ?Denied"):
        list(store(platform, service).list_objects(bucket))


def test_all_of_it_is_there_after_down_and_up(platform: ComposePlatform) -> None:
    with closing(browser(platform)) as client:
        url, _ = upload(client, FILE)
    before = projects(platform)
    with kept(platform):
        platform.run("down")
        assert platform.containers() == {}
        platform.run("up")
    assert projects(platform) == before
    with closing(browser(platform)) as client:
        assert download(client, url) == FILE
