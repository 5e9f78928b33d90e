"""Traefik's routes: each address reaches its service, and nothing else does."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from monolith.manifest.models import Url
from monolith.manifest.stack import Entry, Stack
from monolith.render.traefik import routes, rule
from tests.unit.conftest import MakeStack, service

MEANINGS = {"MONOLITH_DOMAIN": "Domain."}


def url(**keys: Any) -> Url:
    return Url.model_validate({"host": "web", "port": 80, **keys})


def target(entry: Entry, port: int) -> str:
    return f"http://{entry.name}:{port}"


def rendered(stack: Stack) -> dict[str, Any]:
    text = routes(stack, list(stack.services.values()), target)
    http: dict[str, Any] = yaml.safe_load(text)["http"]
    return http


def routed(name: str, /, **block: Any) -> dict[str, Any]:
    domain = {"DOMAIN": "${MONOLITH_DOMAIN:-example.localhost}"}
    block = {"access": "users", "check": {"port": 80}, **block}
    return service(name, block, environment=domain)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([], "Host(`web.x.y`)"),
        (["/api/"], "Host(`web.x.y`) && (PathPrefix(`/api/`))"),
        (["/api"], "Host(`web.x.y`) && (Path(`/api`) || PathPrefix(`/api/`))"),
        (
            ["/a/", "/b"],
            "Host(`web.x.y`) && (PathPrefix(`/a/`) || Path(`/b`) || PathPrefix(`/b/`))",
        ),
    ],
)
def test_a_rule_is_the_host_and_its_paths(paths: list[str], expected: str) -> None:
    assert rule(url(paths=paths), "x.y", []) == expected


def test_what_prometheus_asks_is_closed_on_the_routed_port_only(make_stack: MakeStack) -> None:
    metrics = [{"port": 80, "path": "/m?format=prometheus"}, {"port": 81, "path": "/other"}]
    block = {"url": {"host": "web", "port": 80}, "metrics": metrics}
    stack = make_stack({"web": routed("web", **block)}, MEANINGS)
    expected = "Host(`web.example.localhost`) && !PathRegexp(`(?i)^/m(/|$)`)"
    assert rendered(stack)["routers"]["web"]["rule"] == expected


def matches(text: str, path: str) -> bool:
    """What Traefik makes of the path part of a rule."""
    exact = re.findall(r"Path\(`([^`]*)`\)", text)
    return path in exact or any(
        path.startswith(prefix) for prefix in re.findall(r"PathPrefix\(`([^`]*)`\)", text)
    )


@pytest.mark.parametrize(
    ("given", "path", "expected"),
    [
        ("/api", "/api", True),
        ("/api", "/api/x", True),
        ("/api", "/api-internal", False),
        ("/api", "/apis", False),
        ("/api/", "/api/x", True),
        ("/api/", "/api-internal", False),
        ("/api/", "/api", False),
    ],
)
def test_a_path_does_not_open_its_neighbours(given: str, path: str, expected: bool) -> None:
    assert matches(rule(url(paths=[given]), "x.y", []), path) == expected


def test_a_service_is_reached_under_its_host(make_stack: MakeStack) -> None:
    stack = make_stack({"web": routed("web", url={"host": "www", "port": 80})}, MEANINGS)
    assert rendered(stack) == {
        "routers": {"web": {"rule": "Host(`www.example.localhost`)", "service": "web"}},
        "services": {"web": {"loadBalancer": {"servers": [{"url": "http://web:80"}]}}},
    }


def test_the_domain_is_the_operators(make_stack: MakeStack) -> None:
    services = {"web": routed("web", url={"host": "www", "port": 80})}
    stack = make_stack(services, MEANINGS, MONOLITH_DOMAIN="example.org")
    assert rendered(stack)["routers"]["web"]["rule"] == "Host(`www.example.org`)"


def test_a_service_inside_traefik_has_a_router_only(make_stack: MakeStack) -> None:
    inside = routed("front", url={"host": "front", "service": "api@internal"})
    found = rendered(make_stack({"front": inside}, MEANINGS))
    assert found["routers"]["front"]["service"] == "api@internal"
    assert "services" not in found


def test_further_routes_lead_to_their_own_ports(make_stack: MakeStack) -> None:
    block = {
        "url": {"host": "web", "port": 80},
        "routes": [{"host": "other", "port": 81, "paths": ["/files/"]}],
    }
    found = rendered(make_stack({"web": routed("web", **block)}, MEANINGS))
    assert found["routers"]["web-1"] == {
        "rule": "Host(`other.example.localhost`) && (PathPrefix(`/files/`))",
        "service": "web-1",
    }
    server = found["services"]["web-1"]["loadBalancer"]["servers"][0]["url"]
    assert server == "http://web:81"


def test_a_redirect_answers_exactly_its_path(make_stack: MakeStack) -> None:
    block = {"url": {"host": "web", "port": 80, "redirects": {"/old": "/new"}}}
    found = rendered(make_stack({"web": routed("web", **block)}, MEANINGS))
    assert found["routers"]["web-redirect-0"] == {
        "rule": "Host(`web.example.localhost`) && Path(`/old`)",
        "service": "web",
        "middlewares": ["web-redirect-0"],
    }
    regex = found["middlewares"]["web-redirect-0"]["redirectRegex"]
    replacement = regex["replacement"].replace("${1}", r"\1")
    assert re.sub(regex["regex"], replacement, "http://web:80/old?q=1") == "http://web:80/new?q=1"


def test_whoever_may_not_be_reached_has_no_route(product: Stack) -> None:
    found = rendered(product)
    hidden = {entry.name for entry in product.services.values()
              if entry.monolith.access == "internal"}  # fmt: skip
    assert hidden
    owners = {re.sub(r"-(redirect-)?[0-9]+$", "", name) for name in found["routers"]}
    assert not owners & hidden
    assert "middlewares" not in found or found["middlewares"]


def test_every_router_of_the_product_has_its_service(product: Stack) -> None:
    found = rendered(product)
    used = {router["service"] for router in found["routers"].values()} - {"api@internal"}
    assert used == set(found["services"])
