"""Finding one's way in the models: which keys, and which pattern, belong to a place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, StringConstraints

Location = tuple[int | str, ...]
"""Path as pydantic tells it."""


def fields_at(model: type[BaseModel], location: Location) -> list[str]:
    """Keys of the model that stands at `location` below `model`."""
    target = _model_in(_annotation_at(model, location))
    return [field.alias or name for name, field in target.model_fields.items()] if target else []


def pattern_at(model: type[BaseModel], location: Location) -> str:
    """The pattern of the text that stands at `location`, or an empty text."""
    return next(_patterns_of(_annotation_at(model, location)), "")


def _annotation_at(model: type[BaseModel], location: Location) -> Any:
    current: Any = model
    for part in location:
        current = _step(current, part)
    return current


def _bare(annotation: Any) -> Any:
    return annotation.__origin__ if hasattr(annotation, "__metadata__") else annotation


def _step(annotation: Any, part: int | str) -> Any:
    annotation = _bare(annotation)
    target = _model_in(annotation, direct=True)
    if target is None:
        arguments = [item for item in get_args(annotation) if item is not type(None)]
        return arguments[-1] if arguments else None
    for name, field in target.model_fields.items():
        if part in (name, field.alias):
            return field.rebuild_annotation()
    return None


def _patterns_of(annotation: Any) -> Iterator[str]:
    """Patterns in an annotation that stands for one text, maybe an optional one."""
    if isinstance(annotation, StringConstraints) and isinstance(annotation.pattern, str):
        yield annotation.pattern
    if getattr(annotation, "__origin__", None) not in (dict, list):
        for item in (*get_args(annotation), *getattr(annotation, "__metadata__", ())):
            yield from _patterns_of(item)


def _model_in(annotation: Any, *, direct: bool = False) -> type[BaseModel] | None:
    """The model that an annotation holds: itself, of an optional, or of a container's values."""
    annotation = _bare(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    is_container = getattr(annotation, "__origin__", None) in (dict, list)
    if direct and is_container:
        return None
    for item in reversed(get_args(annotation)):
        if found := _model_in(item):
            return found
    return None
