"""Fragments laid over each other, as Compose merges the files of one `include:` entry.

Mappings are merged, lists are appended, single values replaced; the exceptions are Compose's own:
a command replaces the whole command, and of two mounts at one place the later one counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from monolith.manifest.yamlfile import Document, Key, Place

_REPLACED = ("command", "entrypoint", "test")
_BY_TARGET = "volumes"


def merged(documents: list[Document]) -> Document:
    """One document of several, the first of them the base. Problems tell the file they are in."""
    first, *others = documents
    found = Document(first.name, first.data, dict(first.lines), list(first.problems))
    for other in others:
        found.problems += other.problems
        if not found.problems:
            found.data = _Layer(found, other).laid(found.data, other.data, (), ())
    return found


class _Layer:
    """One document laid over what is there already."""

    def __init__(self, below: Document, over: Document) -> None:
        self.below = below
        self.over = over

    def laid(self, old: Any, new: Any, key: Key, own: Key) -> Any:
        """`new` of the upper document over `old`; `own` is its path there, `key` the common one."""
        if isinstance(old, dict) and isinstance(new, dict):
            items = {
                name: self.laid(old[name], value, (*key, name), (*own, name))
                if name in old
                else self._placed(value, (*key, name), (*own, name))
                for name, value in new.items()
            }
            return old | items
        if isinstance(old, list) and isinstance(new, list) and key[-1] not in _REPLACED:
            return self._appended(old, new, key, own)
        return self._placed(new, key, own)

    def _appended(self, old: list[Any], new: list[Any], key: Key, own: Key) -> list[Any]:
        name: Callable[[Any], Any] = _target if key[-1] == _BY_TARGET else _itself
        there = {name(value): index for index, value in enumerate(old)}
        found = list(old)
        for index, value in enumerate(new):
            place = there.get(name(value), len(found))
            found[place : place + 1] = [self._placed(value, (*key, place), (*own, index))]
        return found

    def _placed(self, value: Any, key: Key, own: Key) -> Any:
        """The value, and all below it, is the upper document's: remember where it is written."""
        self.below.places[key] = Place(self.over.name, own, self.over.line(own))
        if isinstance(value, dict | list):
            names = value if isinstance(value, dict) else range(len(value))
            for name in names:
                self._placed(value[name], (*key, name), (*own, name))
        return value


def _itself(value: Any) -> str:
    return repr(value)


def _target(mount: Any) -> str:
    parts = str(mount).split(":")
    return parts[1] if len(parts) > 1 else parts[0]
