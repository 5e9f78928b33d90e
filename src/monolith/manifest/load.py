"""Loading a stack: stack file -> fragments -> variables -> models -> checks.

`load` returns a Stack or raises one UserError that holds everything that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from monolith.errors import Problem, UserError, shown
from monolith.manifest import checks, interpolate, overlay, words, yamlfile
from monolith.manifest.explain import explain
from monolith.manifest.models import Fragment, Layers, StackFile
from monolith.manifest.stack import Entry, Stack
from monolith.manifest.yamlfile import Document, Key, strings
from monolith.settings import OWN, PREFIX, Settings

FRAGMENTS = "config/*/compose*.yaml"
"""Where fragments and their overlays are, from the project's root."""


@dataclass
class _Load:
    """What is gathered while loading."""

    base: Path
    settings: Settings
    problems: list[Problem] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    meanings: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    all_read: bool = True


def load(file: Path, settings: Settings, base: Path) -> Stack:
    """Load the stack at `file`. Paths in messages are shown relative to `base`."""
    work = _Load(base, settings)
    name = _load_stack_file(work, file)
    work.problems += _unknown_settings(work)
    stack = Stack(name, file, work.entries, settings.values, work.meanings, work.defaults)
    if not work.problems:
        work.problems += checks.check(stack, base)
    if problems := list(_once(work.problems)):
        raise UserError(_headline(problems, shown(file, base)), problems)
    return stack


def shipped(folder: Path, root: Path) -> list[Stack]:
    """Every stack in `folder` as it ships, without the operator's settings; the largest is last."""
    files = sorted(folder.glob("docker-compose.*.yaml"))
    return sorted(
        (load(file, Settings({}), root) for file in files), key=lambda stack: len(stack.services)
    )


def fragment(path: Path, settings: Settings, base: Path) -> dict[str, Entry]:
    """The services of one fragment by itself, whether or not a stack includes it."""
    work = _Load(base, settings)
    _load_fragment(work, [path])
    if work.problems:
        raise UserError(_headline(work.problems, shown(path, base)), work.problems)
    return work.entries


def _once(problems: list[Problem]) -> Iterator[Problem]:
    """Each mistake once, also where aliases make it count at several paths."""
    told: set[tuple[object, ...]] = set()
    for problem in problems:
        name = problem.path.rpartition("/")[2]
        there = (problem.file, problem.line, name, problem.expected, problem.found)
        mark = (*there, problem.path if problem.found == "nothing" else "")
        if mark not in told:
            yield problem
        told.add(mark)


def _headline(problems: list[Problem], name: str) -> str:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return f"{name} is not valid: {count}."


def _load_stack_file(work: _Load, file: Path) -> str:
    """Load all that the stack file includes; the stack's name."""
    document = _read(work, file, "write `name:` and `include:`, see docs/reference/manifest.md")
    model = _validate(work, document, StackFile, document.data)
    if not isinstance(model, StackFile):
        work.all_read = False
        return ""
    paths = [[(file.parent / path).resolve() for path in _layers(one)] for one in model.include]
    for index, layers in enumerate(paths):
        if problem := _include_problem(work, document, index, paths):
            work.problems.append(problem)
        else:
            _load_fragment(work, layers)
    return model.name


def _layers(include: str | Layers) -> list[str]:
    return [include] if isinstance(include, str) else include.path


def _include_problem(
    work: _Load, document: Document, index: int, paths: list[list[Path]]
) -> Problem | None:
    before = [path for layers in paths[:index] for path in layers]
    for position, path in enumerate(paths[index]):
        name = shown(path, work.base)
        key: Key = ("include", index, "path", position)
        if not path.is_file():
            work.all_read = False
            there = [shown(one, work.base) for one in work.base.glob(FRAGMENTS)]
            fix = words.did_you_mean(name, there, f"create {name}, or remove the line")
            return document.problem(_written(document, key), "a file that is there", name, fix)
        if path in [*before, *paths[index][:position]]:
            found, fix = f"{name} twice", "remove one of the two"
            return document.problem(_written(document, key), "each fragment once", found, fix)
    return None


def _written(document: Document, key: Key) -> Key:
    """The path of an included file, as it stands: by itself, or below `path`."""
    return key if key in document.lines else key[:2]


def _load_fragment(work: _Load, layers: list[Path]) -> None:
    start = "write `services:` and one service below it"
    document = overlay.merged([_read(work, path, start) for path in layers])
    if document.problems:
        return
    work.meanings |= _described(document)
    problems = list(_misspelt_extensions(document)) or list(_variables(work, document))
    work.problems += problems
    if problems:
        return
    content = _without_extensions(_interpolated(document.data, work.settings.values))
    model = _validate(work, document, Fragment, content)
    if isinstance(model, Fragment):
        _add_entries(work, document, model, layers[0])


