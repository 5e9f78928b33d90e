"""Images that are missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monolith.errors import UserError
from monolith.manifest.stack import Stack
from monolith.runtimes.compose import images
from monolith.runtimes.compose.engine import Engine
from tests.unit.conftest import MakeStack, service
from tests.unit.runtimes.compose.conftest import FakeDocker

ABSENT: dict[str, Any] = {"code": 1, "err": "No such image"}


class Told:
    """A Reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def step(self, subject: str, text: str) -> None:
        self.lines.append(f"{subject} {text}")

    done = step


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    return make_stack({
        "web": service("web"),
        "twin": service("twin", image="web:1.0"),
        "own": service("own", image="own:1.0", build={"context": "."}, pull_policy="never"),
        "helper": service("helper", image="own:1.0"),
    })  # fmt: skip


def ensure(stack: Stack, tmp_path: Path) -> list[str]:
    told = Told()
    with (tmp_path / "lock").open("w") as lock:
        images.ensure(stack, Engine(stack), lock.fileno(), told)
    return told.lines


def test_what_is_there_is_left(stack: Stack, docker: FakeDocker, tmp_path: Path) -> None:
    assert ensure(stack, tmp_path) == []
    assert [call[-1] for call in docker.calls("image")] == ["web:1.0", "own:1.0"]


def test_a_stand_in_is_told(stack: Stack, docker: FakeDocker, tmp_path: Path) -> None:
    docker.answer(images={"out": "web:1.0\nanother:2.0\n"})
    (line,) = ensure(stack, tmp_path)
    assert line.startswith("images stand-ins for tests: web (")


def test_what_is_missing_is_pulled_or_built(
    stack: Stack, docker: FakeDocker, tmp_path: Path
) -> None:
    docker.answer(image=ABSENT, pull={"sets": {"image": {}}})
    assert ensure(stack, tmp_path) == [
        "images pulling 1", "images pulled 1", "images building for own", "images built",
    ]  # fmt: skip
    assert docker.calls("pull")[0][-2:] == ["web", "twin"]
    assert docker.calls("build")[0][-1] == "own"


def test_an_image_that_cannot_be_pulled_is_named_with_the_command_that_builds_it(
    stack: Stack, docker: FakeDocker, tmp_path: Path
) -> None:
    docker.answer(image=ABSENT, pull={"code": 1, "err": "no such host\n"})
    with pytest.raises(UserError, match="Nothing was started") as caught:
        ensure(stack, tmp_path)
    assert "\n  web:1.0\n  | no such host" in str(caught.value)
    assert "own:1.0" not in str(caught.value)
    assert caught.value.hint.startswith("./monolith images build")
    assert not docker.calls("build")


def test_an_image_that_cannot_be_built_is_told_with_the_last_words(
    stack: Stack, docker: FakeDocker, tmp_path: Path
) -> None:
    docker.answer(
        image=ABSENT,
        pull={"sets": {"image": {}}},
        build={"code": 17, "err": "failed to solve\n"},
    )
    with pytest.raises(UserError, match=r"could not be built:\n  \| failed to solve"):
        ensure(stack, tmp_path)
