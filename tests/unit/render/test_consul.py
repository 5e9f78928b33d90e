"""Consul's catalog: one definition per port, each with the check and the routes of its service."""

from __future__ import annotations

import re
from typing import Any

import yaml

from monolith.manifest.stack import Stack
from monolith.render import traefik
from monolith.render.consul import MARK, registrations
from tests.unit.conftest import MakeStack
from tests.unit.render.test_routes import MEANINGS, routed

DOMAIN = "example.localhost"


def local(text: str) -> str:
    return re.sub(r"[a-z-]+\.service\.consul:", "127.0.0.1:1", text)


def found(stack: Stack, locate: Any = str) -> dict[str, dict[str, Any]]:
    definitions = registrations(list(stack.services.values()), stack.domain, locate)
    return {definition["ID"]: definition for definition in definitions}


def test_a_service_is_known_by_its_name_address_and_check(make_stack: MakeStack) -> None:
    block = {"url": {"host": "www", "port": 80}, "check": {"port": 80, "path": "/health?deep=1"}}
    definition = found(make_stack({"web": routed("web", **block)}, MEANINGS))["web"]
    assert (definition["Address"], definition["Port"]) == ("web.service.consul", 80)
    assert definition["Check"] == {
        "Name": "web answers",
        "HTTP": "http://web.service.consul:80/health?deep=1",
        "Interval": "10s",
        "Timeout": "5s",
    }
    assert definition["Tags"] == [
        "traefik.enable=true",
        f"traefik.http.routers.web.rule=Host(`www.{DOMAIN}`)",
        "traefik.http.routers.web.service=web",
    ]


def test_addresses_are_those_from_here(make_stack: MakeStack) -> None:
    definition = found(make_stack({"web": routed("web")}, MEANINGS), local)["web"]
    assert (definition["Address"], definition["Port"]) == ("127.0.0.1", 180)
    assert definition["Check"]["TCP"] == "127.0.0.1:180"


def test_every_port_leaves_the_routing_with_its_service(make_stack: MakeStack) -> None:
    block = {
        "url": {"host": "web", "port": 80},
        "routes": [{"host": "files", "port": 81}, {"host": "web", "port": 80, "paths": ["/a/"]}],
        "check": {"port": 82},
    }
    definitions = found(make_stack({"web": routed("web", **block)}, MEANINGS))
    assert list(definitions) == ["web", "web-81", "web-82"]
    checks = [definition["Check"]["TCP"] for definition in definitions.values()]
    assert checks == ["web.service.consul:82"] * 3
    assert (
        f"traefik.http.routers.web-1.rule=Host(`files.{DOMAIN}`)" in definitions["web-81"]["Tags"]
    )
    assert "traefik.http.routers.web-2.service=web" in definitions["web"]["Tags"]
    assert definitions["web-82"]["Tags"] == []


def test_a_redirect_is_a_router_with_a_middleware(make_stack: MakeStack) -> None:
    block = {"url": {"host": "web", "port": 80, "redirects": {"/old": "/new"}}}
    tags = found(make_stack({"web": routed("web", **block)}, MEANINGS))["web"]["Tags"]
    assert tags[3:] == [
        f"traefik.http.routers.web-redirect-0.rule=Host(`web.{DOMAIN}`) && Path(`/old`)",
        "traefik.http.routers.web-redirect-0.service=web",
        "traefik.http.routers.web-redirect-0.middlewares=web-redirect-0",
        "traefik.http.middlewares.web-redirect-0.redirectregex.regex=^(https?://[^/]+)/old",
        "traefik.http.middlewares.web-redirect-0.redirectregex.replacement=${1}/new",
    ]


def test_what_traefik_answers_itself_goes_with_its_check(make_stack: MakeStack) -> None:
    block = {"url": {"host": "front", "service": "api@internal"}, "check": {"port": 8080}}
    definition = found(make_stack({"front": routed("front", **block)}, MEANINGS))["front"]
    assert definition["Port"] == 8080
    assert "traefik.http.routers.front.service=api@internal" in definition["Tags"]


def test_consuls_own_name_is_left_to_consul(make_stack: MakeStack) -> None:
    block = {"url": {"host": "consul", "port": 8500}, "check": {"port": 8500}}
    assert list(found(make_stack({"consul": routed("consul", **block)}, MEANINGS))) == [
        "consul-8500"
    ]


def test_the_digest_changes_with_what_is_registered(make_stack: MakeStack) -> None:
    def digest(path: str) -> str:
        block = {"check": {"port": 80, "path": path}}
        stack = make_stack({"web": routed("web", **block)}, MEANINGS)
        return str(found(stack)["web"]["Meta"][MARK])

    assert digest("/a") == digest("/a") != digest("/b")


def test_file_and_tags_hold_the_same_routers(product: Stack) -> None:
    entries = list(product.services.values())
    text = traefik.routes(product, entries, lambda entry, port: f"http://{entry.name}:{port}")
    rules = {
        f"traefik.http.routers.{name}.rule={router['rule']}"
        for name, router in yaml.safe_load(text)["http"]["routers"].items()
    }
    tags = {tag for one in found(product).values() for tag in one["Tags"] if ".rule=" in tag}
    assert tags == rules
