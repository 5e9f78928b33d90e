"""Making secret values, and putting texts together from them.

A template refers to values as `{NAME}` (this service's own) or `{service.NAME}`. In an address
write `{NAME:url}`, which percent-encodes the value. Where a server wants no password but its hash,
write `{NAME:bcrypt:SALT}`; SALT is a secret `hex16`, so that the hash is the same each time.
"""

from __future__ import annotations

import base64
import re
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

_REFERENCE = re.compile(
    r"\{(?:(?P<owner>[a-z][a-z0-9-]*)\.)?(?P<key>[A-Za-z_]\w*)"
    r"(?P<encoded>:url|:bcrypt:(?P<salt>[A-Za-z_]\w*))?\}"
)

_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits
_BASE64, _BCRYPT64 = f"{_LETTERS}+/", f"./{_LETTERS}"

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
    return [
        Reference(match["owner"] or "", key)
        for match in _REFERENCE.finditer(template)
        for key in (match["key"], match["salt"])
        if key
    ]


def fill(template: str, owner: str, lookup: Callable[[str, str], str]) -> str:
    """Replace every reference by `lookup(owner, key)`."""

    def value(match: re.Match[str]) -> str:
        whose = match["owner"] or owner
        found = lookup(whose, match["key"])
        if match["salt"]:
            return hashed(found, lookup(whose, match["salt"]))
        return quote(found, safe="") if match["encoded"] else found

    return _REFERENCE.sub(value, template)


def hashed(password: str, salt: str) -> str:
    """The bcrypt hash of a password; `salt` is a value of `hex16`. Empty when either is."""
    if not (password and salt):
        return ""
    # Imported here: hardly any command needs it.
    import bcrypt

    # bcrypt writes the 16 bytes of a salt in an alphabet of its own, and reads 72 of a password.
    text = base64.b64encode(bytes.fromhex(salt))[:22].decode()
    written = text.translate(str.maketrans(_BASE64, _BCRYPT64))
    return bcrypt.hashpw(password.encode()[:72], f"$2b$10${written}".encode()).decode()
