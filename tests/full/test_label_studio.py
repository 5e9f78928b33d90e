"""Label Studio: who gets in, where files are, and what it does not ask for others."""

from __future__ import annotations

import io

import httpx
import pytest

from tests.compose.conftest import ComposePlatform
from tests.compose.test_data import store
from tests.full.labels import PICTURE, fetch, label_studio, new_project, tasks

# The smallest picture there is: one transparent point.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


def test_an_uploaded_picture_is_on_the_store_and_comes_back(full: ComposePlatform) -> None:
    with label_studio(full) as client:
        project = new_project(client, "Upload", PICTURE)
        file = {"file": ("point.png", PNG, "image/png")}
        client.post(f"/api/projects/{project}/import", files=file).raise_for_status()
        (task,) = tasks(client, project)
        url = task["data"]["image"]
        assert fetch(client, url).content == PNG
        name = url.partition("filepath=")[2]
        kept = store(full, "label-studio").get_object("label-studio", f"uploads/{name}")
        assert kept.data == PNG
        del client.headers["Authorization"]
        assert fetch(client, url).status_code == 401


def test_pictures_of_a_bucket_come_through_label_studio(full: ComposePlatform) -> None:
    """Its own addresses, not those of the store, which a browser could not reach."""
    s3 = store(full, "label-studio")
    s3.put_object("label-studio", "pictures/point.png", io.BytesIO(PNG), len(PNG))
    with label_studio(full) as client:
        project = new_project(client, "Bucket", PICTURE)
        source = {
            "project": project, "bucket": "label-studio", "prefix": "pictures",
            "use_blob_urls": True, "presign": False, "recursive_scan": True,
            "region_name": "us-east-1", "s3_endpoint": "http://s3.service.consul:9000",
            "aws_access_key_id": full.secret("label-studio", "S3_ACCESS_KEY"),
            "aws_secret_access_key": full.secret("label-studio", "S3_SECRET_KEY"),
        }  # fmt: skip
        made = client.post("/api/storages/s3/", json=source).raise_for_status().json()
        client.post(f"/api/storages/s3/{made['id']}/sync", json={}).raise_for_status()
        (task,) = tasks(client, project)
        assert fetch(client, task["data"]["image"]).content == PNG


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:8080/health"]
)
def test_it_asks_neither_the_cloud_nor_itself_for_others(full: ComposePlatform, url: str) -> None:
    with label_studio(full) as client:
        project = new_project(client, "Requests", PICTURE)
        hook = {"project": project, "url": url}
        answer = client.post("/api/webhooks/", json=hook)
        assert answer.status_code == 403
        assert "reserved network address" in answer.text


def test_nobody_signs_up_without_an_invitation(full: ComposePlatform) -> None:
    host = full.host("labels")
    headers = {"Host": host, "Origin": f"http://{host}", "Referer": f"http://{host}/user/signup/"}
    door = f"http://127.0.0.1:{full.ports['HTTP']}"
    with httpx.Client(base_url=door, headers=headers, timeout=20) as client:
        client.get("/user/login/").raise_for_status()
        person = {
            "email": "stranger@example.org", "password": "Long-enough-1!",
            "csrfmiddlewaretoken": client.cookies["csrftoken"],
        }  # fmt: skip
        client.post("/user/signup/", data=person)
        login = client.post("/user/login/", data=person)
        assert not login.is_redirect
        person["csrfmiddlewaretoken"] = client.cookies["csrftoken"]
        person["email"] = "admin@monolith.localhost"
        person["password"] = full.secret("label-studio", "LABEL_STUDIO_PASSWORD")
        assert client.post("/user/login/", data=person).is_redirect
