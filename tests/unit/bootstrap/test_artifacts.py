"""MLflow's files of native times are uploaded once, each, and never again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from monolith.bootstrap import artifacts, s3


@pytest.fixture
def uploaded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Bucket and name of each upload."""
    found: list[tuple[str, str]] = []

    def upload(bucket: str, name: str, file: str) -> None:
        assert Path(file).is_file()
        found.append((bucket, name))

    objects = SimpleNamespace(fput_object=upload)
    monkeypatch.setattr(s3, "connect", lambda _: SimpleNamespace(objects=objects))
    return found


def site(data: Path) -> Any:
    return SimpleNamespace(data=data)


def test_without_files_nobody_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(s3, "connect")
    assert artifacts.ensure(site(tmp_path)) == []


def test_each_file_goes_once(tmp_path: Path, uploaded: list[tuple[str, str]]) -> None:
    folder = tmp_path / "mlflow" / "artifacts" / "1" / "models"
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text("a")
    assert artifacts.ensure(site(tmp_path)) == ["1 files that MLflow kept natively"]
    assert uploaded == [("mlflow", "artifacts/1/models/MLmodel")]
    assert artifacts.ensure(site(tmp_path)) == []
    (folder / "later").write_text("b")
    assert artifacts.ensure(site(tmp_path)) == ["1 files that MLflow kept natively"]
    assert uploaded[1:] == [("mlflow", "artifacts/1/models/later")]
