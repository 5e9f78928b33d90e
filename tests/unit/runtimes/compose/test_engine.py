"""Running `docker`: where, and what is said when it cannot be run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from monolith.errors import UserError
from monolith.manifest.stack import Stack
from monolith.runtimes.compose import commands
from monolith.runtimes.compose.engine import Engine, project_name
from tests.unit.runtimes.compose.conftest import FakeDocker, container, recorded

Make = Callable[..., Stack]


def test_the_project_is_named_as_compose_does(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = make("web")
    assert project_name(stack) == "test"
    stack = dataclasses.replace(stack, values={"COMPOSE_PROJECT_NAME": "of-the-file"})
    assert project_name(stack) == "of-the-file"
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", "of-the-shell")
    assert project_name(stack) == "of-the-shell"


def test_commands_run_beside_the_stack_file(make: Make, docker: FakeDocker) -> None:
    stack = make("web")
    Engine(stack).run(commands.down("x.yaml"))
    (call,) = docker.calls("down")
    assert call[0] == str(stack.file.parent)


def test_all_containers_are_found_and_those_of_other_clones_are_told_apart(
    make: Make, docker: FakeDocker
) -> None:
    engine = Engine(make("web", "job"))
    docker.has([recorded("web", engine.folder), recorded("job")])
    assert [one.service for one in engine.containers()] == ["web", "job"]
    assert [one.service for one in engine.own_containers()] == ["web"]


def test_a_container_that_goes_meanwhile_hides_no_other(make: Make, docker: FakeDocker) -> None:
    docker.has([recorded("web")])
    told = {"out": json.dumps([recorded("web")]), "err": "Error: No such container", "code": 1}
    docker.answer(inspect=told)
    assert [one.service for one in Engine(make("web")).containers()] == ["web"]


@pytest.mark.parametrize(
    ("errors", "message", "hint"),
    [
        (
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it running?",
            "The container engine does not run.",
            "systemctl start docker",
        ),
        (
            'permission denied while trying to connect to the Docker daemon socket: Get "http://x":'
            " dial unix /var/run/docker.sock: connect: permission denied",
            "You may not use the container engine.",
            "usermod -aG docker",
        ),
        ("something else", "`docker ps --all` failed:\nsomething else", ""),
    ],
)
def test_an_engine_that_cannot_be_asked_is_told(
    make: Make, docker: FakeDocker, errors: str, message: str, hint: str
) -> None:
    docker.answer(ps={"err": errors, "code": 1})
    with pytest.raises(UserError) as caught:
        Engine(make("web")).containers()
    assert caught.value.message == message
    assert hint in caught.value.hint


def test_without_docker_the_native_runtime_is_named(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    engine = Engine(make("web"))
    assert not engine.is_installed
    with pytest.raises(UserError, match="no container engine") as caught:
        engine.containers()
    assert "--runtime native" in caught.value.hint


def test_a_stack_file_that_is_gone_is_not_taken_for_a_missing_docker(
    make: Make, docker: FakeDocker
) -> None:
    engine = Engine(make("web"))
    engine.folder = Path("/no/such/folder")
    with pytest.raises(FileNotFoundError):
        engine.containers()


def test_memory_is_asked_of_the_engine_where_this_kernel_does_not_know(
    make: Make, docker: FakeDocker
) -> None:
    web, job = container("web"), container("job")
    docker.answer(stats={"out": json.dumps({"ID": web.id, "MemUsage": "2MiB / 32MiB"}) + "\n"})
    assert Engine(make("web")).memory([web, job]) == {web.id: 2 << 20}
    assert docker.calls("stats")[0][-1] == web.id


def test_a_task_goes_on_in_the_background_and_is_ended_with_its_block(
    make: Make, tmp_path: Path
) -> None:
    engine = Engine(make("web"))
    with (tmp_path / "lock").open("w") as lock:
        with engine.task(["sh", "-c", "echo begun; exec sleep 600"], lock.fileno()) as task:
            while not task.lines:
                assert task.wait(0.05) is None
            assert task.lines == ["begun"]
        assert task.code is not None
        assert engine.finish(["sh", "-c", "echo a; echo b >&2; exit 3"], lock.fileno()) == (
            3,
            ["a", "b"],
        )


def test_lines_of_a_stream_come_as_they_are_written(make: Make) -> None:
    stream = Engine(make("web")).stream(["sh", "-c", r"printf 'a \nb\r\n'; exec sleep 600"])
    assert next(stream) == "a "
    assert next(stream) == "b"
    stream.close()  # type: ignore[attr-defined]
