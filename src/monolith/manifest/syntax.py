"""What can be wrong with a file before its YAML means anything: bytes, line ends, syntax."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import yaml
from yaml.reader import ReaderError

from monolith.errors import Problem
from monolith.manifest import words

MAX_BYTES = 2**20

_SYNTAX = {
    "mapping values are not allowed": (
        "one `key: value` on a line",
        'correct the indentation, or quote a text that holds ": "',
    ),
    "could not find expected ':'": ("`key: value`", "write a colon and a space after the key"),
    "expected <block end>": (
        "the same indentation as the lines that belong together",
        "indent it with as many spaces as those lines",
    ),
    "cannot start any token": ("a quoted text", "quote the text"),
    "unexpected end of stream": ("a closing quote", "close the quote that opens here"),
    "expected ',' or": ("a closing bracket", "close the bracket that opens here"),
    "undefined alias": ("an anchor of this name above", "define it with & above, or correct the *"),
    "expected alphabetic or numeric": ("a quoted text", "quote the text: it starts with * or &"),
    "levels without end": ("at most 50 levels", "write it with fewer brackets"),
    "another document": ("one document", "remove the line ---"),
    "unknown escape": ("a text in single quotes", "use single quotes, they keep the \\"),
}
"""Part of PyYAML's message -> expected, next."""

_TOLD_WHERE_IT_BEGINS = ("quoted scalar", "simple key", "flow sequence", "flow mapping")


def text_problems(raw: bytes, name: str) -> Iterator[Problem]:
    """Everything that is wrong with the bytes of a file."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        fix = f"iconv -f UTF-16 -t UTF-8 {name} > new && mv new {name}"
        yield Problem("UTF-8 text", "UTF-16 text", fix, name, "", 1)
        return
    for rule in _RULES:
        if problem := rule(raw, name):
            yield problem


def _size(raw: bytes, name: str) -> Problem | None:
    if len(raw) <= MAX_BYTES:
        return None
    found = f"{len(raw) / 2**20:.1f} MB"
    return Problem("at most 1 MB", found, "divide it into several files", name)


def _byte_order_mark(raw: bytes, name: str) -> Problem | None:
    if not raw.startswith(b"\xef\xbb\xbf"):
        return None
    fix = f"sed -i '1s/^\\xEF\\xBB\\xBF//' {name}"
    return Problem("UTF-8 without a byte order mark", "a byte order mark", fix, name, "", 1)


def _line_ends(raw: bytes, name: str) -> Problem | None:
    if b"\r" not in raw:
        return None
    fix = f"sed -i 's/\\r$//' {name}"
    line = _line_of(raw, raw.index(b"\r"))
    return Problem("line ends as LF", "a carriage return (CRLF)", fix, name, "", line)


def _tabs(raw: bytes, name: str) -> Problem | None:
    for number, row in enumerate(raw.split(b"\n"), 1):
        if b"\t" in row[: len(row) - len(row.lstrip())]:
            fix = f"sed -i 's/\\t/  /g' {name}, then look at the indentation"
            return Problem("spaces for indentation", "a tab", fix, name, "", number)
    return None


def encoding_problem(raw: bytes, name: str) -> Problem | None:
    """The first byte that is not UTF-8, if any."""
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        found = f"the byte 0x{raw[error.start]:02x}"
        fix = f"iconv -f WINDOWS-1252 -t UTF-8 {name} > new && mv new {name}"
        return Problem("UTF-8 text", found, fix, name, "", _line_of(raw, error.start))
    return None


_RULES: list[Callable[[bytes, str], Problem | None]] = [
    _size, _byte_order_mark, _line_ends, _tabs, encoding_problem,
]  # fmt: skip


def _line_of(raw: bytes, position: int) -> int:
    return raw[:position].count(b"\n") + 1


def syntax_problem(error: yaml.YAMLError, text: str, name: str) -> Problem:
    """PyYAML's finding in words for people, with the line as it stands in the file."""
    if isinstance(error, ReaderError):
        line = text[: error.position].count("\n") + 1
        found = f"the control character U+{ord(text[error.position]):04X}"
        return Problem("printable text", found, "remove it", name, "", line)
    said = str(getattr(error, "problem", None) or error)
    line = _line(error)
    rows = text.split("\n")
    found = rows[line - 1].strip() if 0 < line <= len(rows) else said
    expected, fix = _syntax_words(said)
    return Problem(expected, words.cut(found or said), fix, name, "", line)


def _line(error: yaml.YAMLError) -> int:
    context = str(getattr(error, "context", None))
    begins = any(part in context for part in _TOLD_WHERE_IT_BEGINS)
    mark = getattr(error, "context_mark" if begins else "problem_mark", None)
    return mark.line + 1 if mark else 0


def _syntax_words(said: str) -> tuple[str, str]:
    for part, expected_and_next in _SYNTAX.items():
        if part in said:
            return expected_and_next
    return "valid YAML", f"correct the line ({said})"
