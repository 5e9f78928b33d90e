"""Running a service as a user of its own when the platform is started by root.

PostgreSQL refuses to run as root. An ordinary user runs everything as itself.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from monolith.errors import UserError

_DAC_READ_SEARCH = 2
"""Number of the capability, from linux/capability.h."""


def is_root() -> bool:
    """Whether the platform is run by root."""
    return os.geteuid() == 0


def ensure_user(name: str) -> pwd.struct_passwd:
    """The system user `name`, made when it is missing (root only)."""
    try:
        return pwd.getpwnam(name)
    except KeyError:
        _add_user(name)
    return pwd.getpwnam(name)


def _add_user(name: str) -> None:
    program = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if not program:
        raise UserError(
            f"PostgreSQL does not run as root, and there is no `useradd` to make {name} for it.",
            hint=f"make a system user called {name}, or run ./monolith as an ordinary user",
        )
    options = ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    subprocess.run([program, *options, name], check=True, capture_output=True)


def prefix(user: str, paths: list[Path]) -> list[str]:
    """Words in front of a command that let it run as `user`; none for an ordinary user.

    Where `user` may not walk to one of `paths` (a clone below /root), the process gets the one
    capability to do so, instead of a change to folders that are not ours.
    """
    if not user or not is_root():
        return []
    if not shutil.which("setpriv"):
        raise UserError(
            "`setpriv` is missing, which runs PostgreSQL as an unprivileged user.",
            hint="install util-linux, or run ./monolith as an ordinary user",
        )
    account = ensure_user(user)
    words = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    if all(_walkable(path, account) for path in paths):
        return [*words, "--inh-caps=-all", "--"]
    _require_capability(user)
    return [*words, "--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search", "--"]


def _require_capability(user: str) -> None:
    """Containers may withhold even from root what `user` needs to walk through closed folders."""
    status = Path("/proc/self/status").read_text()
    allowed = next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd:"))
    if not int(allowed, 16) >> _DAC_READ_SEARCH & 1:
        raise UserError(
            f"The user {user} cannot walk to this folder, and root may not let it through here.",
            hint="clone to a folder that others may enter, such as /opt, and keep MONOLITH_DATA "
            "and MONOLITH_CACHE in such a folder; or run ./monolith as an ordinary user",
        )


def _walkable(path: Path, account: pwd.struct_passwd) -> bool:
    return all(_searchable(folder, account) for folder in path.resolve().parents)


def _searchable(folder: Path, account: pwd.struct_passwd) -> bool:
    status = folder.stat()
    if status.st_uid == account.pw_uid:
        return bool(status.st_mode & 0o100)
    return bool(status.st_mode & (0o010 if status.st_gid == account.pw_gid else 0o001))


def own(path: Path, user: str) -> None:
    """Give `path`, and all below it that belongs to another, to `user` (root only)."""
    if not user or not is_root():
        return
    account = ensure_user(user)
    for item in [path, *path.rglob("*")]:
        if item.lstat().st_uid != account.pw_uid:
            os.chown(item, account.pw_uid, account.pw_gid, follow_symlinks=False)
