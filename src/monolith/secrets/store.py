"""Where generated secrets are kept: one document of names and values per service."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Protocol

from monolith.errors import Problem, UserError
from monolith.files import private_folder, write_atomic
from monolith.manifest.stack import Stack
from monolith.secrets import generators, private


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
        values = private.read(path, path.parents[1], "services keep the values that are lost in it")
        return {str(key): str(value) for key, value in values.items()}

    def write(self, service: str, values: dict[str, str]) -> None:
        """See Store."""
        private_folder(self.folder)
        write_atomic(self._path(service), json.dumps(values, indent=1, sort_keys=True) + "\n")
        write_atomic(self._list, "\n".join(sorted({*self._listed(), service})) + "\n")

    def services(self) -> list[str]:
        """Names of the services that have a document, also of those that have lost it."""
        return sorted({path.stem for path in self.folder.glob("*.json")} | set(self._listed()))

    def remove(self, service: str) -> None:
        """Forget the document of one service."""
        # Off the list first: a listed document without a file is a lost one.
        listed = [name for name in self._listed() if name != service]
        write_atomic(self._list, "".join(f"{name}\n" for name in listed))
        self._path(service).unlink(missing_ok=True)

    @property
    def _list(self) -> Path:
        return self.folder / "services"

    def _listed(self) -> list[str]:
        return self._list.read_text().split() if self._list.is_file() else []

    def _path(self, service: str) -> Path:
        return self.folder / f"{service}.json"


def _lost(path: Path) -> UserError:
    fix = f"restore {path} from a backup; to start anew without the data, remove {path.parents[1]}"
    problem = Problem("the secrets this service was set up with", "no file", fix, str(path))
    return UserError("A secrets file is gone. New values would not open the data.", [problem])


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
