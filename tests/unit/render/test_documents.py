"""Rendered files are the same for everybody, and name each setting once."""

from __future__ import annotations

import re

import pytest

from monolith.manifest.load import load
from monolith.manifest.stack import Stack
from monolith.render import documents, envexample, reference
from monolith.settings import OWN
from monolith.settings import load as load_settings
from tests.unit.conftest import ROOT, python

RENDER = """
import json
from monolith.cli.session import Session
from monolith.render.documents import all_files
print(json.dumps(all_files(Session("", "").all_stacks())))
"""


def test_two_renderings_are_the_same_bytes_wherever_they_are_made(
    product: Stack, whole: Stack
) -> None:
    renders = [
        python(RENDER, PYTHONHASHSEED=seed, LC_ALL=locale, PYTHONUTF8="0", TZ=zone, COLUMNS="40")
        for seed, locale, zone in (("1", "C", "UTC"), ("2", "C.UTF-8", "Asia/Bangkok"))
    ]
    (one, error), (other, _) = (render.communicate() for render in renders)
    assert one, error
    assert one == other
    assert set(documents.all_files([product, whole])) == set(re.findall(r'"([\w./-]+)": "', one))


def test_every_setting_is_named_once(whole: Stack) -> None:
    lines = envexample.text(whole).splitlines()
    names = [line[1:].split("=")[0] for line in lines if re.match(r"#\w+=", line)]
    assert len(names) == len(set(names))
    assert set(names) == set(whole.meanings) | set(whole.defaults) | set(OWN)


def test_every_setting_has_a_meaning(whole: Stack) -> None:
    for name, meaning, _ in envexample.rows(whole):
        assert meaning.endswith("."), name
        assert len(meaning) > 10, name


def test_the_example_says_the_defaults_that_are_in_force(whole: Stack) -> None:
    for name, _, default in envexample.rows(whole):
        if name not in OWN:
            assert whole.setting(name) == default


def test_the_example_changes_nothing_when_it_is_copied_or_uncommented(
    whole: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("settings")
    file, text = folder / ".env", envexample.text(whole)
    file.write_text(text)
    assert load_settings(file, folder).values == {}
    file.write_text(re.sub(r"(?m)^#(?=\w+=.)", "", text))
    settings = load_settings(file, folder)
    assert settings.values
    again = load(ROOT / "docker-compose" / "docker-compose.full.yaml", settings, ROOT)
    assert {n: e.model for n, e in again.services.items()} == {
        n: e.model for n, e in whole.services.items()
    }


def test_the_reference_tells_every_service_and_setting_in_one_row(
    product: Stack, whole: Stack
) -> None:
    services, settings = reference.services([product, whole]), reference.settings(whole)
    for name in whole.services:
        assert services.count(f"\n| {name} |") == 1
    for name, _, _ in envexample.rows(whole):
        assert settings.count(f"| `{name}` |") == 1


def test_every_key_of_the_manifest_is_documented() -> None:
    text = reference.manifest()
    rows = [line for line in text.splitlines() if line.startswith("| `") and line.count("|") > 4]
    assert len(rows) > 80
    for row in rows:
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        assert len(cells) == 4, row
        assert cells[3].endswith((".", "`")), row
    for link in re.findall(r"\]\(#(\w+)\)", text):
        assert re.search(rf"(?im)^## {link}$", text), link
