"""Which runtime a clone uses."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from monolith.errors import UserError
from monolith.manifest.stack import Stack
from monolith.project import Project
from monolith.runtimes import choice
from monolith.runtimes.native.places import Places
from tests.unit.conftest import MakeStack, service
from tests.unit.runtimes.compose.conftest import FakeDocker, docker, recorded

__all__ = ["docker"]


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    return make_stack({"web": service("web")})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, tmp_path / "data", tmp_path / "cache")


@pytest.fixture
def supervisor(project: Project) -> Iterator[socket.socket]:
    places = Places(project.data)
    places.state.mkdir(parents=True)
    # Elsewhere, where the path would be too long for a socket.
    path = places.socket
    path.parent.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        yield listening
    shutil.rmtree(path.parent)


def has_container(docker: FakeDocker, stack: Stack, data: Path, status: str = "running") -> None:
    row = recorded("web", stack.file.parent, Status=status)
    row["Mounts"] = [{"Type": "bind", "Source": str(data / "web"), "Destination": "/data"}]
    docker.has([row])


def chosen(stack: Stack, project: Project) -> tuple[str, str]:
    found = choice.choose(stack, project)
    return found.name, found.why


def test_nothing_is_here(stack: Stack, project: Project, docker: FakeDocker) -> None:
    assert chosen(stack, project) == ("native", "nothing is here yet")


@pytest.mark.parametrize("status", ["running", "exited", "created"])
def test_containers_are_here(
    stack: Stack, project: Project, docker: FakeDocker, status: str
) -> None:
    (project.data / "native").mkdir(parents=True)
    has_container(docker, stack, project.data, status)
    assert chosen(stack, project) == ("compose", "its containers are here")


def test_containers_with_other_data_are_another_installation(
    stack: Stack, project: Project, docker: FakeDocker, tmp_path: Path
) -> None:
    has_container(docker, stack, tmp_path / "other")
    assert chosen(stack, project)[0] == "native"
    choice.alone("native", stack, project)


def test_containers_of_another_clone_are_not_these(
    stack: Stack, project: Project, docker: FakeDocker
) -> None:
    docker.has([recorded("web")])
    assert chosen(stack, project)[0] == "native"


@pytest.mark.parametrize(
    ("folders", "name"),
    [(["native"], "native"), (["native", "vault-keys"], "native"), (["vault-keys"], "compose"),
     (["secrets"], "native")],
)  # fmt: skip
def test_data_tells_who_made_it(
    stack: Stack, project: Project, docker: FakeDocker, folders: list[str], name: str
) -> None:
    for folder in folders:
        (project.data / folder).mkdir(parents=True)
    assert chosen(stack, project)[0] == name


def test_native_runs_and_no_engine_is_asked(
    stack: Stack, project: Project, docker: FakeDocker, supervisor: socket.socket
) -> None:
    assert chosen(stack, project) == ("native", "it runs here")
    assert docker.calls("ps") == []


def test_a_supervisor_that_has_ended_does_not_run(
    stack: Stack, project: Project, docker: FakeDocker, supervisor: socket.socket
) -> None:
    supervisor.close()
    assert chosen(stack, project) == ("native", "its data is here")


def test_an_engine_that_cannot_be_asked_is_said(
    stack: Stack, project: Project, docker: FakeDocker
) -> None:
    docker.answer(ps={"err": "Cannot connect to the Docker daemon", "code": 1})
    name, why = chosen(stack, project)
    assert name == "native"
    assert why == (
        "nothing is here yet; no containers were looked for: The container engine does not run."
    )


def test_without_docker_there_are_no_containers(
    stack: Stack, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert chosen(stack, project) == ("native", "nothing is here yet")


def test_two_runtimes_do_not_run_on_the_same_data(
    stack: Stack, project: Project, docker: FakeDocker, supervisor: socket.socket
) -> None:
    with pytest.raises(UserError, match="runs natively") as caught:
        choice.alone("compose", stack, project)
    assert caught.value.hint == "./monolith --runtime native down"
    choice.alone("native", stack, project)
    has_container(docker, stack, project.data)
    with pytest.raises(UserError, match="runs in containers") as caught:
        choice.alone("native", stack, project)
    assert caught.value.hint == "./monolith --runtime compose down"


def test_containers_that_have_ended_are_in_nobodys_way(
    stack: Stack, project: Project, docker: FakeDocker
) -> None:
    has_container(docker, stack, project.data, "exited")
    choice.alone("native", stack, project)
