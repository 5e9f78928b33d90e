"""Secrets are made once, kept for one pair of eyes, and never changed."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from urllib.parse import quote

import pytest

from monolith.errors import UserError
from monolith.manifest.stack import Stack
from monolith.secrets.store import FileStore, ensure, environment
from tests.unit.conftest import NASTY, MakeStack, as_root, service


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "data" / "secrets")


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    web = {
        "PASSWORD": "password",
        "KEY": "hex32",
        "ADDRESS": "db://web:{PASSWORD:url}@store/{store.TOKEN}?k={KEY:url}",
    }
    return make_stack(
        {
            "web": service("web", {"secrets": web}),
            "store": service("store", {"secrets": {"TOKEN": "hex16"}}),
            "plain": service("plain"),
        }
    )


def unsafe(store: FileStore, expected: str) -> str:
    """What the user is told to do about a file that is refused for `expected`."""
    with pytest.raises(UserError) as caught:
        store.read("web")
    (problem,) = caught.value.problems
    assert expected in problem.expected
    return problem.next


def test_what_is_written_is_read(store: FileStore) -> None:
    store.write("web", {"A": NASTY, "B": "two\nlines"})
    assert store.read("web") == {"A": NASTY, "B": "two\nlines"}
    assert store.read("other") == {}


def test_file_and_folder_are_private(store: FileStore) -> None:
    before = os.umask(0)
    try:
        store.write("web", {"A": "1"})
    finally:
        os.umask(before)
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((store.folder / "web.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602])
def test_a_file_that_others_could_read_or_change_is_refused(store: FileStore, mode: int) -> None:
    store.write("web", {"A": "1"})
    file = store.folder / "web.json"
    file.chmod(mode)
    assert unsafe(store, "mode 0600") == f"chmod 600 '{file}'"


@pytest.mark.parametrize("dangling", [True, False])
def test_a_link_is_refused(store: FileStore, tmp_path: Path, dangling: bool) -> None:
    store.write("web", {"A": "1"})
    file = store.folder / "web.json"
    file.rename(tmp_path / "elsewhere.json")
    file.symlink_to(tmp_path / ("nothing" if dangling else "elsewhere.json"))
    assert unsafe(store, "a plain file")


@as_root
def test_a_file_of_another_user_is_refused(store: FileStore) -> None:
    store.write("web", {"A": "1"})
    file = store.folder / "web.json"
    os.chown(file, 12345, -1)
    assert unsafe(store, "a file of your own") == f"chown 0 '{file}'"


def test_a_file_of_root_is_refused_to_others(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write("web", {"A": "1"})
    monkeypatch.setattr("os.geteuid", lambda: 54321)
    assert unsafe(store, "a file of your own").startswith("chown 54321")


@pytest.mark.parametrize("content", [b"", b"{", b'{"A": ', b"[1]", b'"text"', b"null", b"\xff\xfe"])
def test_a_file_that_is_no_document_is_told_and_is_no_bug(store: FileStore, content: bytes) -> None:
    store.write("web", {"A": "1"})
    (store.folder / "web.json").write_bytes(content)
    assert "backup" in unsafe(store, "JSON")


def test_what_is_missing_is_made_and_named(stack: Stack, store: FileStore) -> None:
    assert ensure(stack, store) == ["web.KEY", "web.PASSWORD", "store.TOKEN"]
    assert set(store.read("web")) == {"PASSWORD", "KEY"}
    assert not (store.folder / "plain.json").exists()


def test_existing_values_never_change(stack: Stack, store: FileStore) -> None:
    store.write("web", {"PASSWORD": "of the user", "RETIRED": "kept"})
    assert ensure(stack, store) == ["web.KEY", "store.TOKEN"]
    first = store.read("web"), store.read("store")
    assert first[0].items() >= {("PASSWORD", "of the user"), ("RETIRED", "kept")}
    assert ensure(stack, store) == []
    assert (store.read("web"), store.read("store")) == first


def test_an_empty_value_is_a_value(stack: Stack, store: FileStore) -> None:
    store.write("store", {"TOKEN": ""})
    ensure(stack, store)
    assert store.read("store") == {"TOKEN": ""}


def test_a_service_gets_its_values_and_its_filled_templates(stack: Stack, store: FileStore) -> None:
    store.write("web", {"PASSWORD": NASTY, "KEY": "k", "RETIRED": "not wanted"})
    store.write("store", {"TOKEN": "t"})
    assert environment(stack, store, "web") == {
        "PASSWORD": NASTY,
        "KEY": "k",
        "ADDRESS": f"db://web:{quote(NASTY, safe='')}@store/t?k=k",
    }
    assert environment(stack, store, "plain") == {}


def test_before_the_first_start_values_are_empty(stack: Stack, store: FileStore) -> None:
    assert environment(stack, store, "store") == {"TOKEN": ""}
    assert not store.folder.exists()


def test_two_installations_share_no_value(product: Stack, tmp_path: Path) -> None:
    values: list[str] = []
    for name in ("one", "two"):
        store = FileStore(tmp_path / name)
        ensure(product, store)
        for file in store.folder.glob("*.json"):
            values += json.loads(file.read_text()).values()
    assert len(values) > 20
    assert len(set(values)) == len(values)


def test_a_lost_document_is_told_and_not_made_anew(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "secrets")
    store.write("web", {"KEY": "1"})
    store.write("db", {"KEY": "2"})
    (store.folder / "db.json").unlink()
    assert store.read("web") == {"KEY": "1"}
    assert store.read("never-there") == {}
    with pytest.raises(UserError, match="is gone"):
        store.read("db")
