"""Cases as data: `<verb>/<case>/` is laid over `<verb>/_base/`, and the verb runs in the result.

`expect.json` of a case: `exit`, `problems` (exactly what `--json` prints), and, when the case
needs it, `environment`. After a wanted change: `pytest tests/cases --update-cases`, then read the
difference.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from monolith.cli.app import main

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/*/expect.json"))
TOLD = ("file", "path", "expected", "found", "next")

Run = Callable[..., tuple[int, str]]


@dataclass(frozen=True)
class Case:
    """One folder of cases, and the project that is built from it."""

    folder: Path
    root: Path
    expect: dict[str, Any]

    @property
    def verb(self) -> str:
        return self.folder.parent.name


@pytest.fixture(params=CASES, ids=lambda path: str(path.relative_to(HERE)))
def case(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Case]:
    folder: Path = request.param
    shutil.copytree(folder.parent / "_base", tmp_path, dirs_exist_ok=True)
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    expect = json.loads((tmp_path / "expect.json").read_text())
    (tmp_path / "expect.json").unlink()
    for name in [name for name in os.environ if name.startswith("MONOLITH_")]:
        monkeypatch.delenv(name)
    for name, value in expect.get("environment", {}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("monolith.project.ROOT", tmp_path)
    yield Case(folder, tmp_path, expect)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process: its exit code and all that it printed."""

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["monolith", *words])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        return int(end.value.code or 0), printed.out + printed.err

    return run


def test_case(case: Case, run: Run, request: pytest.FixtureRequest) -> None:
    before = _content(case.root)
    code, printed = run(case.verb, "--json")
    told = {**case.expect, "exit": code, "problems": json.loads(printed)["problems"]}
    if told != case.expect and request.config.getoption("--update-cases", default=False):
        _rewrite(case, told)
    assert told == case.expect
    _assert_told_to_people(told, *run(case.verb))
    assert _content(case.root) == before, "a command that only looks has written"


def _assert_told_to_people(told: dict[str, Any], code: int, printed: str) -> None:
    assert code == told["exit"]
    for problem in told["problems"]:
        missing = [problem[name] for name in TOLD if problem[name] not in printed]
        assert missing == [], printed


def _content(root: Path) -> dict[str, bytes | None]:
    """Every file and folder below `root`."""
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
    }


def _rewrite(case: Case, told: dict[str, Any]) -> None:
    """Take what was told as expected, and show that this case has changed."""
    text = json.dumps(told, indent=2, ensure_ascii=False)
    (case.folder / "expect.json").write_text(text + "\n")
    pytest.skip(f"rewritten: {case.folder.relative_to(HERE)}/expect.json")
