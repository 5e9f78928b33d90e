"""Pydantic's findings in words for people: expected, found, next."""

from __future__ import annotations

import difflib
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from monolith.errors import Problem
from monolith.manifest.yamlfile import Document, Key

_PATTERNS = {
    r"^127\.0\.0\.1:": ("127.0.0.1:<port>:<container port>", "bind it to loopback: 127.0.0.1:..."),
    "^[1-9][0-9]*[kmg]": ("a size such as 512m", "write a number and k, m or g"),
    "^([0-9]+(ms|s|m|h))+$": ("a duration such as 10s", "write a number and ms, s, m or h"),
    "^[a-z][a-z0-9-]*$": ("lower-case letters, digits and -", "rename it"),
    "^[a-z0-9](": ("a host label: lower-case letters, digits and -", "rename it"),
    "^/": ("a path that starts with /", "write /path"),
    "^[A-Za-z_]": ("a variable name", "use letters, digits and _"),
    r"^[^:\s]": ("source:/target[:ro]", "write a bind mount, such as ../../data/x:/data"),
}
_MISSING = {
    "memory": ("a memory limit such as 512m", "deploy: {resources: {limits: {memory: 512m}}}"),
    "deploy": ("a memory limit such as 512m", "deploy: {resources: {limits: {memory: 512m}}}"),
    "access": ("public, users, admins or internal", "x-monolith: {access: users}"),
    "x-monolith": ("an x-monolith block", "see docs/reference/manifest.md"),
    "max-size": ("a log limit", 'logging: {options: {max-size: 10m, max-file: "3"}}'),
    "max-file": ("a log limit", 'logging: {options: {max-size: 10m, max-file: "3"}}'),
    "options": ("a log limit", 'logging: {options: {max-size: 10m, max-file: "3"}}'),
    "image": ("an image with a pinned tag", "image: docker.io/library/name:1.2.3"),
}
_TYPES = {
    "dict_type": "a mapping", "model_type": "a mapping", "list_type": "a list",
    "string_type": "a text (in quotes)", "int_type": "a whole number",
    "bool_type": "true or false", "float_type": "a number",
}  # fmt: skip


def explain(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Problem]:
    """One problem for each finding; findings of one place are told once."""
    found: dict[Key, Problem] = {}
    for detail in error.errors(include_url=False):
        key = _key(detail["loc"], document.data)
        found.setdefault(key, _problem(detail, key, document, model))
    return list(found.values())


def _key(location: tuple[int | str, ...], data: Any) -> Key:
    """The path in the file: without the names pydantic adds for union members and keys."""
    parts: list[int | str] = []
    for part in location:
        if part == "[key]" or (part != location[-1] and not _has(data, [*parts, part])):
            continue
        parts.append(part)
    return tuple(parts)


def _has(data: Any, parts: list[int | str]) -> bool:
    for part in parts:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _problem(
    detail: ErrorDetails, key: Key, document: Document, model: type[BaseModel]
) -> Problem:
    expected, found, fix = _words(detail, key, model)
    return document.problem(key, expected, found, fix)


def _words(detail: ErrorDetails, key: Key, model: type[BaseModel]) -> tuple[str, str, str]:
    kind, name = detail["type"], str(key[-1]) if key else ""
    if kind == "extra_forbidden":
        return _unknown_key(detail["loc"], name, model)
    if kind == "missing":
        expected, fix = _MISSING.get(name, (f"the key `{name}`", f"add `{name}:`"))
        return expected, "nothing", f"add {fix}" if not fix.startswith("add") else fix
    found = _shown(detail["input"])
    if kind == "string_pattern_mismatch":
        expected, fix = _pattern_words(str(detail["ctx"]["pattern"]))
        return expected, found, fix
    return _TYPES.get(kind, detail["msg"].removeprefix("Input should be ")), found, "correct it"


def _pattern_words(pattern: str) -> tuple[str, str]:
    for start, words in _PATTERNS.items():
        if pattern.startswith(start):
            return words
    return f"a text of the form {pattern}", "correct it"


def _unknown_key(
    location: tuple[int | str, ...], name: str, model: type[BaseModel]
) -> tuple[str, str, str]:
    known = _fields_at(model, location[:-1])
    near = difflib.get_close_matches(name, known, 1, 0.5)
    fix = f"did you mean `{near[0]}`?" if near else "remove it: this platform does not use it"
    return "a known key", f"`{name}`", fix


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Keys of the model that stands at `location` below `model`."""
    current: Any = model
    for part in location:
        current = _step(current, part)
    target = _model_in(current)
    return [field.alias or name for name, field in target.model_fields.items()] if target else []


def _step(annotation: Any, part: int | str) -> Any:
    target = _model_in(annotation, direct=True)
    if target is None:
        members = [item for item in get_args(annotation) if _model_in(item)]
        return members[-1] if members else None
    for name, field in target.model_fields.items():
        if part in (name, field.alias):
            return field.annotation
    return None


def _model_in(annotation: Any, *, direct: bool = False) -> type[BaseModel] | None:
    """The model that an annotation holds: itself, of an optional, or of a container's values."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    is_container = getattr(annotation, "__origin__", None) in (dict, list)
    if direct and is_container:
        return None
    for item in reversed(get_args(annotation)):
        if found := _model_in(item):
            return found
    return None


def _shown(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
