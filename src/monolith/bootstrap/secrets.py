"""The secrets of all services: imported, generated where missing, written to their env files."""

from __future__ import annotations

import os
from pathlib import Path

from monolith.bootstrap.folders import give
from monolith.bootstrap.site import Site
from monolith.errors import UserError
from monolith.files import private_folder, write_atomic
from monolith.manifest.stack import Entry
from monolith.secrets import generators, store
from monolith.secrets.store import FileStore

_QUOTE = "'"


def ensure(site: Site) -> list[str]:
    """Every secret is there, and every container finds its own. Returns changes without values."""
    changes = _import(site)
    for entry in site.stack.services.values():
        _refuse_lost(site, entry)
    changes += [f"{name} generated" for name in store.ensure(site.stack, site.store)]
    return changes + [f"env file of {name}" for name in write_env_files(site)]


def write_env_files(site: Site) -> list[str]:
    """Write what containers read as `/secrets/env`. Returns the services whose file changed."""
    return [entry.name for entry in _with_env_file(site) if _write_env_file(site, entry)]


def env_file(site: Site, service: str) -> Path:
    """The env file of one service."""
    return site.data / "secrets" / service / "env"


def _with_env_file(site: Site) -> list[Entry]:
    """Those that mount the folder of theirs; natively none does."""
    return [entry for entry in site.entries() if site.in_containers and _mounts_it(site, entry)]


def _mounts_it(site: Site, entry: Entry) -> bool:
    folder = env_file(site, entry.name).parent
    sources = [source for source, *_ in entry.mounts()]
    return bool(entry.monolith.secrets) and folder.resolve() in sources


def _write_env_file(site: Site, entry: Entry) -> bool:
    path = env_file(site, entry.name)
    values = store.environment(site.stack, site.store, entry.name)
    private_folder(path.parent)
    changed = write_atomic(path, env_text(values))
    user, group = _reader(entry)
    given = [give(item, user, group) for item in (path, path.parent)]
    return changed or any(given)


def env_text(values: dict[str, str]) -> str:
    """Lines of NAME='value' for a shell, sorted."""
    return "".join(f"{name}={_quoted(value)}\n" for name, value in sorted(values.items()))


def _quoted(value: str) -> str:
    return _QUOTE + value.replace(_QUOTE, "'\\''") + _QUOTE


def _reader(entry: Entry) -> tuple[int, int]:
    """The user that the container starts as: root, as bootstrap, where none is named."""
    if not entry.model.user:
        return os.geteuid(), os.getegid()
    user, _, group = entry.model.user.partition(":")
    return int(user), int(group or user)


def _import(site: Site) -> list[str]:
    """Take over what was made before there was Vault. What Vault has already stays."""
    files = FileStore(site.data / "secrets")
    if isinstance(site.store, FileStore):
        return []
    return [_import_document(site, files, service) for service in files.services()]


def _import_document(site: Site, files: FileStore, service: str) -> str:
    kept = site.store.read(service)
    wanted = files.read(service) | kept
    if wanted != kept:
        site.store.write(service, wanted)
        if site.store.read(service) != wanted:
            raise UserError(f"The secrets of {service} did not arrive in Vault.",
                            hint="./monolith bootstrap")  # fmt: skip
    files.remove(service)
    return f"{service} imported into Vault"


def _refuse_lost(site: Site, entry: Entry) -> None:
    """What a service was given once has to be in the store: new values would not open its data."""
    path = env_file(site, entry.name)
    if not path.is_file():
        return
    given = {line.partition("=")[0] for line in path.read_text().splitlines()}
    known = site.store.read(entry.name)
    for name, text in entry.monolith.secrets.items():
        if generators.is_generated(text) and name in given and name not in known:
            raise UserError(
                f"{entry.name} was set up with a secret {name} that Vault does not have: Vault and "
                "the services' data are not of one installation.",
                hint="restore `vault` and `vault-keys` in the data folder from a backup; "
                f"{path} holds the value in use",
            )
