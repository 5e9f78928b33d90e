"""Loading a stack: stack file -> fragments -> variables -> models -> checks.

`load` returns a Stack or raises one UserError that holds everything that is wrong.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from monolith.errors import Problem, UserError, shown
from monolith.manifest import checks, interpolate, yamlfile
from monolith.manifest.explain import explain
from monolith.manifest.models import Fragment, StackFile
from monolith.manifest.stack import Entry, Stack
from monolith.manifest.yamlfile import Document, Key
from monolith.settings import OWN, PREFIX, Settings


@dataclass
class _Load:
    """What is gathered while loading."""

    base: Path
    settings: Settings
    problems: list[Problem] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    meanings: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)


def load(file: Path, settings: Settings, base: Path) -> Stack:
    """Load the stack at `file`. Paths in messages are shown relative to `base`."""
    work = _Load(base, settings)
    stack_file = _read_model(work, file, StackFile)
    if isinstance(stack_file, StackFile):
        _load_fragments(work, file, stack_file)
    work.problems += _unknown_settings(work)
    stack = Stack(
        stack_file.name if isinstance(stack_file, StackFile) else "",
        file, work.entries, settings.values, work.meanings, work.defaults,
    )  # fmt: skip
    if not work.problems:
        work.problems += checks.check(stack, base)
    if work.problems:
        raise UserError(_headline(work.problems, shown(file, base)), work.problems)
    return stack


def _headline(problems: list[Problem], name: str) -> str:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return f"{name} is not valid: {count}."


def _load_fragments(work: _Load, file: Path, stack_file: StackFile) -> None:
    seen: set[Path] = set()
    for include in stack_file.include:
        path = (file.parent / include).resolve()
        if path in seen:
            fix = "remove one of the two lines"
            name = shown(file, work.base)
            work.problems.append(Problem("each fragment once", include, fix, name, "include"))
        seen.add(path)
        _load_fragment(work, path)


def _load_fragment(work: _Load, path: Path) -> None:
    document = yamlfile.read(path, shown(path, work.base))
    work.problems += document.problems
    if document.problems:
        return
    problems = list(_variables(work, document))
    work.problems += problems
    if problems:
        return
    content = _without_extensions(_interpolated(document.data, work.settings.values))
    model = _validate(work, document, Fragment, content)
    if isinstance(model, Fragment):
        _add_entries(work, document, model, path)


def _add_entries(work: _Load, document: Document, model: Fragment, path: Path) -> None:
    work.meanings |= model.x_settings
    for name, service in model.services.items():
        if name in work.entries:
            other = work.entries[name].document.name
            key: Key = ("services", name)
            found = f"`{name}` in {other} too"
            work.problems.append(document.problem(key, "a name of its own", found, "rename one"))
            continue
        raw = document.data["services"][name]
        work.entries[name] = Entry(name, service, path.parent, document, raw)


def _read_model(work: _Load, path: Path, model: type[BaseModel]) -> BaseModel | None:
    document = yamlfile.read(path, shown(path, work.base))
    work.problems += document.problems
    return None if document.problems else _validate(work, document, model, document.data)


def _validate(
    work: _Load, document: Document, model: type[BaseModel], content: Any
) -> BaseModel | None:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        work.problems += explain(error, document, model)
        return None


def _without_extensions(content: Any) -> Any:
    """Top-level `x-` keys are the author's own anchors, except the ones that mean something."""
    return {
        key: value
        for key, value in content.items()
        if not str(key).startswith("x-") or key == "x-settings"
    }


def _interpolated(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _interpolated(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_interpolated(item, values) for item in value]
    return interpolate.interpolate(value, values) if isinstance(value, str) else value


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


def _variables(work: _Load, document: Document) -> Iterator[Problem]:
    described = document.data.get("x-settings")
    known = set(described) if isinstance(described, dict) else set()
    for key, text in strings(document.data):
        if key[:1] != ("x-settings",):
            yield from _variables_in(work, document, key, text, known)


def _variables_in(
    work: _Load, document: Document, key: Key, text: str, known: set[str]
) -> Iterator[Problem]:
    for use in interpolate.uses(text):
        yield from _undescribed(document, key, use.name, known)
        yield from _two_defaults(work, document, key, use)
    try:
        interpolate.interpolate(text, work.settings.values)
    except interpolate.UnsetVariableError as error:
        expected = error.why or "a value"
        fix = f"set {error.name}=... in docker-compose/.env"
        yield document.problem(key, expected, f"{error.name} is not set", fix)
    except interpolate.SyntaxVariableError as error:
        fix = "write $$ for a dollar sign"
        yield document.problem(key, "a variable as ${NAME}", str(error), fix)


def _undescribed(document: Document, key: Key, name: str, known: set[str]) -> Iterator[Problem]:
    if name in known or name in OWN:
        return
    near = difflib.get_close_matches(name, [*known, *OWN], 1)
    fix = f"did you mean {near[0]}?" if near else f"describe {name} under x-settings of this file"
    yield document.problem(key, "a variable described under x-settings", name, fix)


def _two_defaults(
    work: _Load, document: Document, key: Key, use: interpolate.Use
) -> Iterator[Problem]:
    if use.default is None:
        return
    first = work.defaults.setdefault(use.name, use.default)
    if first != use.default:
        expected = f"the default that {use.name} has elsewhere: {first}"
        yield document.problem(key, expected, use.default, "use one default everywhere")


def _unknown_settings(work: _Load) -> list[Problem]:
    known = [*work.meanings, *OWN]
    names = [name for name in work.settings.values if name.startswith(PREFIX) and name not in known]
    return [_unknown_setting(work.settings, name, known) for name in names]


def _unknown_setting(settings: Settings, name: str, known: list[str]) -> Problem:
    near = difflib.get_close_matches(name, known, 1)
    fix = f"did you mean {near[0]}?" if near else "see docker-compose/.env.example for all names"
    file, line = settings.places[name]
    return Problem("a known setting", name, fix, file, name, line)
