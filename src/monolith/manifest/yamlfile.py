"""Reading one YAML file strictly: what two YAML readers could understand differently is refused.

Compose (a YAML 1.2 reader) and PyYAML (1.1) disagree on `NO`, `0123`, `12:30`, ...; so do people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from monolith.errors import Problem
from monolith.manifest import syntax

Key = tuple[str | int, ...]

MAX_NODES, MAX_LEVELS = 20_000, 50
_TAG = "tag:yaml.org,2002:"
_ALLOWED_TAGS = {
    _TAG + name for name in ("str", "int", "float", "bool", "null", "map", "seq", "merge")
}
_TRAPS = [
    (re.compile(r"(y|n|yes|no|on|off)", re.IGNORECASE), "true or false, or a quoted text"),
    (re.compile(r"[-+]?0[0-9_]+"), "a number without leading zero, or a quoted text"),
    (re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?"), "a quoted text (it is read as base 60)"),
    (re.compile(r"[-+]?[0-9][0-9.]*[eE][-+]?[0-9]+"), "a plain number, or a quoted text"),
    (re.compile(r"[-+]?0[xob][0-9a-fA-F_]+"), "a decimal number, or a quoted text"),
    (re.compile(r"[-+]?[0-9]+(_[0-9]+)+"), "a number without underscores, or a quoted text"),
    (re.compile(r"[-+]?[0-9]+\.[0-9]+0"), "a quoted text (a number loses its last 0)"),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*"), "a quoted text (it is read as a date)"),
    (re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE), "a finite number, or a quoted text"),
    (re.compile(r"="), "a quoted text"),
]
"""Unquoted texts of two meanings, and what to write instead."""

_KINDS = {"sequence": "a list", "scalar": "a single value"}


class _Loader(yaml.SafeLoader):
    """SafeLoader that gives up where nesting has no end."""

    level = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        self.level += 1
        if self.level > MAX_LEVELS:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise ComposerError(None, None, "levels without end", mark)
        node = super().compose_node(parent, index)
        self.level -= 1
        return node


@dataclass(frozen=True)
class Place:
    """Where a value is written: file, path in it, line."""

    file: str
    key: Key
    line: int


@dataclass
class Document:
    """One file's content with the line of every value, and what is wrong with its text.

    `places` are the values that another file laid over it.
    """

    name: str
    data: Any = None
    lines: dict[Key, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    places: dict[Key, Place] = field(default_factory=dict)

    def line(self, key: Key) -> int:
        """Line (from 1) of the value at `key`, or of the nearest parent that is in the file."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 0)

    def problem(self, key: Key, expected: str, found: str, next_step: str) -> Problem:
        """A problem at `key` of this file, or of the one that was laid over it there."""
        place = self._place(key)
        path = "/".join(str(part) for part in place.key)
        return Problem(expected, found, next_step, place.file, path, place.line)

    def _place(self, key: Key) -> Place:
        for length in range(len(key), 0, -1):
            if over := self.places.get(key[:length]):
                return Place(over.file, (*over.key, *key[length:]), over.line)
            if key[:length] in self.lines:
                break
        return Place(self.name, key, self.line(key))


def read(path: Path, name: str, start: str = "write `key: value` lines") -> Document:
    """Read `path`, shown to people as `name`; `start` tells how to begin a file of this kind.

    Never raises for bad content: see `problems`.
    """
    document = Document(name)
    text = _decode(path, document)
    if text is None:
        return document
    try:
        _read_yaml(text, document, start)
    except yaml.YAMLError as error:
        document.problems.append(syntax.syntax_problem(error, text, name))
    except RecursionError:
        expected, fix = f"at most {MAX_LEVELS} levels", "write it with fewer brackets or aliases"
        document.problems.append(Problem(expected, "levels without end", fix, name))
    except ValueError as error:
        document.problems.append(Problem("plain YAML values", str(error), "quote it", name))
    return document


def _decode(path: Path, document: Document) -> str | None:
    try:
        raw = path.read_bytes()
    except OSError as error:
        found = error.strerror or type(error).__name__
        fix = f"look at it: ls -ld {document.name}"
        document.problems.append(Problem("a file that can be read", found, fix, document.name))
        return None
    document.problems += list(syntax.text_problems(raw, document.name))
    return None if document.problems else raw.decode()