def _add_entries(work: _Load, document: Document, model: Fragment, path: Path) -> None:
    for name, service in model.services.items():
        if name in work.entries:
            other = work.entries[name].document.name
            key: Key = ("services", name)
            found = f"`{name}` in {other} too"
            work.problems.append(document.problem(key, "a name of its own", found, "rename one"))
            continue
        raw = document.data["services"][name]
        work.entries[name] = Entry(name, service, path.parent, document, raw)


def _read(work: _Load, path: Path, start: str) -> Document:
    document = yamlfile.read(path, shown(path, work.base), start)
    work.problems += document.problems
    work.all_read = work.all_read and not document.problems
    return document


def _validate(
    work: _Load, document: Document, model: type[BaseModel], content: Any
) -> BaseModel | None:
    if document.problems:
        return None
    try:
        return model.model_validate(content)
    except ValidationError as error:
        work.problems += explain(error, document, model)
        return None


def _described(document: Document) -> dict[str, str]:
    """The variables that a fragment describes, whatever else is wrong with it."""
    settings = document.data.get("x-settings")
    return settings if isinstance(settings, dict) else {}


def _misspelt_extensions(document: Document) -> Iterator[Problem]:
    for name in document.data:
        if name != "x-settings" and words.nearest(name, ["x-settings"], 0.8):
            yield document.problem(
                (name,), "a known key", f"`{name}`", "did you mean `x-settings`?"
            )


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


def _variables(work: _Load, document: Document) -> Iterator[Problem]:
    for key, text in strings(document.data):
        if key[0] != "x-settings":
            yield from _variables_in(work, document, key, text)


def _variables_in(work: _Load, document: Document, key: Key, text: str) -> Iterator[Problem]:
    for use in interpolate.uses(text):
        problems = [
            *_undescribed(document, key, use.name),
            *_two_defaults(work, document, key, use),
        ]
        yield from problems
        if problems:
            return
    try:
        interpolate.interpolate(text, work.settings.values)
    except interpolate.UnsetVariableError as error:
        expected = error.why or "a value"
        fix = f"set {error.name}=... in docker-compose/.env"
        yield document.problem(key, expected, f"{error.name} is not set", fix)
    except interpolate.SyntaxVariableError as error:
        is_open = str(error).startswith("${")
        fix = "write ${NAME} or ${NAME:-default}" if is_open else "write $$ for a dollar sign"
        yield document.problem(key, "a variable as ${NAME}", str(error), fix)


def _undescribed(document: Document, key: Key, name: str) -> Iterator[Problem]:
    known = [*_described(document), *OWN]
    if name not in known:
        otherwise = f"describe {name} under x-settings of this file"
        fix = _did_you_mean(name, known, otherwise)
        yield document.problem(key, "a variable described under x-settings", name, fix)


def _two_defaults(
    work: _Load, document: Document, key: Key, use: interpolate.Use
) -> Iterator[Problem]:
    # In an anchor it counts where the anchor is used: an overlay may have put another there.
    if use.default is None or key[0] != "services":
        return
    first = work.defaults.setdefault(use.name, use.default)
    if first != use.default:
        expected = f"the default that {use.name} has elsewhere: {first}"
        yield document.problem(key, expected, use.default, "use one default everywhere")


def _unknown_settings(work: _Load) -> Iterator[Problem]:
    """Names that no fragment describes; only sure when every fragment could be read."""
    known = [*work.meanings, *OWN]
    names = [name for name in work.settings.values if name not in known and _is_ours(name, known)]
    if not names or not work.all_read:
        return
    # One .env serves all stacks: a setting of a service that is not in this one is known, too.
    known += _described_in_project(work.base)
    for name in (name for name in names if name not in known):
        fix = _did_you_mean(name, known, "see docker-compose/.env.example for all names")
        file, line = work.settings.places[name]
        yield Problem("a known setting", name, fix, file, name, line)


def _is_ours(name: str, known: list[str]) -> bool:
    return name.startswith(PREFIX) or bool(words.nearest(name, known, 0.85))


def _described_in_project(base: Path) -> list[str]:
    documents = [yamlfile.read(path, path.name, "") for path in base.glob(FRAGMENTS)]
    return [name for one in documents if not one.problems for name in _described(one)]


def _did_you_mean(name: str, known: list[str], otherwise: str) -> str:
    """As in `words`, but the prefix that all names have does not make them alike."""
    if not name.startswith(PREFIX):
        return words.did_you_mean(name, known, otherwise)
    short = [one.removeprefix(PREFIX) for one in known]
    near = words.nearest(name.removeprefix(PREFIX), short, 0.7)
    return f"did you mean `{PREFIX}{near}`?" if near else otherwise
