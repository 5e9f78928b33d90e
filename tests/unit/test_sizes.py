"""Small by number: what is easy to read stays easy to read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

from tests.unit.conftest import ROOT

FILES = sorted([*ROOT.glob("src/**/*.py"), *ROOT.glob("prefect_flows/*.py")])


def functions(file: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or 0) - node.lineno + 1, f"{file.name}: {node.name}"


FUNCTIONS = [found for file in FILES for found in functions(file)]
LENGTHS = [length for length, _ in FUNCTIONS]


def test_there_is_something_to_measure() -> None:
    assert len(FILES) > 30
    assert len(FUNCTIONS) > 200


def test_no_file_has_more_than_400_lines() -> None:
    assert not [file.name for file in FILES if len(file.read_text().splitlines()) > 400]


def test_no_function_has_more_than_40_lines() -> None:
    assert not [name for length, name in FUNCTIONS if length > 40]


def test_half_of_the_functions_have_at_most_8_lines() -> None:
    assert median(LENGTHS) <= 8


def test_nine_of_ten_functions_have_at_most_25_lines() -> None:
    assert quantiles(LENGTHS, n=10)[-1] <= 25
