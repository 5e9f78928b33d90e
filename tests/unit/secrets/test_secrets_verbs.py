"""`monolith secrets`: names for everybody, values on request, new ones never from argv."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any, cast

import pytest
import typer

from monolith.bootstrap.site import Site
from monolith.cli import secrets
from monolith.cli.session import Session
from monolith.errors import UserError
from monolith.manifest.stack import Stack
from tests.native.steps import Memory
from tests.unit.conftest import NASTY, MakeStack, service

WEB = {"KEY": "hex16", "ADDRESS": "db://{KEY:url}@{store.TOKEN}"}


class Runtime:
    """Has a site, or only an inside; remembers what was run there."""

    def __init__(self, site: Site | None) -> None:
        self._site = site
        self.words: list[str] = []

    def site(self) -> Site | None:
        return self._site

    def inside(self, arguments: list[str]) -> int:
        self.words = arguments
        return 3


class Fake:
    """A session on a stack of two services."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    mount = ["${MONOLITH_DATA:-../../data}/secrets/web:/secrets:ro"]
    return make_stack(
        {
            "web": service("web", {"secrets": WEB}, volumes=mount),
            "store": service("store", {"secrets": {"TOKEN": "hex16"}}),
            "plain": service("plain"),
        }
    )


@pytest.fixture
def store() -> Memory:
    return Memory(web={"KEY": "the key", "API_TOKEN": "given"}, store={"TOKEN": "the token"})


@pytest.fixture
def session(stack: Stack, store: Memory, tmp_path: Path) -> Session:
    everything = (str, lambda _: None, lambda _: True, True)
    return cast(Session, Fake(Runtime(Site(stack, tmp_path / "data", store, *everything))))


def give(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_the_list_has_names_only(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    secrets.show_all(session, as_json=False)
    assert capsys.readouterr().out.split() == [
        "web", "ADDRESS", "web", "KEY", "web", "API_TOKEN", "store", "TOKEN",
    ]  # fmt: skip
    secrets.show_all(session, as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "secrets": [
            {"service": "web", "keys": ["ADDRESS", "KEY", "API_TOKEN"]},
            {"service": "store", "keys": ["TOKEN"]},
        ]
    }


def test_one_value_is_shown_as_it_is(
    session: Session, store: Memory, capsys: pytest.CaptureFixture[str]
) -> None:
    store.documents["web"]["KEY"] = NASTY
    secrets.show(session, "web", "KEY")
    assert capsys.readouterr().out == NASTY + "\n"
    secrets.show(session, "web", "ADDRESS")
    assert capsys.readouterr().out.endswith("@the token\n")


def test_all_values_are_lines_for_a_shell(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets.show(session, "web", "")
    assert capsys.readouterr().out == (
        "ADDRESS='db://the%20key@the token'\nAPI_TOKEN='given'\nKEY='the key'\n"
    )


@pytest.mark.parametrize(
    ("given", "kept"), [("new\n", "new"), ("new", "new"), ("a\nb\n", "a\nb"), (NASTY, NASTY)]
)
def test_a_new_value_is_kept_and_written(
    session: Session, store: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], given: str, kept: str,
) -> None:  # fmt: skip
    give(monkeypatch, given)
    secrets.set_value(session, "store", "TOKEN")
    assert store.read("store") == {"TOKEN": kept}
    assert (tmp_path / "data" / "secrets" / "web" / "env").exists()
    told = capsys.readouterr().out
    assert "restart web store" in told
    assert kept not in told


def test_what_an_application_issued_can_be_set(
    session: Session, store: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, "other")
    secrets.set_value(session, "web", "API_TOKEN")
    assert store.read("web")["API_TOKEN"] == "other"


@pytest.mark.parametrize("given", ["", "\n", "a\0b"])
def test_no_value_is_refused(
    session: Session, store: Memory, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    give(monkeypatch, given)
    with pytest.raises(UserError, match="no value"):
        secrets.set_value(session, "store", "TOKEN")
    assert store.read("store") == {"TOKEN": "the token"}


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [
        ("web", "ADDRESS", "put together from other values"),
        ("web", "KEYS", "did you mean `KEY`"),
        ("wbe", "KEY", "did you mean `web`"),
        ("plain", "KEY", "it has none"),
    ],
)
def test_what_cannot_be_set_is_told_before_a_value_is_asked_for(
    session: Session, monkeypatch: pytest.MonkeyPatch, name: str, key: str, expected: str
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UserError) as caught:
        secrets.set_value(session, name, key)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: secrets.show_all(s, as_json=True), ["secrets", "list", "--json"]),
        (lambda s: secrets.show(s, "web", ""), ["secrets", "show", "web"]),
        (lambda s: secrets.show(s, "web", "KEY"), ["secrets", "show", "web", "KEY"]),
        (lambda s: secrets.set_value(s, "web", "KEY"), ["secrets", "set", "web", "KEY"]),
    ],
)
def test_where_services_are_reached_inside_only_it_is_run_there(
    call: Any, words: list[str]
) -> None:
    runtime = Runtime(None)
    with pytest.raises(typer.Exit) as caught:
        call(cast(Session, Fake(runtime)))
    assert caught.value.exit_code == 3
    assert runtime.words == words


def test_what_data_were_made_with_is_set_only_when_it_was_lost(
    make_stack: MakeStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = make_stack({"db": service("db", {"secrets": {"KEY": "hex16"}, "fixed": ["KEY"]})})
    store = Memory(db={"KEY": "the key"})
    everything = (str, lambda _: None, lambda _: True, True)
    session = cast(Session, Fake(Runtime(Site(stack, tmp_path / "data", store, *everything))))
    give(monkeypatch, "another")
    with pytest.raises(UserError, match="would not open them"):
        secrets.set_value(session, "db", "KEY")
    assert store.read("db") == {"KEY": "the key"}
    store.write("db", {})
    secrets.set_value(session, "db", "KEY")
    assert store.read("db") == {"KEY": "another"}
