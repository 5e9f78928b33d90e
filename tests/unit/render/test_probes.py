"""Which addresses are opened through the front door: all for people, by their names."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from monolith.manifest.stack import Stack
from monolith.render import probes
from tests.unit.conftest import MakeStack, service

MEANINGS = {"MONOLITH_DOMAIN": "Domain.", "MONOLITH_HTTP_PORT": "Port."}


def with_url(name: str, **url: Any) -> dict[str, Any]:
    block = {"access": "users", "url": {"host": name, "port": 80} | url}
    return service(name, block | {"check": {"port": 80}})


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    door = service("traefik", environment={
        "DOMAIN": "${MONOLITH_DOMAIN:-small.localhost}", "PORT": "${MONOLITH_HTTP_PORT:-8080}",
    })  # fmt: skip
    services = {
        "traefik": door,
        "blackbox-exporter": service("blackbox-exporter"),
        "web": with_url("web"),
        "part": with_url("part", host="web", paths=["/part/"]),
        "start": with_url("start", host="@"),
    }
    return make_stack(services, MEANINGS, MONOLITH_DOMAIN="x.example", MONOLITH_HTTP_PORT="81")


def test_each_address_is_asked_of_the_front_door_by_its_name(stack: Stack) -> None:
    targets = yaml.safe_load(probes.targets(stack))
    found = {target["labels"]["service"]: target for target in targets}
    assert found["web"] == {
        "targets": ["blackbox-exporter.service.consul:9115"],
        "labels": {
            "service": "web",
            "stack": "minimal",
            "instance": "web.x.example",
            "__param_target": "http://traefik.service.consul:81/",
            "__param_hostname": "web.x.example",
        },
    }
    assert set(found) == {"web", "part", "start"}


def test_an_address_of_some_paths_is_opened_below_them(stack: Stack) -> None:
    labels = [target["labels"] for target in yaml.safe_load(probes.targets(stack))]
    asked = {(one["__param_hostname"], one["__param_target"]) for one in labels}
    door = "http://traefik.service.consul:81"
    assert ("web.x.example", f"{door}/part/") in asked
    assert ("x.example", f"{door}/") in asked
