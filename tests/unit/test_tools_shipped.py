"""The programs that the project ships recipes for, as people list and name them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from monolith.tools import model
from tests.unit.conftest import ROOT, command_line

SHIPPED = ("alertmanager", "consul", "loki", "minio", "prometheus", "promtool", "tempo", "vault",
           "versitygw")  # fmt: skip


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A folder that is not there yet."""
    return tmp_path / "cache"


def test_the_list_is_a_table_or_json(cache: Path) -> None:
    table = command_line("tools", "list", MONOLITH_CACHE=str(cache))
    answer = command_line("tools", "list", "--json", MONOLITH_CACHE=str(cache))
    assert (table.returncode, answer.returncode) == (0, 0)
    assert table.stdout.splitlines()[0].split() == ["name", "version", "state", "path"]
    found = json.loads(answer.stdout)["tools"]
    assert {row["name"] for row in found} >= set(SHIPPED)
    assert {row["state"] for row in found} == {"not built"}
    assert not cache.exists()


def test_an_unknown_tool_is_told_before_anything_is_made(cache: Path) -> None:
    result = command_line("tools", "build", "consul", "valt", MONOLITH_CACHE=str(cache))
    assert result.returncode == 1
    assert "did you mean `vault`?" in result.stderr
    assert not cache.exists()


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_tool_is_the_module_that_its_file_names(name: str) -> None:
    tool = model.load_all(ROOT)[name]
    required = re.findall(r"^(?:require)?\s+(\S+) (v\S+)", (tool.folder / "go.mod").read_text(),
                          re.MULTILINE)  # fmt: skip
    assert tool.name == name
    assert tool.version in [
        version for module, version in required if f"{tool.package}/".startswith(f"{module}/")
    ]
    assert f'import _ "{tool.package}"' in (tool.folder / "tools.go").read_text()
    assert re.fullmatch(r"\d+\.\d+\.\d+", tool.oldest_go)
    assert all(re.fullmatch("[0-9a-f]{64}", found) for found in tool.sha256.values())
    assert "linux-amd64" in tool.sha256


def test_every_folder_of_a_module_is_a_tool() -> None:
    assert {file.parent.name for file in ROOT.glob("tools/*/go.mod")} == set(model.load_all(ROOT))
