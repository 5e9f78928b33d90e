"""Reference pages: the manifest's keys from its models, and tables from the stack."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from monolith.manifest import models
from monolith.manifest.stack import Entry, Stack
from monolith.render import envexample
from monolith.secrets.generators import GENERATORS

_NOTE = "<!-- Rendered by `monolith render`. Do not edit. -->\n\n"
_MODELS: list[type[BaseModel]] = [
    models.StackFile, models.Layers, models.Fragment, models.Service, models.Monolith, models.Url,
    models.Check,
    models.Metrics, models.Database, models.Data, models.Native, models.Deploy, models.Resources,
    models.Limits, models.Logging, models.LogOptions, models.HealthCheck, models.Dependency,
    models.Network, models.Build,
]  # fmt: skip
_PLACEHOLDERS = """\
## Placeholders in `native`

| text | becomes |
|---|---|
| `{port:5000}` | the loopback port under which container port 5000 is reached |
| `{site}` | the site-packages folder of the service's environment |
| `{state}` | the folder of the native runtime's rendered files |
| `{loopback}` | a loopback address that no other installation uses, for ports nobody chooses |
| `name.service.consul:5000` | `127.0.0.1` and that service's loopback port |
| a path below a mount's target | the same path below the mount's source |
"""


def manifest() -> str:
    """`docs/reference/manifest.md`."""
    head = "# The manifest\n\nEvery key of a stack file and of `config/<service>/compose.yaml`. "
    head += "Keys that are not here are refused.\n\n"
    generators = ", ".join(f"`{name}`" for name in GENERATORS)
    sections = "\n".join(_section(model) for model in _MODELS)
    return f"{_NOTE}{head}{sections}\n{_PLACEHOLDERS}\nGenerators of secrets: {generators}.\n"


def _section(model: type[BaseModel]) -> str:
    about = (model.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
    lines = [f"## {model.__name__}", "", about, "", "| key | type | default | meaning |"]
    lines += ["|---|---|---|---|"]
    lines += [_row(name, field) for name, field in model.model_fields.items()]
    return "\n".join(lines) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    default = "**required**" if field.is_required() else _default(field)
    meaning = (field.description or "").replace("|", "\\|")
    return f"| `{field.alias or name}` | {_type(field.annotation)} | {default} | {meaning} |"


def _default(field: FieldInfo) -> str:
    return f"`{field.default}`" if field.default not in (None, [], {}) else ""


def _type(annotation: Any) -> str:
    """A type in the words of YAML."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    origin, arguments = getattr(annotation, "__origin__", None), get_args(annotation)
    if origin is list:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"map to {_type(arguments[1])}"
    if arguments and all(isinstance(item, str) for item in arguments):
        return ", ".join(f"`{item}`" for item in arguments)
    if arguments:
        kinds = dict.fromkeys(_type(item) for item in arguments if item is not type(None))
        return " or ".join(kind for kind in kinds if isinstance(kind, str))
    words = {str: "text", int: "number", bool: "true/false", float: "number"}
    return words.get(annotation, "any")


def services(stacks: list[Stack]) -> str:
    """`docs/reference/services.md`; the last of the stacks has every service."""
    lines = ["# Services", "", "| service | what it is for | address | access | memory cap "
             "| stacks | native |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    lines += [_service_row(entry, stacks) for entry in stacks[-1].services.values()]
    lines += ["", *(_sum_of_caps(stack) for stack in stacks)]
    return _NOTE + "\n".join(lines) + "\n"


def _service_row(entry: Entry, stacks: list[Stack]) -> str:
    block = entry.monolith
    address = f"`{block.url.name('<domain>')}`" if block.url else ""
    native = "yes" if block.native else ""
    cap = f"{entry.memory_limit // 2**20} MB"
    within = ", ".join(stack.kind for stack in stacks if entry.name in stack.services)
    return (
        f"| {entry.name} | {block.about} | {address} | {block.access} | {cap} | {within} "
        f"| {native} |"
    )


def _sum_of_caps(stack: Stack) -> str:
    total = sum(entry.memory_limit for entry in stack.services.values()) / 2**30
    return f"Sum of the memory caps, {stack.kind}: {total:.1f} GB. "


def settings(stack: Stack) -> str:
    """`docs/reference/settings.md`."""
    lines = ["# Settings", "", "In `docker-compose/.env` or the environment, which wins.", "",
             "| name | meaning | default |", "|---|---|---|"]  # fmt: skip
    lines += [f"| `{n}` | {m} | {f'`{d}`' if d else ''} |" for n, m, d in envexample.rows(stack)]
    return _NOTE + "\n".join(lines) + "\n"
