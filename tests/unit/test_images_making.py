"""Making images with an engine that only writes down what it is asked."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from monolith.errors import UserError
from monolith.images import engine, model
from monolith.images.workshop import Workshop
from monolith.project import Project
from tests.unit.conftest import SOURCE, as_root, command_line, python

ENGINE = """#!{python}
import fcntl, json, os, pathlib, sys, time
home = pathlib.Path({home!r})
words = sys.argv[1:]
image = lambda name: home / name.replace("/", "_")
def value(option):
    return words[words.index(option) + 1]
def labels():
    found = [w for o, w in zip(words, words[1:]) if o == "--label"]
    found += [w[6:] for o, w in zip(words, words[1:]) if o == "--change" and w[:6] == "LABEL "]
    return dict(one.split("=", 1) for one in found)
def say(text):
    with (home / "log").open("a") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        log.write(text + "\\n")
def save(name):
    image(name).write_text(json.dumps([{{"Id": "id-" + name, "Size": 1,
        "Config": {{"Labels": labels()}}, "RepoDigests": [], "RepoTags": [name]}}]))
if words[0] == "version":
    if (home / "down").exists():
        sys.exit((home / "down").read_text())
elif words[:2] == ["image", "inspect"]:
    if not image(words[2]).exists():
        sys.exit("No such image")
    print(image(words[2]).read_text())
elif words[0] == "pull":
    if not (home / "registry").exists():
        sys.exit("no such host")
    save(words[-1])
elif words[0] == "import":
    assert pathlib.Path(words[-2]).read_text() == "files\\n", words
    say("import " + words[-1])
    save(words[-1])
elif words[0] == "build":
    name = pathlib.Path(value("--file")).parent.name
    context = sorted(str(p.relative_to(words[-1])) for p in pathlib.Path(words[-1]).rglob("*")
                     if p.is_file())
    secrets = [w for o, w in zip(words, words[1:]) if o == "--secret"]
    index = [pathlib.Path(s.split("src=")[1]).read_text() for s in secrets if "id=index" in s]
    say(json.dumps(["begin", name, context, index, os.environ["DOCKER_BUILDKIT"]]))
    time.sleep(float((home / "seconds").read_text()))
    if (home / ("fail-" + name)).exists():
        sys.exit("the step failed")
    if "--tag" in words:
        save(value("--tag"))
    else:
        print("id-of-no-name")
    say(json.dumps(["end", name]))
elif words[0] == "run":
    print("4.5-deb")
elif words[:2] == ["image", "rm"]:
    say("rm " + words[2])
"""
# Programs in the background of a script ignore Ctrl-C, and so would all below them.
HEED_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
LIST = """
import pathlib, sys
from monolith.cli.screen import Progress
from monolith.images import model
from monolith.images.workshop import Workshop
from monolith.project import Project
root, cache = map(pathlib.Path, sys.argv[1:3])
with Progress() as progress:
    workshop = Workshop(Project(root, root, cache), None, progress)
    workshop.make(list(model.load_all(root).values()))
"""


class Told:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def step(self, subject: str, text: str) -> None:
        self.texts.append(f"{subject}: {text}")

    done = step


class Place:
    """A project with images, and what the engine was asked about them."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root, self.home, self.cache = root, home, root / "cache"

    def add(self, name: str, **keys: str) -> None:
        folder = self.root / "images" / name
        folder.mkdir(parents=True)
        said = {"title": name, "image": f"{name}:1", **keys}
        (folder / "image.toml").write_text("".join(f'{k} = "{v}"\n' for k, v in said.items()))
        (folder / "Dockerfile").write_text("FROM base:trixie\nCOPY a.lock /\n")

    def make(self, *names: str) -> list[str]:
        """What was told."""
        told = Told()
        project = Project(self.root, self.root, self.cache)
        images = model.choose(model.load_all(self.root), names)
        Workshop(project, None, told).make(images)
        return told.texts

    def log(self) -> list[str]:
        file = self.home / "log"
        return file.read_text().splitlines() if file.is_file() else []

    def builds(self) -> list[list[object]]:
        return [json.loads(line) for line in self.log() if line.startswith("[")]

    def left(self) -> list[str]:
        return sorted(path.name for path in (self.cache / "images").iterdir())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    import sys

    root, home, folder = (tmp_path / name for name in ("project", "home", "bin"))
    for path in (root / "images" / "base", home, folder):
        path.mkdir(parents=True)
    (root / "a.lock").touch()
    (root / "images/base/image.toml").write_text('title = "Base"\nimage = "base:trixie"\n')
    rootfs = root / "images/base/rootfs"
    rootfs.write_text("#!/bin/sh\necho files\n")
    rootfs.chmod(0o755)
    for name, text in {
        "docker": ENGINE.format(python=sys.executable, home=str(home)), "debootstrap": "#!/bin/sh\n"
    }.items():  # fmt: skip
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    (home / "seconds").write_text("0")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    return Place(root, home)


@as_root
def test_the_base_is_made_where_it_cannot_be_pulled(place: Place) -> None:
    place.add("one")
    told = place.make("one")
    assert place.log()[0] == "import base:trixie"
    assert told[-1] == "one: built from this repository 1"
    assert place.left() == ["lock"]
    assert place.make("one") == ["base: ready", "one: ready"]


