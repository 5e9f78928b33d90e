"""Consul's catalog and Traefik's routes on the product's stack, with stand-ins behind them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest

from monolith.bootstrap import consul as consul_step
from monolith.bootstrap.site import Site
from monolith.manifest.stack import Stack
from tests.native import steps
from tests.native.conftest import eventually, free_ports

DOMAIN = "monolith.localhost"
pytestmark = pytest.mark.skipif(steps.CONSUL is None, reason="needs: ./monolith tools build consul")


@pytest.fixture(scope="module")
def stack() -> Stack:
    return steps.product()


@dataclass
class Front:
    """Consul and Traefik in front of a stand-in for each port of the product's services."""

    site: Site
    web: int
    services: dict[tuple[str, int], steps.Echo] = field(default_factory=dict)

    def get(self, host: str, path: str, **headers: str) -> httpx.Response:
        names = {"Host": f"{host}.{DOMAIN}:8080", **headers}
        return httpx.get(f"http://127.0.0.1:{self.web}{path}", headers=names, trust_env=False)

    def name(self, host: str, path: str) -> str:
        """The service that answers."""
        answer = self.get(host, path)
        return str(answer.json()["name"]) if answer.is_success else str(answer.status_code)


@pytest.fixture(scope="module")
def front(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("front")
    (port,) = free_ports(1)
    services = {
        (entry.name, place.port): steps.Echo(entry.name)
        for entry in stack.services.values()
        for place in [entry.monolith.url, *entry.monolith.routes, entry.monolith.check]
        if place and place.port and entry.name != "consul"
    }
    ports = {key: echo.port for key, echo in services.items()} | {("consul", 8500): port}
    site = steps.make_site(stack, steps.Memory(), ports)
    with ExitStack() as running:
        running.enter_context(steps.consul(folder, port))
        assert consul_step.ensure(site)
        web = running.enter_context(steps.traefik(stack, port, folder))
        front = Front(site, web, services)
        # A check is asked for the first time within its interval.
        hosts = ("plane", "mlflow", "prefect", "vault", "s3")
        paths = ("/", "/api/", "/live/", "/spaces/", "/god-mode/", "/uploads")
        assert eventually(lambda: all(front.name(host, "/") != "404" for host in hosts), 40)
        assert eventually(lambda: len({front.name("plane", path) for path in paths}) == 6, 40)
        yield front


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/spaces/", "plane-space"),
        ("/spaces/a/b?c=d", "plane-space"),
        ("/god-mode/", "plane-admin"),
        ("/god-mode/general/", "plane-admin"),
        ("/live/collaboration", "plane-live"),
        ("/api/instances/", "plane-api"),
        ("/api/v1/users/me/", "plane-api"),
        ("/auth/sign-in/", "plane-api"),
        ("/static/x.js", "plane-api"),
        ("/uploads", "s3"),
        ("/uploads/key", "s3"),
        ("/", "plane-web"),
        ("/monolith/projects", "plane-web"),
        ("/uploads-of-mine", "plane-web"),
        ("/spaceship", "plane-web"),
        ("/apiary", "plane-web"),
    ],
)
def test_planes_routes_lead_where_they_should(front: Front, path: str, service: str) -> None:
    answer = front.get("plane", path).json()
    assert (answer["name"], answer["path"]) == (service, path)
    assert answer["headers"]["Host"] == f"plane.{DOMAIN}:8080"


@pytest.mark.parametrize("path", ["/spaces", "/god-mode"])
def test_a_redirect_keeps_host_port_and_query(front: Front, path: str) -> None:
    answer = front.get("plane", f"{path}?a=1")
    assert answer.is_redirect
    assert answer.headers["Location"] == f"http://plane.{DOMAIN}:8080{path}/?a=1"


def test_a_websocket_reaches_live(front: Front) -> None:
    head = (
        f"GET /live/collaboration HTTP/1.1\r\nHost: plane.{DOMAIN}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", front.web), 10) as connection:
        connection.sendall(head.encode())
        reader = connection.makefile("rb")
        assert b"101" in reader.readline()
        while reader.readline().strip():
            pass
        connection.sendall(b"hello\n")
        assert reader.readline() == b"plane-live hello\n"


def test_traefik_and_consul_have_their_own_pages(front: Front) -> None:
    assert front.get("traefik", "/dashboard/").is_success
    assert eventually(lambda: front.get("consul", "/v1/status/leader").is_success, 40)


@pytest.mark.parametrize("host", ["postgres", "plane-worker", "plane-mq", "bootstrap", "x"])
def test_nothing_else_is_reached(front: Front, host: str) -> None:
    assert front.get(host, "/").status_code == 404


@pytest.mark.parametrize("sent", ["%2F", "%5C", "%00"])
def test_a_path_has_one_meaning(front: Front, sent: str) -> None:
    assert front.get("mlflow", f"/a{sent}b").status_code == 400


def test_a_header_has_one_spelling(front: Front) -> None:
    seen = front.get("mlflow", "/", **{"Remote_User": "x", "Remote.User": "x", "X-Fine": "1"})
    assert not {name for name in seen.json()["headers"] if name.lower().startswith("remote")}
    assert "X-Fine" in seen.json()["headers"]


def test_what_fails_has_no_route_until_it_works_again(front: Front) -> None:
    front.services["mlflow", 5000].status = 503
    assert eventually(lambda: front.name("mlflow", "/") == "404", 30)
    assert front.name("prefect", "/") == "prefect"
    front.services["mlflow", 5000].status = 200
    assert eventually(lambda: front.name("mlflow", "/") == "mlflow", 30)


def test_the_catalog_is_what_the_stack_says(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    assert consul_step.ensure(front.site) == []
    fewer = replace(front.site, offered=lambda entry: entry.name in ("consul", "plane-mq"))
    assert "removed plane-web" in consul_step.ensure(fewer)
    assert consul_step.ensure(fewer) == []
    cuts = steps.cut_everywhere(
        monkeypatch, httpx.Client, "send", lambda: consul_step.ensure(front.site)
    )
    assert cuts > 5
    assert consul_step.ensure(front.site) == []


def test_the_catalog_outlives_a_restart(stack: Stack, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    site = steps.make_site(stack, steps.Memory(), {("consul", 8500): port, ("mlflow", 5000): port})
    with steps.consul(tmp_path, port):
        assert consul_step.ensure(site) == ["registered consul-8500", "registered mlflow"]
        url = f"http://127.0.0.1:{port}/v1/agent/service/register"
        httpx.put(url, json={"Name": "somebody-elses"}).raise_for_status()
    with steps.consul(tmp_path, port):
        assert consul_step.ensure(site) == []
        services = httpx.get(f"http://127.0.0.1:{port}/v1/agent/services").json()
        assert set(services) == {"consul-8500", "mlflow", "somebody-elses"}
