"""What to write instead: expected and next for keys, types and patterns of the manifest."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

from monolith.manifest import words

_MEMORY = "a memory limit such as 512m"
_LOG = "a log limit such as 10m"
MISSING = {
    "access": ("public, users, admins or internal", "access: users"),
    "condition": ("a state to wait for", "condition: service_healthy"),
    "image": ("an image with a version", "image: docker.io/library/name:1.2.3"),
    "include": ("a list of fragments", "include: [../config/postgres/compose.yaml]"),
    "limits": (_MEMORY, "limits: {memory: 512m}"),
    "max-file": ("a number of log files", 'max-file: "3"'),
    "max-size": (_LOG, "max-size: 10m"),
    "memory": (_MEMORY, "memory: 512m"),
    "name": ("a name of the stack", "name: monolith"),
    "options": (_LOG, 'options: {max-size: 10m, max-file: "3"}'),
    "resources": (_MEMORY, "resources: {limits: {memory: 512m}}"),
    "services": ("services", "services:, with one service below it"),
    "x-monolith": (
        "an x-monolith block (docs/reference/manifest.md)",
        "x-monolith: {title: ..., about: ..., access: users}",
    ),
}
"""Key that is not there -> expected, what to add."""

EMPTY = {
    "include": ("at least one fragment", "add - ../config/<service>/compose.yaml"),
    "services": ("at least one service", "add one below it"),
}
"""Key that holds nothing -> expected, next."""

ELSEWHERE = {
    "container_name": "remove it: the service's name is enough",
    "env_file": "write plain values under environment, secrets under x-monolith/secrets",
    "secrets": "write x-monolith: {secrets: {NAME: hex32}}",
    "version": "remove it: Compose does not need it any more",
    "volumes": "remove it: data are bind mounts, ${MONOLITH_DATA:-../../data}/<service>:/data",
}
"""Keys of Compose that people expect, and what this platform has instead."""

_LABEL = "lower-case letters, digits and -, first a letter"
_PUBLISHED = re.compile(r"(?:[\d.]+\.\d+:)?(?:(\d{1,5}):)?(\d{1,5})(?:/tcp)?")
_Fix = Callable[[Any], str]


def _label(value: Any) -> str:
    plain = re.sub(r"[ ._-]+", "-", str(value).lower()).strip("-")
    return f"write {plain}" if re.fullmatch(r"[a-z][a-z0-9-]*", plain) else "write another name"


def _loopback(value: Any) -> str:
    match = _PUBLISHED.fullmatch(str(value))
    outer, inner = (match[1] or match[2], match[2]) if match else ("8080", "80")
    return f'write "127.0.0.1:{outer}:{inner}"' + ("" if match else ", for example")


def _bind_mount(value: Any) -> str:
    """A bind mount in place of a named volume."""
    match = re.fullmatch(r"([\w.-]+):(/[^:]*)(:r[ow])?", str(value))
    rest = f"{match[1]}:{match[2]}" if match else "<service>:/data"
    return f"write ${{MONOLITH_DATA:-../../data}}/{rest}"


def _size(value: Any) -> str:
    match = re.fullmatch(r"(\d+) ?([kmg]?)i?b?", str(value).lower())
    return f"write {match[1]}{match[2] or 'm'}" if match else "write 512m, for example"


def _duration(value: Any) -> str:
    match = re.fullmatch(r"(\d+) ?([smh]?)[a-z]*", str(value).lower())
    return f"write {match[1]}{match[2] or 's'}" if match else "write 10s, for example"


def _write(text: str) -> _Fix:
    return lambda _: f"write {text}, for example"


PATTERNS: dict[str, tuple[str, _Fix]] = {
    r"^127\.0\.0\.1:[0-9]{1,5}:[0-9]{1,5}(/(tcp|udp))?$": (
        '"127.0.0.1:<port>:<container port>", reached from this machine only', _loopback),
    r"^(\.{1,2}|\.{0,2}/[^:]*):/[^:]*(:(ro|rw))?$": (
        "a bind mount: a path, :/<path in the container>, and :ro if it is only read",
        _bind_mount),
    r"^[1-9][0-9]*[kmg]b?$": ("a size: a number and k, m or g", _size),
    r"^([0-9]+(ms|s|m|h))+$": ("a duration: a number and ms, s, m or h", _duration),
    r"^[a-z][a-z0-9-]*$": (_LABEL, _label),
    r"^(@|[a-z0-9]([a-z0-9-]*[a-z0-9])?)$": (
        "one label of a host name: letters, digits and -; or @, the domain itself", _label),
    r"^/[A-Za-z0-9._~/-]*$": ("a path: /, then letters, digits and . _ ~ / -", _write("/health")),
    r"^/[A-Za-z0-9._~/-]*(\?[A-Za-z0-9._~=&-]+)?$": (
        "a path: /, then letters, digits and . _ ~ / -, and a query if needed",
        _write("/health?ready=1")),
    r"^[A-Za-z_][A-Za-z0-9_]*$": ("a variable name: letters, digits and _", _write("LOG_LEVEL")),
    r"^[a-z_]+$": ("lower-case letters and _", _write("pg_trgm")),
    r"^pg_[a-z_]+$": ("a role that comes with PostgreSQL: pg_...", _write("pg_monitor")),
    r"^[0-9]+(:[0-9]+)?$": (
        "the number of a user, then : and the number of a group if needed, in quotes",
        _write('"1000:1000"')),
    r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$": (
        "3 to 63 lower-case letters, digits and -, no - first or last", _write("web-files")),
    r"^[0-9]{1,5}$": ("a port number in quotes", _write('"8080"')),
}  # fmt: skip
"""Pattern of a type -> expected, and what to write instead of a value."""

TYPES = {
    "dict_type": "keys with values", "model_type": "keys with values", "list_type": "a list",
    "string_type": "a text", "int_type": "a whole number", "float_type": "a number",
    "bool_type": "true or false",
}  # fmt: skip
"""Pydantic's kind of finding -> the type in plain words."""


