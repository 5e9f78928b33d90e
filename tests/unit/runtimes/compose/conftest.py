"""Containers as a real engine told them, and a `docker` that answers what a test says."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monolith.manifest.stack import Stack
from monolith.runtimes.compose import containers
from monolith.runtimes.compose.containers import Container
from tests.unit.conftest import MakeStack, service

RECORDED = json.loads(Path(__file__).with_name("inspect.json").read_text())
FOLDER = Path("/srv/clone/docker-compose")
_PROGRAM = """#!{python}
import fcntl, json, os, pathlib, sys
home = pathlib.Path({home!r})
words = sys.argv[1:]
verbs = {verbs!r}
name = next((word for word in words if word in verbs), words[0])
with (home / "calls").open("a") as calls:
    fcntl.flock(calls, fcntl.LOCK_EX)
    calls.write(json.dumps([os.getcwd(), *words]) + "\\n")
    answers = json.loads((home / "answers").read_text())
    answer = answers.get(name, {{}})
    (home / "answers").write_text(json.dumps(answers | answer.get("sets", {{}})))
sys.stdout.write(answer.get("out", ""))
sys.stdout.flush()
sys.stderr.write(answer.get("err", ""))
sys.exit(answer.get("code", 0))
"""
_VERBS = ["up", "down", "stop", "pull", "build", "logs", "exec", "version", "ps", "inspect",
          "stats", "image"]  # fmt: skip


class FakeDocker:
    """Answers by verb: `out`, `err`, `code`, and `sets`: answers from then on."""

    def __init__(self, home: Path) -> None:
        self.home = home
        program = home / "docker"
        text = _PROGRAM.format(python=sys.executable, home=str(home), verbs=_VERBS)
        program.write_text(text)
        program.chmod(0o755)
        self.answer(version={"out": "2.40.3\n"})

    def answer(self, **answers: dict[str, Any]) -> None:
        """Set the answers of some verbs; the others keep theirs."""
        file = self.home / "answers"
        before = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps(before | answers))

    def has(self, rows: Iterable[dict[str, Any]]) -> None:
        """Be an engine with these containers."""
        self.answer(**answers_of(rows))

    def calls(self, verb: str) -> list[list[str]]:
        """Folder and words of each call that had `verb` among its words."""
        file = self.home / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [call for call in map(json.loads, lines) if verb in call]


def answers_of(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Answers of an engine with these containers."""
    found = list(rows)
    ids = "".join(f"{row['Id']}\n" for row in found)
    return {"ps": {"out": ids}, "inspect": {"out": json.dumps(found)}}


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    home = tmp_path / "fake"
    home.mkdir()
    monkeypatch.setenv("PATH", f"{home}:{os.environ['PATH']}")
    return FakeDocker(home)


def recorded(name: str, folder: Path = FOLDER, **state: Any) -> dict[str, Any]:
    """The recorded container of a service, as if made in `folder`, its state changed."""
    row = next(row for row in RECORDED if _service(row) == name)
    text = json.dumps(row).replace(str(FOLDER), str(folder))
    changed: dict[str, Any] = json.loads(text)
    changed["State"] |= state
    return changed


def _service(row: dict[str, Any]) -> str:
    return str(row["Config"]["Labels"]["com.docker.compose.service"])


def container(name: str, **changes: Any) -> Container:
    """The same, read, with fields changed."""
    return replace(containers.parse([recorded(name)])[0], **changes)


@pytest.fixture
def make(make_stack: MakeStack) -> Callable[..., Stack]:
    """A stack with the services that were recorded; some end by themselves."""

    def make(*names: str) -> Stack:
        one_shots = {"job", "badjob"}
        services = {name: service(name) for name in names}
        for name in one_shots & services.keys():
            services[name]["restart"] = "on-failure"
        if "web" in services:
            services["web"] = service(
                "web",
                {"check": {"port": 8080},
                 "client": {"WEB_URL": "http://web.service.consul:8080/",
                            "WEB_INNER": "http://web.service.consul:9/", "WEB_NAME": "web"}},
                ports=["127.0.0.1:18080:8080"],
            )  # fmt: skip
        return make_stack(services)

    return make