def test_a_base_that_can_be_pulled_is_pulled(place: Place) -> None:
    (place.home / "registry").touch()
    place.add("one")
    assert "base: pulled" in place.make("one")
    assert not [line for line in place.log() if line.startswith("import")]


@as_root
def test_a_half_made_base_never_gets_its_name(place: Place) -> None:
    (place.root / "images/base/rootfs").write_text("#!/bin/sh\necho files\necho full >&2\nexit 1\n")
    place.add("one")
    with pytest.raises(UserError, match=r"(?s)`base` could not be made.*full"):
        place.make("one")
    assert place.log() == []


def test_the_context_holds_only_the_inputs_and_secrets_are_files(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place.home / "registry").touch()
    (place.root / "private").write_text("not for the image")
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:word@index")
    place.add("one")
    place.make()
    index = "PIP_INDEX_URL=https://user:word@index\nUV_DEFAULT_INDEX=https://user:word@index\n"
    files = ["a.lock", "images/one/Dockerfile", "images/one/image.toml"]
    assert place.builds()[0] == ["begin", "one", files, [index], "1"]
    assert place.left() == ["lock"]


def test_two_at_a_time_and_all_are_tried(place: Place) -> None:
    (place.home / "registry").touch()
    (place.home / "seconds").write_text("0.3")
    (place.home / "fail-b").touch()
    for name in "abcde":
        place.add(name)
    with pytest.raises(UserError, match=r"(?s)`b` could not be made.*the step failed"):
        place.make()
    running = most = 0
    for kind, *_ in place.builds():
        running += 1 if kind == "begin" else -1
        most = max(most, running)
    assert {name for kind, name, *_ in place.builds() if kind == "begin"} == set("abcde")
    # The failed one has no end.
    assert most - 1 <= 2
    assert engine.find("b:1") is None
    assert engine.find("e:1")


def test_what_was_pulled_is_never_replaced(place: Place) -> None:
    (place.home / "registry").touch()
    place.add("one", pypi="thing")
    (place.root / "a.lock").write_text("thing==3\n")
    foreign = [{"Id": "x", "Size": 1, "Config": {"Labels": None}, "RepoDigests": ["one@sha256:1"]}]
    (place.home / "one:1").write_text(json.dumps(foreign))
    assert "one: pulled" in place.make()
    assert place.builds() == []


def test_ours_is_built_again_when_its_inputs_change(place: Place) -> None:
    (place.home / "registry").touch()
    place.add("one")
    place.make()
    (place.root / "a.lock").write_text("changed")
    assert "one: rebuilding" in place.make()
    # The old image has a name in this engine, so it stays.
    assert not [line for line in place.log() if line.startswith("rm")]
    assert place.make() == ["base: pulled", "one: ready"]


def test_debians_version_is_asked_of_the_image(place: Place) -> None:
    (place.home / "registry").touch()
    place.add("one", debian="thing")
    assert place.make()[-1] == "one: built from Debian 4.5-deb"
    found = engine.find("one:1")
    assert found
    assert found.labels["org.opencontainers.image.version"] == "4.5-deb"


def test_a_second_command_waits_for_the_first(place: Place) -> None:
    (place.home / "registry").touch()
    (place.home / "seconds").write_text("0.5")
    place.add("one")
    first = threading.Thread(target=place.make)
    first.start()
    wait_for(lambda: bool(place.builds()))
    told = place.make()
    first.join()
    assert told[0] == "images: waiting: another command is making images"
    assert told[-1] == "one: ready"


def test_after_ctrl_c_nothing_new_begins(place: Place) -> None:
    (place.home / "registry").touch()
    (place.home / "seconds").write_text("1")
    for name in "abcd":
        place.add(name)
    process = python(f"{HEED_CTRL_C}\n{LIST}", place.root, place.cache)
    wait_for(lambda: len(place.builds()) >= 2)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode
    assert {name for kind, name, *_ in place.builds() if kind == "begin"} == {"a", "b"}


def test_what_a_killed_command_left_is_removed(place: Place) -> None:
    (place.home / "registry").touch()
    place.add("one")
    left = place.cache / "images" / "work-dead"
    left.mkdir(parents=True)
    (left / "index").write_text("a secret")
    place.make()
    assert place.left() == ["lock"]


@pytest.mark.parametrize("verb", ["list", "build"])
@pytest.mark.parametrize(
    ("told", "hint"),
    [
        ("Cannot connect to the Docker daemon", "start Docker"),
        ("permission denied", "group `docker`"),
    ],
)
def test_an_engine_that_does_not_answer_is_told(
    verb: str, told: str, hint: str, place: Place
) -> None:
    (place.home / "down").write_text(told)
    result = command_line("images", verb)
    assert result.returncode == 1
    assert told in result.stderr
    assert hint in result.stderr
    assert "Traceback" not in result.stderr


def test_no_docker_at_all_is_told(tmp_path: Path) -> None:
    result = command_line("images", "list", PATH=str(tmp_path))
    assert (result.returncode, result.stdout) == (1, "")
    assert "no `docker` on PATH" in result.stderr
    assert "next: install Docker" in result.stderr


def test_an_unknown_image_is_told_before_the_engine_is_asked(tmp_path: Path) -> None:
    result = command_line("images", "build", "postgers", PATH=str(tmp_path))
    assert "did you mean `postgres`?" in result.stderr


def wait_for(condition: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_tests_import_the_product() -> None:
    assert (SOURCE / "monolith" / "images").is_dir()