def _read_yaml(text: str, document: Document, start: str) -> None:
    root: Node | None = yaml.compose(text, Loader=_Loader)
    if not isinstance(root, MappingNode):
        found = _KINDS[root.id] if isinstance(root, SequenceNode | ScalarNode) else "an empty file"
        document.problems.append(Problem("keys with values", found, start, document.name))
        return
    walker = _Walker(document)
    walker.walk(root, ())
    if not document.problems:
        document.data = yaml.safe_load(text)


def strings(value: Any, key: Key = ()) -> Iterator[tuple[Key, str]]:
    """Every text below `value` with its path."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from strings(item, (*key, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings(item, (*key, index))
    elif isinstance(value, str):
        yield key, value


def _trap(node: Node) -> str:
    """What to write instead of an unquoted text of two meanings; an empty text for all others."""
    if not isinstance(node, ScalarNode) or node.style is not None:
        return ""
    return next((expected for trap, expected in _TRAPS if trap.fullmatch(node.value)), "")


class _Walker:
    """Visits every value as often as it is referred to, which is what an alias bomb multiplies."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.count = 0

    def walk(self, node: Node, key: Key) -> None:
        self.count += 1
        if self.count > MAX_NODES or len(key) > MAX_LEVELS:
            self._too_large(key)
            return
        self.document.lines.setdefault(key, node.start_mark.line + 1)
        if node.tag not in _ALLOWED_TAGS and not _trap(node):
            tag = node.tag.replace(_TAG, "!!")
            self._say(key, "plain YAML values", f"the tag {tag}", f"remove {tag}")
        elif isinstance(node, MappingNode):
            self._mapping(node, key)
        elif isinstance(node, SequenceNode):
            for index, item in enumerate(node.value):
                self.walk(item, (*key, index))
        else:
            self._scalar(node, key)

    def _mapping(self, node: MappingNode, key: Key) -> None:
        seen: dict[str, int] = {}
        # What is merged in comes first: keys of the mapping itself go over it.
        for name_node, value in sorted(node.value, key=lambda pair: pair[0].value != "<<"):
            if self.count > MAX_NODES:
                return
            line, name = name_node.start_mark.line + 1, str(name_node.value)
            if isinstance(name_node, ScalarNode):
                self.document.lines[(*key, name)] = line
                self._key(name_node, (*key, name), seen)
                self.walk(value, key if name == "<<" else (*key, name))
                seen.setdefault(name, line)
            else:
                found = "{ or [ where YAML expects a key"
                self._say(key, "a quoted text", found, "quote the whole text", line)

    def _key(self, node: ScalarNode, key: Key, seen: dict[str, int]) -> None:
        name = str(node.value)
        if name in seen:
            found = f"`{name}` twice (first on line {seen[name]})"
            self._say(key, "each key once", found, f"remove one `{name}:`")
        elif _trap(node):
            self._say(key, "a quoted text as key", name, f'quote it: "{name}":')
        elif node.tag not in (_TAG + "str", _TAG + "merge"):
            self._say(key, "a text as key", name or "nothing", f'quote it: "{name}":')

    def _scalar(self, node: Node, key: Key) -> None:
        if expected := _trap(node):
            self._say(key, expected, node.value, f'quote it: "{node.value}"')

    def _too_large(self, key: Key) -> None:
        fix = "write the values out instead of nesting anchors"
        if len(key) > MAX_LEVELS:
            self._say(key[:1], f"at most {MAX_LEVELS} levels", "levels without end", fix)
        elif not any(problem.path == "" for problem in self.document.problems):
            found = "aliases that multiply each other"
            self._say((), f"at most {MAX_NODES} values", found, fix)

    def _say(self, key: Key, expected: str, found: str, fix: str, line: int = 0) -> None:
        """Tell it, once: through aliases the same line is visited several times."""
        problem = self.document.problem(key, expected, found, fix)
        problem = replace(problem, line=line or problem.line)
        told = {(other.line, other.found) for other in self.document.problems}
        if (problem.line, problem.found) not in told:
            self.document.problems.append(problem)