def _as_list(name: str, value: Any) -> str:
    if name == "ports" and isinstance(value, dict) and value:
        return _loopback(":".join(map(str, next(iter(value.items()))))).replace(" ", " - ", 1)
    if not isinstance(value, str):
        return "write - before each entry, or [...] around them"
    try:
        parts = shlex.split(value)
    except ValueError:
        parts = value.split()
    return f"write [{', '.join(map(_item, parts))}]"


def _item(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z./-][\w./-]*", text) else words.value(text)


_IN_LISTS = {"depends_on": "{condition: service_healthy}", "secrets": "hex32"}
"""Key that people write as a list -> a value that makes it a mapping."""


def _as_mapping(name: str, value: Any) -> str:
    first = value[0] if isinstance(value, list) and value else None
    if isinstance(first, str) and "=" in first:
        key, _, text = first.partition("=")
        return f"write {key}: {text} instead of - {first}"
    if name in _IN_LISTS and isinstance(first, str):
        return f"write {first}: {_IN_LISTS[name]} instead of - {first}"
    return "write what belongs to it below, as `key: value` lines"


def _as_text(_: str, value: Any) -> str:
    if isinstance(value, bool | int | float):
        return f'quote it: "{words.value(value)}"'
    return "write one text here"


def _as_number(_: str, value: Any) -> str:
    digits = isinstance(value, str) and value.isdigit()
    return f"remove the quotes: {value}" if digits else "write a number, without quotes"


FIXES: dict[str, Callable[[str, Any], str]] = {
    "dict_type": _as_mapping, "model_type": _as_mapping, "list_type": _as_list,
    "string_type": _as_text, "int_type": _as_number, "float_type": _as_number,
    "bool_type": lambda _name, _value: "write true or false, without quotes",
}  # fmt: skip
