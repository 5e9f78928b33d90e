"""Small pieces of the messages: a value as it stands in YAML, and the nearest known name."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import Any

_LONGEST = 60


def value(found: Any) -> str:
    """A value on one line, as YAML and JSON write it; `nothing` for none."""
    return "nothing" if found is None else cut(json.dumps(found, ensure_ascii=False, default=str))


def cut(text: str) -> str:
    """At most 60 characters of `text`."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The known name that looks most like `name`, or an empty text."""
    near = difflib.get_close_matches(name, list(known), 1, cutoff)
    return near[0] if near else ""


def did_you_mean(name: str, known: Iterable[str], otherwise: str, form: str = "{}") -> str:
    """A question with the nearest known name, put into `form`; `otherwise` when none is near."""
    near = nearest(name, known)
    return f"did you mean `{form.format(near)}`?" if near else otherwise
