"""Data folders are there before an engine makes them for root, and belong to who uses them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from monolith.bootstrap import folders
from monolith.bootstrap.site import Site
from monolith.manifest.models import Data
from monolith.manifest.stack import Stack
from tests.native.steps import Memory
from tests.unit.conftest import MakeStack, as_root, service

DATA = "${MONOLITH_DATA:-../../data}"


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    volumes = [f"{DATA}/web/a:/a", f"{DATA}/secrets/web:/secrets:ro", ".:/config:ro"]
    data = {"uid": 1234, "gid": 99}
    return make_stack({"web": service("web", {"data": data}, volumes=volumes)})


def ensure(stack: Stack, tmp_path: Path, *, in_containers: bool) -> list[str]:
    return folders.ensure(
        Site(stack, tmp_path / "data", Memory(), str, lambda _: None, lambda _: True, in_containers)
    )


def owner(path: Path) -> tuple[int, int]:
    return path.lstat().st_uid, path.lstat().st_gid


def test_the_group_has_the_users_number_unless_it_is_named() -> None:
    assert Data(uid=1234).owner == (1234, 1234)
    assert Data(uid=1234, gid=0).owner == (1234, 0)


@as_root
def test_in_containers_they_belong_to_the_user_of_the_manifest(
    stack: Stack, tmp_path: Path
) -> None:
    assert ensure(stack, tmp_path, in_containers=True) == [
        "secrets made private", "vault-keys made private", "web/a made",
        "web/a given to its user", "secrets/web made",
    ]  # fmt: skip
    assert owner(tmp_path / "data" / "web" / "a") == (1234, 99)
    assert owner(tmp_path / "data" / "secrets" / "web") == (0, 0)
    assert ensure(stack, tmp_path, in_containers=True) == []


def test_natively_they_are_there_and_no_more(stack: Stack, tmp_path: Path) -> None:
    assert ensure(stack, tmp_path, in_containers=False) == ["web/a made"]
    assert owner(tmp_path / "data" / "web" / "a") == (os.geteuid(), os.getegid())
    assert not (tmp_path / "data" / "secrets").exists()


@as_root
def test_all_below_a_folder_is_given_and_links_are_not_followed(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.touch()
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").touch()
    (folder / "link").symlink_to(outside)
    assert folders.give(folder, 1234, 99)
    assert {owner(path) for path in [folder, *folder.rglob("*")]} == {(1234, 99)}
    assert owner(outside) == (0, 0)
    assert not folders.give(folder, 1234, 99)


@as_root
def test_a_folder_that_was_given_in_part_is_given_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in "abc":
        (folder / name).touch()
    given: list[Path] = []
    chown = os.chown

    def dies(path: Path, user: int, group: int, **options: bool) -> None:
        if len(given) == 2:
            raise KeyboardInterrupt
        given.append(path)
        chown(path, user, group, **options)

    monkeypatch.setattr(os, "chown", dies)
    with pytest.raises(KeyboardInterrupt):
        folders.give(folder, 1234, 99)
    monkeypatch.undo()
    assert folders.give(folder, 1234, 99)
    assert {owner(path) for path in [folder, *folder.iterdir()]} == {(1234, 99)}


@as_root
def test_an_open_secrets_folder_is_closed(stack: Stack, tmp_path: Path) -> None:
    ensure(stack, tmp_path, in_containers=True)
    (tmp_path / "data" / "secrets").chmod(0o755)
    assert ensure(stack, tmp_path, in_containers=True) == ["secrets made private"]
