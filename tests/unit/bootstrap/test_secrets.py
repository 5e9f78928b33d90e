"""Secrets reach every container's env file, and lost ones are never made anew."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from monolith.bootstrap import secrets
from monolith.bootstrap.site import Site
from monolith.errors import UserError
from monolith.manifest.stack import Stack
from monolith.secrets.store import FileStore
from tests.native.steps import Memory
from tests.unit.conftest import NASTY, MakeStack, service


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    mount = ["${MONOLITH_DATA:-../../data}/secrets/web:/secrets:ro"]
    web = {"secrets": {"KEY": "hex16", "ADDRESS": "db://{KEY:url}@{store.TOKEN}"}}
    return make_stack(
        {
            "web": service("web", web, volumes=mount),
            "store": service("store", {"secrets": {"TOKEN": "hex16"}}),
        }
    )


def make_site(stack: Stack, data: Path, store: Memory, *, in_containers: bool = True) -> Site:
    return Site(stack, data, store, str, lambda _: None, lambda _: True, in_containers)


def test_only_who_mounts_its_env_file_gets_one(stack: Stack, data: Path) -> None:
    store = Memory()
    changes = secrets.ensure(make_site(stack, data, store))
    assert changes == ["web.KEY generated", "store.TOKEN generated", "env file of web"]
    found = (data / "secrets" / "web" / "env").read_text().splitlines()
    key, token = store.read("web")["KEY"], store.read("store")["TOKEN"]
    assert found == [f"ADDRESS='db://{key}@{token}'", f"KEY='{key}'"]
    assert not (data / "secrets" / "store").exists()
    assert secrets.ensure(make_site(stack, data, store)) == []


def test_natively_there_is_none(stack: Stack, data: Path) -> None:
    secrets.ensure(make_site(stack, data, Memory(), in_containers=False))
    assert not list(data.glob("secrets/*/env"))


def test_the_env_file_is_for_one_pair_of_eyes(stack: Stack, data: Path) -> None:
    before = os.umask(0)
    try:
        secrets.ensure(make_site(stack, data, Memory()))
    finally:
        os.umask(before)
    path = data / "secrets" / "web" / "env"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("value", [NASTY, "two\nlines", "'", "''", " ", "\\"])
def test_a_shell_reads_what_was_written(tmp_path: Path, value: str) -> None:
    file = tmp_path / "env"
    file.write_text(secrets.env_text({"A": value, "B": "2"}))
    read = subprocess.run(
        ["/bin/sh", "-c", '. "$1"; printf %s "$A"', "sh", str(file)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert read.stdout == value


def test_a_changed_value_is_in_the_file_of_who_uses_it(stack: Stack, data: Path) -> None:
    store = Memory()
    secrets.ensure(make_site(stack, data, store))
    store.write("store", {"TOKEN": "new"})
    assert secrets.ensure(make_site(stack, data, store)) == ["env file of web"]
    assert "@new'" in (data / "secrets" / "web" / "env").read_text()


def test_what_a_service_was_given_and_the_store_has_not_is_lost(stack: Stack, data: Path) -> None:
    secrets.ensure(make_site(stack, data, Memory()))
    text = (data / "secrets" / "web" / "env").read_text()
    empty = Memory()
    with pytest.raises(UserError, match="does not have"):
        secrets.ensure(make_site(stack, data, empty))
    assert empty.documents == {}
    assert (data / "secrets" / "web" / "env").read_text() == text


def test_an_import_is_read_back_before_the_file_goes(stack: Stack, data: Path) -> None:
    class Forgetful(Memory):
        def write(self, service: str, values: dict[str, str]) -> None:
            pass

    files = FileStore(data / "secrets")
    files.write("web", {"KEY": "old"})
    with pytest.raises(UserError, match="did not arrive"):
        secrets.ensure(make_site(stack, data, Forgetful()))
    assert files.read("web") == {"KEY": "old"}


def test_a_file_that_is_gone_is_not_imported_as_nothing(stack: Stack, data: Path) -> None:
    files = FileStore(data / "secrets")
    files.write("web", {"KEY": "old"})
    (data / "secrets" / "web.json").unlink()
    with pytest.raises(UserError, match="is gone"):
        secrets.ensure(make_site(stack, data, Memory()))


def test_no_change_tells_a_value(stack: Stack, data: Path) -> None:
    store = Memory()
    told = " ".join(secrets.ensure(make_site(stack, data, store)))
    values = [value for values in store.documents.values() for value in values.values()]
    assert values
    assert not [value for value in values if value in told]
