"""What would go wrong is told before any container changes."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from monolith.errors import UserError
from monolith.manifest.stack import Stack
from monolith.project import ROOT
from monolith.runtimes.compose import preflight
from monolith.runtimes.compose.containers import Container
from monolith.runtimes.compose.engine import Engine
from tests.unit.conftest import MakeStack, service
from tests.unit.runtimes.compose.conftest import FakeDocker, container

Make = Callable[..., Stack]


@pytest.mark.parametrize("version", ["2.20.0", "v2.40.3-3", "5.0.0-rc1"])
def test_a_compose_that_knows_include_will_do(make: Make, docker: FakeDocker, version: str) -> None:
    docker.answer(version={"out": f"{version}\n"})
    preflight.compose_plugin(Engine(make("web")))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"out": "2.19.1\n"}, "Compose 2.19.1 is too old"),
        ({"out": "1.29.2\n"}, "Compose 1.29.2 is too old"),
        ({"err": "'compose' is not a docker command", "code": 1}, "no Compose plugin"),
    ],
)
def test_another_is_refused(
    make: Make, docker: FakeDocker, answer: dict[str, object], message: str
) -> None:
    docker.answer(version=answer)
    with pytest.raises(UserError, match=message):
        preflight.compose_plugin(Engine(make("web")))


def named(name: str, state: str = "running") -> Container:
    return container("web", service=name, state=state)


def test_what_only_another_stack_has_is_not_taken_for_an_orphan(product: Stack) -> None:
    running = [named("postgres"), named("loki"), named("guestbook")]
    with pytest.raises(UserError, match="minimal has no loki") as caught:
        preflight.other_stack(product, running, ROOT)
    assert "MONOLITH_STACK=full" in caught.value.hint
    preflight.other_stack(product, [named("guestbook"), named("postgres")], ROOT)
    preflight.other_stack(product, [named("loki", state="exited")], ROOT)


def test_containers_of_another_clone_are_not_taken_over(make: Make) -> None:
    engine = Engine(make("web"))
    preflight.own_project(engine, [container("web", folder=engine.folder)])
    with pytest.raises(UserError, match="Another clone") as caught:
        preflight.own_project(engine, [container("web")])
    (problem,) = caught.value.problems
    assert "/srv/clone/docker-compose" in problem.found
    assert "COMPOSE_PROJECT_NAME" in problem.next
    assert "docker compose -p test down" in problem.next


def test_a_clone_that_is_reached_by_another_path_is_the_same(make: Make, tmp_path: Path) -> None:
    engine = Engine(make("web"))
    link = tmp_path / "link"
    link.symlink_to(engine.folder)
    preflight.own_project(engine, [container("web", folder=link)])


def test_a_taken_port_is_told_with_its_holder_and_the_setting(
    make_stack: MakeStack, docker: FakeDocker
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ports = [f"127.0.0.1:${{MONOLITH_WEB_PORT:-{port}}}:80"]
        stack = make_stack(
            {"web": service("web", {"check": {"port": 80}}, ports=ports)},
            {"MONOLITH_WEB_PORT": "Port."},
        )
        own = container("web", ports=frozenset([port]))
        preflight.free_ports(stack, [own], Engine(stack))
        with pytest.raises(UserError, match="a port is taken") as caught:
            preflight.free_ports(stack, [], Engine(stack))
        assert "pid" in caught.value.problems[0].found
        assert "MONOLITH_WEB_PORT=" in caught.value.problems[0].next
        docker.answer(ps={"out": "other-web-1\n"})
        with pytest.raises(UserError) as caught:
            preflight.free_ports(stack, [], Engine(stack))
        assert caught.value.problems[0].found == "held by the container other-web-1"


def test_a_port_of_a_container_that_has_ended_is_not_its_own(
    make_stack: MakeStack, docker: FakeDocker
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        stack = make_stack(
            {"web": service("web", {"check": {"port": 80}}, ports=[f"127.0.0.1:{port}:80"])}
        )
        ended = container("web", ports=frozenset([port]), state="exited")
        with pytest.raises(UserError, match="a port is taken"):
            preflight.free_ports(stack, [ended], Engine(stack))
