"""Switching the one line, what is stopped for it, and what differs between two lists."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from monolith.errors import UserError
from monolith.manifest.stack import Stack
from monolith.settings import Settings
from monolith.store import beside, switch
from monolith.store.ledger import Copied, Ledger, Thing
from monolith.store.migrate import holders
from tests.unit.conftest import ROOT

TEXT = """include:
  # minio is the store
  - ../config/postgres/compose.yaml
  - ../config/minio/compose.yaml
  - path: [../config/minio/compose.yaml, ../config/minio/compose.full.yaml]
"""


def test_only_the_paths_of_the_store_change() -> None:
    there = switch.changed(TEXT, "minio", "versitygw")
    assert there.splitlines()[:3] == TEXT.splitlines()[:3]
    assert there.count("config/versitygw/") == 3
    assert switch.changed(there, "versitygw", "minio") == TEXT


def test_the_stack_file_in_use_is_the_last_to_change(tmp_path: Path) -> None:
    for name in ("full", "minimal"):
        (tmp_path / f"docker-compose.{name}.yaml").write_text(TEXT)
    used = tmp_path / "docker-compose.full.yaml"
    used.chmod(0o640)
    paths = switch.files(used, tmp_path)
    assert [path.name for path in paths] == ["docker-compose.minimal.yaml", used.name]
    assert switch.write(paths, "minio", "versitygw") == paths
    assert switch.write(paths, "minio", "versitygw") == []
    assert used.read_text() == switch.changed(TEXT, "minio", "versitygw")
    assert used.stat().st_mode & 0o777 == 0o640


def test_a_file_without_the_line_is_told_before_anything_is_copied(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("include: [../config/postgres/compose.yaml]\n")
    with pytest.raises(UserError, match=r"config/minio/compose\.yaml"):
        switch.check(file, "minio", "versitygw", tmp_path)


def test_whoever_has_a_key_is_stopped(product: Stack) -> None:
    found = holders(product)
    assert {"mlflow", "plane-api", "plane-worker", "prefect-worker"} <= set(found)
    assert not {"s3", "vault", "postgres", "bootstrap", "traefik"} & set(found)


@pytest.mark.parametrize("kind", ["minio", "versitygw"])
def test_a_store_beside_is_the_manifests_own_and_publishes_nothing(kind: str) -> None:
    entry = beside.load(ROOT, kind, Settings({"MONOLITH_DATA": "/elsewhere"}))
    words = beside.project(entry, network="monolith_default")
    service = words["services"][beside.SERVICE]
    assert service["image"] == entry.model.image
    assert f"/elsewhere/{kind}:/data:rw" in service["volumes"]
    assert service["networks"] == {"default": {"aliases": [beside.ALIAS]}}
    assert not {"ports", "depends_on", "x-monolith"} & set(service)
    assert words["networks"]["default"] == {"name": "monolith_default", "external": True}


def thing(name: str, mark: str = "1", etag: str = "e") -> Thing:
    return Thing("b", name, 1, mark, etag)


def test_what_differs_is_what_changed_on_either_side(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "ledger", "one")) as ledger:
        for name in "abcd":
            ledger.arrived(Copied("b", name, "1", 1, "s", "e"))
        ledger.look("source", [thing("a"), thing("b", mark="2"), thing("c"), thing("e")])
        ledger.look("target", [thing("a"), thing("b"), thing("c", etag="other"), thing("d")])
        assert [one.name for one in ledger.missing()] == ["b", "c", "e"]
        assert [one.name for one in ledger.more()] == ["d"]
        assert [one.name for one in ledger.unsure()] == ["a", "b", "c"]
        ledger.checked(Copied("b", "a", "1", 1, "s", "e"))
        assert [one.name for one in ledger.unsure()] == ["b", "c"]
        assert (ledger.count("missing"), ledger.count("source", "b")) == ((3, 3), (4, 4))


def test_what_has_arrived_is_known_afterwards_and_read_back_in_each_run(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    for run, unsure in (("one", 1), ("one", 0), ("two", 1)):
        with closing(Ledger(path, run)) as ledger:
            if not path.with_name("made").exists():
                ledger.arrived(Copied("b", "a", "1", 1, "s", "e"))
                path.with_name("made").touch()
            ledger.look("source", [thing("a")])
            ledger.look("target", [thing("a")])
            assert (ledger.count("missing")[0], ledger.count("unsure")[0]) == (0, unsure)
            ledger.checked(Copied("b", "a", "1", 1, "s", "e"))


def test_more_than_a_page_differs(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "ledger", "one")) as ledger:
        names = [f"{number:04}" for number in range(1200)]
        ledger.look("source", [thing(name) for name in names])
        found = []
        for one in ledger.missing():
            ledger.arrived(Copied("b", one.name, one.mark, 1, "s", "e"))
            found.append(one.name)
        assert found == names
