"""Pydantic's findings in words for people: expected, found, next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from monolith.errors import Problem
from monolith.manifest import advice, schema, words
from monolith.manifest.yamlfile import Document, Key

_SCALAR = {"string_type", "int_type", "float_type", "bool_type"}


@dataclass(frozen=True)
class _Finding:
    """One of pydantic's findings, at its path in the file."""

    key: Key
    detail: ErrorDetails
    model: type[BaseModel]

    @property
    def kind(self) -> str:
        return self.detail["type"]

    @property
    def name(self) -> str:
        return str(self.key[-1]) if self.key else ""

    @property
    def location(self) -> tuple[int | str, ...]:
        return self.detail["loc"]

    @property
    def is_alternative(self) -> bool:
        """Whether it is about one of several types that a value may have."""
        return len([part for part in self.location if part != "[key]"]) > len(self.key)


def explain(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Problem]:
    """One problem for each mistake: what follows from another finding is left out."""
    groups: dict[Key, list[_Finding]] = {}
    for detail in error.errors(include_url=False):
        finding = _Finding(_key(detail, document.data), detail, model)
        groups.setdefault(finding.key, []).append(finding)
    misspelt = {(*key[:-1], _meant(group[0])) for key, group in groups.items()}
    problems = [
        document.problem(key, *_words(group))
        for key, group in groups.items()
        if key not in misspelt and not _is_told_below(key, group, groups)
    ]
    return sorted(problems, key=lambda problem: problem.line)


def _is_told_below(key: Key, group: list[_Finding], groups: dict[Key, list[_Finding]]) -> bool:
    """Whether a part of this value is the mistake, so that its other types do not matter."""
    deeper = any(other[: len(key)] == key and other != key for other in groups)
    return deeper and all(finding.is_alternative for finding in group)


def _key(detail: ErrorDetails, data: Any) -> Key:
    """The path in the file: without the names pydantic adds for types and keys."""
    parts: list[int | str] = []
    for part in detail["loc"]:
        if _has(data, [*parts, part]):
            parts.append(part)
    return (*parts, detail["loc"][-1]) if detail["type"] == "missing" else tuple(parts)


def _has(data: Any, parts: list[int | str]) -> bool:
    for part in parts:
        if not isinstance(data, dict | list):
            return False
        try:
            data = data[part]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _meant(finding: _Finding) -> str:
    """The key that an unknown key was probably meant to be."""
    if finding.kind != "extra_forbidden" or finding.name in advice.ELSEWHERE:
        return ""
    return words.nearest(finding.name, schema.fields_at(finding.model, finding.location[:-1]), 0.5)


def _words(group: list[_Finding]) -> tuple[str, str, str]:
    first = group[0]
    if first.kind == "extra_forbidden":
        return "a known key", f"`{first.name}`", _unknown_key(first)
    if first.kind == "missing":
        expected, what = advice.MISSING.get(
            first.name, (f"the key `{first.name}`", f"{first.name}: ...")
        )
        return expected, "nothing", f"add {what}"
    expected, fix = _wrong_value(group)
    return expected, _shown(first), fix


def _unknown_key(finding: _Finding) -> str:
    if near := _meant(finding):
        return f"did you mean `{near}`?"
    if finding.model.__name__ == "StackFile":
        return "write it in a fragment, config/<service>/compose.yaml"
    return advice.ELSEWHERE.get(finding.name, "remove it: this platform does not use it")


def _wrong_value(group: list[_Finding]) -> tuple[str, str]:
    first = group[0]
    value = first.detail["input"]
    if pattern := _pattern(first):
        expected, fix = advice.PATTERNS[pattern]
        return expected, fix(value)
    if first.kind in advice.TYPES:
        return _wrong_type(
            list(dict.fromkeys(finding.kind for finding in group)), first.name, value
        )
    return _constraint(first)


def _pattern(finding: _Finding) -> str:
    """The pattern of the field, also when the value is not even a text."""
    if finding.kind == "string_pattern_mismatch":
        return str(finding.detail["ctx"]["pattern"])
    if finding.kind != "string_type" or finding.is_alternative:
        return ""
    return schema.pattern_at(finding.model, finding.location)


def _wrong_type(kinds: list[str], name: str, value: Any) -> tuple[str, str]:
    if set(kinds) == _SCALAR:
        return "a text, a number, true or false", "write one value here"
    expected = " or ".join(advice.TYPES.get(kind, kind) for kind in kinds)
    return expected, advice.FIXES[kinds[0]](name, value)


def _constraint(finding: _Finding) -> tuple[str, str]:
    context = finding.detail.get("ctx", {})
    if finding.kind == "literal_error":
        known = re.findall("'([^']*)'", str(context["expected"]))
        expected = f"{', '.join(known[:-1])} or {known[-1]}" if len(known) > 1 else known[0]
        value = str(finding.detail["input"])
        return expected, words.did_you_mean(value, known, "write one of these")
    if finding.kind in ("greater_than_equal", "less_than_equal"):
        return "a port number from 1 to 65535", "write the port that it listens on"
    if finding.kind == "too_short":
        return advice.EMPTY.get(finding.name, ("at least one entry", "add one"))
    if finding.kind == "string_too_long":
        return f"at most {context['max_length']} characters", "write a shorter name"
    return finding.detail["msg"].removeprefix("Input should be "), "correct it"


def _shown(finding: _Finding) -> str:
    """What was found; of a secret only its kind."""
    value = finding.detail["input"]
    if "secrets" in finding.key and finding.kind in _SCALAR:
        return f"a {type(value).__name__}"
    return words.value(value)
