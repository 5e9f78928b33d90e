"""Making secret values, and putting texts together from them.

A template refers to values as `{NAME}` (this service's own) or `{service.NAME}`. In an address
write `{NAME:url}`, which percent-encodes the value.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

_REFERENCE = re.compile(
    r"\{(?:(?P<owner>[a-z][a-z0-9-]*)\.)?(?P<key>[A-Za-z_]\w*)(?P<encoded>:url)?\}"
)

GENERATORS: dict[str, Callable[[], str]] = {
    "hex16": lambda: secrets.token_hex(16),
    "hex32": lambda: secrets.token_hex(32),
    "fernet": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "password": lambda: f"{secrets.token_urlsafe(18)}-Aa1",
}
"""Generator name -> a function that makes a new value. All values are safe in an address."""


@dataclass(frozen=True)
class Reference:
    """One `{owner.KEY}` of a template; `owner` is empty for the service's own values."""

    owner: str
    key: str


def is_generated(text: str) -> bool:
    """Whether a secret's text names a generator (else it is a template)."""
    return text in GENERATORS


def references(template: str) -> list[Reference]:
    """What a template refers to, in order."""
    return [Reference(m["owner"] or "", m["key"]) for m in _REFERENCE.finditer(template)]


def fill(template: str, owner: str, lookup: Callable[[str, str], str]) -> str:
    """Replace every reference by `lookup(owner, key)`."""

    def value(match: re.Match[str]) -> str:
        found = lookup(match["owner"] or owner, match["key"])
        return quote(found, safe="") if match["encoded"] else found

    return _REFERENCE.sub(value, template)
