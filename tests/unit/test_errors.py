"""What people read when something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from monolith.errors import Problem, UserError, shown


def test_a_problem_says_where_expected_found_and_next() -> None:
    problem = Problem("a number", "many", "write 5", "config/x.yaml", "services/x/ports/0", 7)
    assert problem.text().splitlines() == [
        "config/x.yaml:7  services/x/ports/0",
        "  expected  a number",
        "  found     many",
        "  next      write 5",
    ]


def test_a_problem_without_a_place_starts_with_what_was_expected() -> None:
    assert Problem("a", "b", "c").text().startswith("  expected  a")


def test_the_hint_comes_last() -> None:
    error = UserError("Headline.", [Problem("a", "b", "c")], hint="type this")
    assert str(error).splitlines()[0] == "Headline."
    assert str(error).splitlines()[-1] == "next: type this"


@pytest.mark.parametrize(
    ("path", "text"), [("/base/a/b", "a/b"), ("/elsewhere/a", "/elsewhere/a"), ("/base2", "/base2")]
)
def test_paths_are_short_inside_the_project_and_whole_outside(path: str, text: str) -> None:
    assert shown(Path(path), Path("/base")) == text
