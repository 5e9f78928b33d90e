"""The data folders: there before an engine would make them for root, and owned by who uses them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from monolith.bootstrap.site import Site
from monolith.files import PRIVATE_FOLDER, private_folder
from monolith.manifest.stack import Entry
from monolith.secrets.keys import FOLDER

_PRIVATE = ("secrets", FOLDER)


def ensure(site: Site) -> list[str]:
    """Make what is missing; in containers also give folders to their users."""
    changes = []
    for folder in [site.data / name for name in _PRIVATE]:
        if (site.in_containers or folder.exists()) and not _is_private(folder):
            private_folder(folder)
            changes.append(f"{folder.name} made private")
    for entry in site.entries():
        changes += _folders(site, entry)
    return changes


def _is_private(folder: Path) -> bool:
    return folder.is_dir() and folder.stat().st_mode & 0o777 == PRIVATE_FOLDER


def _folders(site: Site, entry: Entry) -> Iterator[str]:
    data = site.data.resolve()
    for folder, _, writable in entry.mounts():
        if folder.is_relative_to(data) and (writable or site.in_containers):
            name = str(folder.relative_to(data))
            if not folder.exists():
                folder.mkdir(PRIVATE_FOLDER, parents=True)
                yield f"{name} made"
            if writable and site.in_containers and _give_to_its_user(folder, entry):
                yield f"{name} given to its user"


def _give_to_its_user(folder: Path, entry: Entry) -> bool:
    data = entry.monolith.data
    return data is not None and give(folder, *data.owner)


def give(folder: Path, user: int, group: int) -> bool:
    """Make all of `folder` belong to a user. Returns whether it did not.

    The folder itself is last, so it tells whether all below it has been given.
    """
    if _belongs(folder, user, group):
        return False
    for item in [*folder.rglob("*"), folder]:
        if not _belongs(item, user, group):
            os.chown(item, user, group, follow_symlinks=False)
    return True


def _belongs(path: Path, user: int, group: int) -> bool:
    status = path.lstat()
    return (status.st_uid, status.st_gid) == (user, group)
