"""Where generated secrets are kept: one document of names and values per service."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Protocol

from monolith.errors import Problem, UserError
from monolith.files import PRIVATE_FILE, private_folder, write_atomic
from monolith.manifest.stack import Stack
from monolith.secrets import generators


class Store(Protocol):
    """A place for documents; `read` of an unknown one is empty, `write` replaces it whole."""

    def read(self, service: str) -> dict[str, str]:
        """Names and values of one service."""
        ...

    def write(self, service: str, values: dict[str, str]) -> None:
        """Keep names and values of one service, whole or not at all."""
        ...


class FileStore:
    """One JSON file per service, 0600 in a 0700 folder, and a list of the services that have one.

    The list tells a document that was lost from one that was never there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, service: str) -> dict[str, str]:
        """See Store. Refuses a file that others could have read or replaced."""
        path = self._path(service)
        if not os.path.lexists(path):
            if service in self._listed():
                raise _lost(path)
            return {}
        _refuse_unsafe(path)
        try:
            values = dict(json.loads(path.read_text()))
        except (ValueError, TypeError) as error:
            fix = f"restore {path} from a backup; services keep the values that are lost in it"
            raise UserError("Secrets cannot be read.", [
                Problem("a JSON document of names and values", str(error), fix, str(path)),
            ]) from error  # fmt: skip
        return {str(key): str(value) for key, value in values.items()}

    def write(self, service: str, values: dict[str, str]) -> None:
        """See Store."""
        private_folder(self.folder)
        write_atomic(self._path(service), json.dumps(values, indent=1, sort_keys=True) + "\n")
        write_atomic(self._list, "\n".join(sorted({*self._listed(), service})) + "\n")

    @property
    def _list(self) -> Path:
        return self.folder / "services"

    def _listed(self) -> list[str]:
        return self._list.read_text().split() if self._list.is_file() else []

    def _path(self, service: str) -> Path:
        return self.folder / f"{service}.json"


def _refuse_unsafe(path: Path) -> None:
    if path.is_symlink() or not path.is_file():
        raise _unsafe(path, "a plain file", "a link or something else", f"replace {path}")
    status = path.stat()
    if status.st_uid != os.geteuid():
        found = f"a file of user {status.st_uid}"
        raise _unsafe(path, "a file of your own", found, f"chown {os.geteuid()} '{path}'")
    if status.st_mode & 0o077:
        found = f"mode {status.st_mode & 0o777:04o}"
        raise _unsafe(path, f"mode {PRIVATE_FILE:04o}", found, f"chmod 600 '{path}'")


def _lost(path: Path) -> UserError:
    fix = f"restore {path} from a backup; to start anew without the data, remove {path.parents[1]}"
    problem = Problem("the secrets this service was set up with", "no file", fix, str(path))
    return UserError("A secrets file is gone. New values would not open the data.", [problem])


def _unsafe(path: Path, expected: str, found: str, fix: str) -> UserError:
    return UserError("A secrets file is not safe.", [Problem(expected, found, fix, str(path))])


def ensure(stack: Stack, store: Store) -> list[str]:
    """Generate what is missing, change nothing that is there. Returns `service.NAME` of the new."""
    made: list[str] = []
    for entry in stack.services.values():
        wanted = entry.monolith.secrets
        values = store.read(entry.name)
        new = {
            name: generators.GENERATORS[text]()
            for name, text in wanted.items()
            if generators.is_generated(text) and name not in values
        }
        if new:
            store.write(entry.name, values | new)
            made += [f"{entry.name}.{name}" for name in new]
    return made


def environment(stack: Stack, store: Store, service: str) -> dict[str, str]:
    """What the env file of one service holds: its generated values and its templates, filled.

    A value that was not generated yet is empty: before the first `up` there are none.
    """

    def lookup(owner: str, key: str) -> str:
        return store.read(owner).get(key, "")

    return {
        name: lookup(service, name)
        if generators.is_generated(text)
        else generators.fill(text, service, lookup)
        for name, text in stack.services[service].monolith.secrets.items()
    }
