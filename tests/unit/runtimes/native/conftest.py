"""One program with nothing but a name, to be changed by each test."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monolith.runtimes.native.plan import Program

MakeProgram = Callable[..., Program]
_EMPTY: dict[type | str, Any] = {
    "str": "", "int": 0, "bool": False, "Path": Path("/"),
    "list[str]": [], "list[Path]": [], "dict[str, str]": {}, "dict[int, str]": {},
}  # fmt: skip


@pytest.fixture
def make_program() -> MakeProgram:
    def make(**values: Any) -> Program:
        empty = {field.name: _EMPTY[field.type] for field in dataclasses.fields(Program)}
        return Program(**{**empty, "name": "web", "stop_signal": "TERM", **values})

    return make
