"""The front door: Plane's table of routes, and that a sick service leaves the routing."""

from __future__ import annotations

import base64
import os
import socket
import time

import httpx
import pytest

from tests.common.platform import eventually
from tests.compose.conftest import ComposePlatform, docker

STAND_IN = "X-Plane-Stand-In"


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/", "web"),
        ("/monolith/projects", "web"),
        ("/spaces/x", "space"),
        ("/spaces-x", "web"),
        ("/god-mode/general/", "admin"),
        ("/live/health", "live"),
        ("/api/instances/", "api"),
        ("/auth/get-csrf-token/", "api"),
        ("/static/x.css", "api"),
        ("/uploadsx", "web"),
    ],
)
def test_plane_stand_in_gets_each_path_where_it_belongs(
    platform: ComposePlatform, path: str, service: str
) -> None:
    answer = platform.through_front_door("plane", path)
    assert answer.headers[STAND_IN] == service


def test_uploads_of_plane_lead_to_the_store(platform: ComposePlatform) -> None:
    for path in ("/uploads", "/uploads/some/key"):
        answer = platform.through_front_door("plane", path)
        assert "<Code>AccessDenied</Code>" in answer.text, path


@pytest.mark.parametrize("path", ["/god-mode", "/spaces"])
def test_the_slash_is_added_on_the_same_address(platform: ComposePlatform, path: str) -> None:
    answer = platform.through_front_door("plane", path, follow_redirects=False)
    assert answer.is_redirect
    assert answer.headers["Location"] == f"http://{platform.host('plane')}{path}/"


def test_a_websocket_reaches_plane_live(platform: ComposePlatform) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET /live/collaboration HTTP/1.1\r\nHost: {platform.host('plane')}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", platform.ports["HTTP"]), 10) as connection:
        connection.sendall(request.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 101")


@pytest.mark.parametrize(
    ("host", "path", "text"),
    [
        ("consul", "/v1/status/leader", ":8300"),
        ("consul", "/ui/", "Consul"),
        ("vault", "/v1/sys/health", '"sealed":false'),
        ("s3", "/", "AccessDenied"),
    ],
)
def test_the_front_door_leads_to_the_systems_too(
    platform: ComposePlatform, host: str, path: str, text: str
) -> None:
    assert text in platform.through_front_door(host, path).text


def status_of(platform: ComposePlatform, host: str, path: str) -> int:
    try:
        return platform.through_front_door(host, path).status_code
    except httpx.HTTPError:
        return 0


def test_a_sick_service_leaves_the_routing_and_comes_back(platform: ComposePlatform) -> None:
    container = platform.running()["mlflow"]["Id"]
    assert status_of(platform, "mlflow", "/health") == 200
    docker("pause", container)
    try:
        began = time.monotonic()
        assert eventually(lambda: status_of(platform, "mlflow", "/health") == 404, 40)
        assert time.monotonic() - began < 40
    finally:
        docker("unpause", container)
    assert eventually(lambda: status_of(platform, "mlflow", "/health") == 200, 40)


def test_a_foreign_name_leads_nowhere(platform: ComposePlatform) -> None:
    port = platform.ports["HTTP"]
    answer = httpx.get(f"http://127.0.0.1:{port}/", headers={"Host": "evil.example"})
    assert answer.status_code == 404


def test_planes_own_address_is_reached_from_inside(platform: ComposePlatform) -> None:
    """Its API asks the store at the address that the browser used."""
    code = "import os, urllib.request as r; print(r.urlopen(os.environ['WEB_URL']).status)"
    assert platform.inside("plane-api", "python", "-c", code).strip() == "200"
