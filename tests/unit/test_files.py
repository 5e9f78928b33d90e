"""State on disk is the old one or the new one, and nobody else's to read."""

from __future__ import annotations

import os
import random
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from monolith.files import private_folder, write_atomic
from tests.unit.conftest import as_root, python


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def _open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this root may not mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.usefixtures("_open_umask")
@pytest.mark.parametrize("wanted", [0o600, 0o644])
def test_the_mode_does_not_depend_on_the_umask(tmp_path: Path, wanted: int) -> None:
    write_atomic(tmp_path / "file", "text", wanted)
    assert mode(tmp_path / "file") == wanted


def test_files_are_private_unless_said_otherwise(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file", "text")
    assert mode(tmp_path / "file") == 0o600


def test_the_same_content_is_not_written_again(tmp_path: Path) -> None:
    file = tmp_path / "file"
    assert write_atomic(file, "ไทย\n")
    inode = file.stat().st_ino
    assert not write_atomic(file, "ไทย\n")
    assert file.stat().st_ino == inode


def test_a_wrong_mode_is_put_right_though_the_content_is_the_same(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_atomic(file, "text")
    file.chmod(0o644)
    assert write_atomic(file, "text")
    assert mode(file) == 0o600


def test_a_link_is_replaced_and_what_it_points_to_is_left_alone(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("somebody's")
    target.chmod(0o600)
    link.symlink_to(target)
    assert write_atomic(link, "somebody's")
    assert not link.is_symlink()
    assert mode(link) == 0o600
    assert write_atomic(link, "ours")
    assert target.read_text() == "somebody's"


@as_root
def test_a_full_disk_leaves_the_old_file_and_nothing_else(small_disk: Path) -> None:
    file = small_disk / "file"
    write_atomic(file, "old")
    with pytest.raises(OSError, match="No space left"):
        write_atomic(file, "new" * 2**20)
    assert file.read_text() == "old"
    assert list(small_disk.iterdir()) == [file]


def test_a_failure_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_atomic(tmp_path / "file", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


REWRITE = """
import itertools, sys, pathlib
from monolith.files import write_atomic
print("ready", flush=True)
for number in itertools.count():
    write_atomic(pathlib.Path(sys.argv[1]), "ab"[number % 2] * 200_000)
"""


def test_whoever_is_killed_while_writing_leaves_a_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_atomic(file, "a" * 200_000)
    chance = random.Random(20261123)
    seen = set()
    for _ in range(30):
        writer = python(REWRITE, file)
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
        time.sleep(chance.random() / 20)
        writer.kill()
        writer.communicate()
        content = file.read_text()
        assert len(content) == 200_000
        assert len(set(content)) == 1
        seen.add(content[0])
    assert seen == {"a", "b"}


@pytest.mark.usefixtures("_open_umask")
@pytest.mark.parametrize("before", [None, 0o755, 0o777, 0o500])
def test_a_private_folder_is_open_to_its_owner_only(tmp_path: Path, before: int | None) -> None:
    folder = tmp_path / "outer" / "folder"
    if before is not None:
        folder.mkdir(parents=True)
        folder.chmod(before)
    assert private_folder(folder) == folder
    assert mode(folder) == 0o700


@pytest.mark.usefixtures("_open_umask")
def test_a_private_folder_is_private_from_its_first_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "chmod", lambda *_: pytest.fail("it was open until now"))
    assert mode(private_folder(tmp_path / "folder")) == 0o700
