"""What opens Vault: its key shares, and the operator's login.

Kept as files beside Vault's data, never in it: a copy of the data alone opens nothing. Whoever can
read both folders can read every secret. `KeySource` is the place to put something stronger.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from monolith.files import private_folder, write_atomic
from monolith.secrets import private

FOLDER = "vault-keys"


@dataclass(frozen=True)
class Keys:
    """Vault's answer to its initialisation. `complete`: set up once, so secrets may be in it.

    The root token is kept only until then.
    """

    keys: list[str] = field(repr=False)
    root_token: str = field(default="", repr=False)
    complete: bool = False


@dataclass(frozen=True)
class Operator:
    """Login of the operator: what the platform itself does in Vault, and no more."""

    role_id: str = field(repr=False)
    secret_id: str = field(repr=False)


class KeySource(Protocol):
    """A place for both. What was saved is safe, also from a power cut, when `save` returns."""

    def keys(self) -> Keys | None:
        """The keys; None when there are none."""
        ...

    def save_keys(self, keys: Keys) -> None:
        """Keep the keys, whole or not at all."""
        ...

    def operator(self) -> Operator | None:
        """The operator's login; None when there is none."""
        ...

    def save_operator(self, operator: Operator) -> None:
        """Keep the operator's login, whole or not at all."""
        ...


class FileKeys:
    """Two files, 0600, in the 0700 folder `vault-keys` of a data folder."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.folder = data / FOLDER

    def keys(self) -> Keys | None:
        """See KeySource."""
        found = self._read("init.json", "nothing else opens Vault")
        return Keys(**found) if found else None

    def save_keys(self, keys: Keys) -> None:
        """See KeySource."""
        self._write("init.json", asdict(keys))

    def operator(self) -> Operator | None:
        """See KeySource."""
        found = self._read("operator.json", "or remove it: ./monolith bootstrap makes another")
        return Operator(**found) if found else None

    def save_operator(self, operator: Operator) -> None:
        """See KeySource."""
        self._write("operator.json", asdict(operator))

    def _read(self, name: str, lost: str) -> dict[str, Any]:
        path = self.folder / name
        return private.read(path, self._data, lost) if path.exists() else {}

    def _write(self, name: str, document: dict[str, Any]) -> None:
        private_folder(self.folder)
        write_atomic(self.folder / name, json.dumps(document, indent=1) + "\n")
