"""Compose's variable syntax: `$X`, `${X}`, `${X:-default}`, `${X-default}`, `${X:?why}`, `$$`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_PATTERN = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<plain>[A-Za-z_]\w*)"
    r"|\{(?P<name>[A-Za-z_]\w*)(?:(?P<operator>:?[-?+])(?P<word>[^{}]*))?\}|(?P<bad>))"
)


class UnsetVariableError(ValueError):
    """A variable without default has no value; `why` is the text after `?`, if any."""

    def __init__(self, name: str, why: str = "") -> None:
        super().__init__(name)
        self.name = name
        self.why = why


class SyntaxVariableError(ValueError):
    """A `$` that starts no variable."""


@dataclass(frozen=True)
class Use:
    """One use of a variable in a text: its name and its default (None: it has none)."""

    name: str
    default: str | None


def uses(text: str) -> list[Use]:
    """The variables a text refers to, in order."""
    return [_use(match) for match in _PATTERN.finditer(text) if _name(match)]


def interpolate(text: str, values: Mapping[str, str]) -> str:
    """Replace the variables of `text` as Compose does."""
    return _PATTERN.sub(_replacer(values), text)


def _name(match: re.Match[str]) -> str:
    return match["plain"] or match["name"] or ""


def _use(match: re.Match[str]) -> Use:
    operator = match["operator"] or ""
    return Use(_name(match), match["word"] if operator.endswith("-") else None)


def _replacer(values: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        if not _name(match):
            raise SyntaxVariableError(match.string[match.start() : match.start() + 40])
        return _resolve(match, values)

    return replace


def _resolve(match: re.Match[str], values: Mapping[str, str]) -> str:
    operator, word = match["operator"] or "", match["word"] or ""
    value = values.get(_name(match))
    missing = value is None or (operator.startswith(":") and value == "")
    if operator.endswith("+"):
        return "" if missing else word
    if value is not None and not missing:
        return value
    if operator.endswith("-"):
        return word
    raise UnsetVariableError(_name(match), word)
