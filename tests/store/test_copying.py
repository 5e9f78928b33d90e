"""Everything goes over, whatever happens on the way, and what went wrong is found."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from monolith.bootstrap import s3
from monolith.errors import UserError
from monolith.store.copying import Copier
from monolith.store.ledger import Ledger, Thing
from monolith.store.model import Server
from tests.native.steps import Silent
from tests.store.conftest import ROOT, Store, new_keys, start, stop

SMALL = 600
LARGE = b"large part" * 2 * 2**20
"""In parts on both sides, and in a file of its own in both stores."""
WAYS = [("minio", "versitygw"), ("versitygw", "minio")]
SAID = {
    "ContentType": "text/x", "CacheControl": "no-store", "ContentEncoding": "gzip",
    "ContentDisposition": 'attachment; filename="a"', "Metadata": {"for": "a test"},
}  # fmt: skip


@dataclass
class Pair:
    """Two stores of one installation, the second one empty."""

    source: Store
    target: Store
    ledger: Path

    def keys(self) -> list[str]:
        return [*self.source.keys("s3").values()]

    def copier(self, run: str) -> Copier:
        source, target = (Server(address, *self.keys()) for address in self.addresses)
        return Copier(source, target, Ledger(self.ledger, run), Silent())

    @property
    def addresses(self) -> list[str]:
        return [f"127.0.0.1:{one.port}" for one in self.ends]

    @property
    def ends(self) -> list[Store]:
        return [self.source, self.target]

    def settle(self, run: str) -> None:
        copier = self.copier(run)
        with closing(copier.ledger):
            copier.settle()

    def contents(self) -> list[dict[tuple[str, str], Any]]:
        return [contents(one.client("s3")) for one in self.ends]


@pytest.fixture(scope="module", params=WAYS, ids="-to-".join)
def pair(
    request: pytest.FixtureRequest, images: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    folder, keys = tmp_path_factory.mktemp("pair"), new_keys()
    found: list[Store] = []
    try:
        found.extend(start(kind, folder / kind, keys) for kind in request.param)
        s3.ensure(found[0].site)
        fill(found[0])
        yield Pair(found[0], found[1], folder / "ledger")
    finally:
        for one in found:
            stop(one)
        shutil.rmtree(folder, ignore_errors=True)


def fill(store: Store) -> None:
    client = store.client("s3")
    client.put_object(Bucket="mlflow", Key="told/ü ñ/+%&?#;=☃", Body=b"\x1f\x8b packed", **SAID)
    client.put_object(Bucket="mlflow", Key="told/empty", Body=b"")
    client.put_object(Bucket="mlflow", Key="folder/", Body=b"")
    client.put_object(Bucket="mlflow", Key="tagged", Body=b"x", Tagging="a=b")
    client.put_object(Bucket="uploads", Key="large", Body=LARGE, ContentType="video/x")
    for number in range(SMALL):
        body = str(number).encode()
        client.put_object(Bucket="label-studio", Key=f"{number % 7}/{number}", Body=body)


def contents(client: Any) -> dict[tuple[str, str], Any]:
    """Bucket and name -> all that the store gives of an object."""
    found: dict[tuple[str, str], Any] = {}
    for bucket in client.list_buckets()["Buckets"]:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for one in page.get("Contents", []):
                place = {"Bucket": bucket["Name"], "Key": one["Key"]}
                found[bucket["Name"], one["Key"]] = described(client.get_object(**place))
    # versitygw has its own type for a folder, whatever it was given.
    for _, told in filter(lambda item: item[0][1].endswith("/"), found.items()):
        del told["ContentType"]
    return found


def described(answer: dict[str, Any]) -> dict[str, Any]:
    told = {name: answer.get(name) for name in [*SAID, "TagCount", "ContentLength"]}
    return told | {"sum": hashlib.sha256(answer["Body"].read()).hexdigest()}


def rows(ledger: Path) -> int:
    try:
        with closing(sqlite3.connect(ledger)) as base:
            return int(base.execute("SELECT count(*) FROM copied").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def noting(work: Callable[[Thing], Any], noted: list[Thing]) -> Callable[[Thing], Any]:
    """The same work; what it was done on is noted."""

    def noted_work(thing: Thing) -> Any:
        noted.append(thing)
        return work(thing)

    return noted_work


def test_killed_half_way_with_changes_in_between_it_comes_to_the_same(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [str(pair.ledger), "one", *pair.addresses]
    words = [sys.executable, "-m", "tests.store.copying", *arguments]
    process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, text=True)
    assert process.stdin
    process.stdin.write(json.dumps(pair.keys()))
    process.stdin.close()
    deadline = time.monotonic() + 60
    while rows(pair.ledger) < SMALL // 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = rows(pair.ledger)
    assert SMALL // 4 <= done < SMALL
    client = pair.source.client("s3")
    client.put_object(Bucket="label-studio", Key="0/0", Body=b"changed")
    client.put_object(Bucket="label-studio", Key="0/7", Body=b"7", Metadata={"only": "words"})
    client.put_object(Bucket="label-studio", Key="0/new", Body=b"new")
    client.delete_object(Bucket="label-studio", Key="1/1")
    copier = pair.copier("two")
    with closing(copier.ledger):
        copied = list[Thing]()
        monkeypatch.setattr(copier, "_copy", noting(copier._copy, copied))
        copier.settle()
    # What had arrived was not copied again, but for what was under way.
    assert len(copied) <= SMALL + 8 - done + 10
    source, target = pair.contents()
    assert source == target
    assert target["mlflow", "tagged"]["TagCount"] == 1
    assert target["label-studio", "0/7"]["Metadata"] == {"only": "words"}
    assert ("label-studio", "1/1") not in target


def test_a_second_run_copies_nothing_and_reads_everything(pair: Pair) -> None:
    pair.settle("first")
    copier = pair.copier("second")
    with closing(copier.ledger) as ledger:
        assert copier.round()
        assert (ledger.count("missing")[0], ledger.count("unsure")[0]) == (0, 0)
        assert not copier.round()


def test_what_is_only_at_the_target_goes(pair: Pair) -> None:
    pair.settle("before")
    pair.target.client("s3").put_object(Bucket="uploads", Key="former", Body=b"of another time")
    pair.settle("after")
    assert pair.contents()[0] == pair.contents()[1]


def test_a_corrupted_copy_is_found_and_made_anew(pair: Pair) -> None:
    pair.settle("before")
    (file,) = files_of(pair.target, "large")
    damage(file)
    with pytest.raises(UserError, match="Not all copies") as error:
        pair.settle("reads")
    assert [problem.file for problem in error.value.problems] == ["uploads/large"]
    assert "copied anew" in str(error.value)
    pair.settle("again")
    assert pair.contents()[0] == pair.contents()[1]


def files_of(store: Store, name: str) -> list[Path]:
    """Where a store keeps the content of an object of `uploads`, one that is large."""
    folders = {"minio": "minio/uploads", "versitygw": "versitygw/buckets/uploads"}
    folder = store.data / folders[store.kind] / name
    return sorted(folder.rglob("part.1")) if folder.is_dir() else [folder]


def damage(file: Path) -> None:
    with file.open("r+b") as content:
        content.seek(file.stat().st_size // 2)
        byte = content.read(1)
        content.seek(-1, 1)
        content.write(bytes([byte[0] ^ 1]))


@pytest.mark.parametrize("pair", WAYS[:1], indirect=True, ids="-to-".join)
def test_a_name_that_the_other_store_does_not_take_is_told(pair: Pair) -> None:
    """The other way every name is taken."""
    client, name = pair.source.client("s3"), "content/"
    client.put_object(Bucket="uploads", Key=name, Body=b"a folder with content")
    with pytest.raises(UserError, match="DirectoryObjectContainsData") as error:
        pair.settle("refused")
    assert [problem.file for problem in error.value.problems] == [f"uploads/{name}"]
    client.delete_object(Bucket="uploads", Key=name)
    pair.settle("after")
