"""Reading one YAML file strictly: what two YAML readers could understand differently is refused.

Compose (a YAML 1.2 reader) and PyYAML (1.1) disagree on `NO`, `0123`, `12:30`, ...; so do people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from monolith.errors import Problem

Key = tuple[str | int, ...]

MAX_NODES = 20_000
_ALLOWED_TAGS = {
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "map", "seq", "merge")
}
_TRAPS = [
    (re.compile(r"^(y|n|yes|no|on|off)$", re.IGNORECASE), "true or false, or a quoted text"),
    (re.compile(r"^[-+]?0[0-9_]+$"), "a number without leading zero, or a quoted text"),
    (re.compile(r"^[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?$"), "a quoted text (not base 60)"),
    (re.compile(r"^[-+]?[0-9][0-9.]*[eE][-+]?[0-9]+$"), "a plain number, or a quoted text"),
    (re.compile(r"^[-+]?0[xob][0-9a-fA-F_]+$"), "a decimal number, or a quoted text"),
    (re.compile(r"^[-+]?[0-9]+(_[0-9]+)+$"), "a number without underscores, or a quoted text"),
    (re.compile(r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"), "a quoted text (not a date)"),
    (re.compile(r"^[-+]?\.(inf|nan)$", re.IGNORECASE), "a finite number"),
]


class _Loader(yaml.SafeLoader):
    """SafeLoader without implicit dates: they are refused as traps, with their place."""


@dataclass
class Document:
    """One file's content with the line of every value, and what is wrong with its text."""

    name: str
    data: Any = None
    lines: dict[Key, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, key: Key) -> int:
        """Line (from 1) of the value at `key`, or of the nearest parent that is in the file."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 0)

    def problem(self, key: Key, expected: str, found: str, next_step: str) -> Problem:
        """A problem at `key` of this file."""
        place = "/".join(str(part) for part in key)
        return Problem(expected, found, next_step, self.name, place, self.line(key))


def read(path: Path, name: str) -> Document:
    """Read `path`, shown to people as `name`. Never raises for bad content: see `problems`."""
    document = Document(name)
    text = _decode(path, document)
    if text is None or document.problems:
        return document
    root = _compose(text, document)
    if root is None or document.problems:
        return document
    document.problems += _check(root, document)
    if not document.problems:
        document.data = _construct(text)
    return document


def _decode(path: Path, document: Document) -> str | None:
    try:
        raw = path.read_bytes()
    except OSError as error:
        fix = f"create {document.name}, or correct the name where it is included"
        document.problems.append(Problem("a readable file", error.strerror or "", fix, document.name))
        return None
    document.problems += list(_text_problems(raw, document.name))
    return None if document.problems else raw.decode()


def _text_problems(raw: bytes, name: str) -> Iterator[Problem]:
    if raw.startswith(b"\xef\xbb\xbf"):
        fix = f"sed -i '1s/^\\xEF\\xBB\\xBF//' {name}"
        yield Problem("UTF-8 without a byte order mark", "a byte order mark", fix, name, "", 1)
    if b"\r" in raw:
        line = raw[: raw.index(b"\r")].count(b"\n") + 1
        fix = f"sed -i 's/\\r$//' {name}"
        yield Problem("line ends as LF", "a carriage return (CRLF)", fix, name, "", line)
    for number, row in enumerate(raw.split(b"\n"), 1):
        if b"\t" in row[: len(row) - len(row.lstrip())]:
            fix = f"expand -t 2 {name} | sponge {name}, or use your editor"
            yield Problem("spaces for indentation", "a tab", fix, name, "", number)
            break
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        found = f"byte 0x{raw[error.start]:02x}"
        yield Problem("UTF-8 text", found, f"save {name} as UTF-8", name, "", line)


def _compose(text: str, document: Document) -> Node | None:
    try:
        root: Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        document.problems.append(_syntax_problem(error, document.name))
        return None
    if not isinstance(root, MappingNode):
        found = "an empty file" if root is None else f"a {root.id}"
        fix = "start from config/mlflow/compose.yaml: `services:` with one service below it"
        document.problems.append(Problem("a mapping", found, fix, document.name))
        return None
    return root


def _syntax_problem(error: yaml.YAMLError, name: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    found = str(getattr(error, "problem", None) or error).split("\n")[0]
    line = mark.line + 1 if mark else 0
    return Problem("valid YAML", found, "check quotes and indentation there", name, "", line)


def _construct(text: str) -> Any:
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, and its tags are checked


def _check(root: Node, document: Document) -> list[Problem]:
    walker = _Walker(document)
    walker.walk(root, ())
    return walker.problems


class _Walker:
    """Visits every value as often as it is referred to, which is what an alias bomb multiplies."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.count = 0

    def walk(self, node: Node, key: Key) -> None:
        self.count += 1
        if self.count > MAX_NODES:
            self._too_large(node)
            return
        self.document.lines.setdefault(key, node.start_mark.line + 1)
        if node.tag not in _ALLOWED_TAGS and not node.tag.startswith("tag:yaml.org,2002:timestamp"):
            self._say(key, "plain YAML values", f"the tag {_short(node.tag)}", "remove the tag")
        elif isinstance(node, MappingNode):
            self._mapping(node, key)
        elif isinstance(node, SequenceNode):
            for index, item in enumerate(node.value):
                self.walk(item, (*key, index))
        elif isinstance(node, ScalarNode):
            self._scalar(node, key)

    def _mapping(self, node: MappingNode, key: Key) -> None:
        seen: dict[str, int] = {}
        for name_node, value in node.value:
            if self.count > MAX_NODES:
                return
            name = str(name_node.value)
            self.document.lines[(*key, name)] = name_node.start_mark.line + 1
            self._scalar(name_node, (*key, name))
            if name in seen and name != "<<":
                found = f"`{name}` twice (first on line {seen[name]})"
                self._say((*key, name), "each key once", found, f"remove one `{name}:`")
            seen.setdefault(name, name_node.start_mark.line + 1)
            self.walk(value, key if name == "<<" else (*key, name))

    def _scalar(self, node: Node, key: Key) -> None:
        if not isinstance(node, ScalarNode) or node.style is not None:
            return
        for pattern, expected in _TRAPS:
            if pattern.match(node.value):
                self._say(key, expected, node.value, f'quote it: "{node.value}"')
                return

    def _too_large(self, node: Node) -> None:
        if not any(problem.path == "" for problem in self.problems):
            found = "aliases that expand without end"
            expected = f"at most {MAX_NODES} values"
            line = node.start_mark.line + 1
            fix = "write the values out instead of nesting anchors"
            self.problems.append(Problem(expected, found, fix, self.document.name, "", line))

    def _say(self, key: Key, expected: str, found: str, next_step: str) -> None:
        self.problems.append(self.document.problem(key, expected, found, next_step))


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")
