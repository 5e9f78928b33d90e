"""Files laid over each other: what comes out, and which file a mistake is in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monolith.manifest import overlay, yamlfile

BASE = """\
services:
  web:
    image: web:1.0
    command: [web, --quiet]
    environment: {SIZE: small, COLOUR: red}
    volumes: ["./a:/a", "./b:/b:ro"]
    cap_drop: [ALL]
    healthcheck: {test: [CMD, "true"], interval: 5s}
"""
OVER = """\
services:
  web:
    command: [web]
    environment:
      SIZE: large
      WEIGHT: 3
    volumes: ["./c:/b", "./d:/d"]
    cap_drop: [ALL, NONE]
    healthcheck: {test: [CMD, "false"]}
  helper: {image: "helper:1.0"}
"""


@pytest.fixture
def document(tmp_path: Path) -> yamlfile.Document:
    (tmp_path / "base").write_text(BASE)
    (tmp_path / "over").write_text(OVER)
    return overlay.merged([yamlfile.read(tmp_path / name, name) for name in ("base", "over")])


@pytest.fixture
def web(document: yamlfile.Document) -> dict[str, Any]:
    found: dict[str, Any] = document.data["services"]["web"]
    return found


def test_mappings_are_merged_and_values_replaced(web: dict[str, Any]) -> None:
    assert web["environment"] == {"SIZE": "large", "COLOUR": "red", "WEIGHT": 3}
    assert web["healthcheck"] == {"test": ["CMD", "false"], "interval": "5s"}


def test_commands_are_replaced_and_other_lists_appended_once(web: dict[str, Any]) -> None:
    assert web["command"] == ["web"]
    assert web["cap_drop"] == ["ALL", "NONE"]


def test_of_two_mounts_at_one_place_the_later_one_counts(web: dict[str, Any]) -> None:
    assert web["volumes"] == ["./a:/a", "./c:/b", "./d:/d"]


def test_a_service_may_come_with_an_overlay(document: yamlfile.Document) -> None:
    assert document.data["services"]["helper"] == {"image": "helper:1.0"}


@pytest.mark.parametrize(
    ("key", "file", "path", "line"),
    [
        (("environment", "SIZE"), "over", "environment/SIZE", 5),
        (("environment", "COLOUR"), "base", "environment/COLOUR", 5),
        (("environment", "WEIGHT"), "over", "environment/WEIGHT", 6),
        (("volumes", 1), "over", "volumes/0", 7),
        (("volumes", 0), "base", "volumes/0", 6),
        (("cap_drop", 1), "over", "cap_drop/1", 8),
        (("healthcheck", "interval"), "base", "healthcheck/interval", 8),
    ],
)
def test_a_problem_is_in_the_file_that_says_it(
    document: yamlfile.Document, key: yamlfile.Key, file: str, path: str, line: int
) -> None:
    problem = document.problem(("services", "web", *key), "this", "that", "next")
    assert (problem.file, problem.path, problem.line) == (file, f"services/web/{path}", line)


def test_the_base_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "base").write_text(BASE)
    (tmp_path / "over").write_text(OVER)
    base, over = (yamlfile.read(tmp_path / name, name) for name in ("base", "over"))
    overlay.merged([base, over])
    assert base.data == yamlfile.read(tmp_path / "base", "base").data
    assert not base.places
