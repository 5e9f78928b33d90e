"""Initialising Vault, so that its only answer with the keys is never lost, and unsealing it.

The order is: a mark on the disk, the request, the answer on the disk, the mark removed. So a Vault
that is initialised and whose keys are nowhere is recognised as one that was cut off in between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from monolith.bootstrap.waiting import until, until_answers
from monolith.errors import UserError
from monolith.files import write_atomic
from monolith.secrets.keys import Keys, KeySource
from monolith.secrets.vault_api import Api, RefusedError

_WHY = "The first initialisation was sent; its answer is not in vault-keys yet.\n"
_ANSWERS = (
    httpx.codes.OK, httpx.codes.TOO_MANY_REQUESTS, httpx.codes.NOT_IMPLEMENTED,
    httpx.codes.SERVICE_UNAVAILABLE,
)  # fmt: skip
"""Health of a Vault that is active, on standby, not initialised, sealed."""


@dataclass(frozen=True)
class Server:
    """One Vault: its API without a token, its keys, its data folder, a way to restart it."""

    api: Api
    keys: KeySource
    folder: Path
    restart: Callable[[], None]

    @property
    def pending(self) -> Path:
        """There while an initialisation may have been sent whose answer is not on the disk."""
        return self.folder / "init.pending"

    @property
    def reset(self) -> Path:
        """Tells `config/vault/start` to empty the data folder."""
        return self.folder / "reset"

    def is_initialised(self) -> bool:
        """Whether it has keys."""
        return bool(self.api.get("sys/init")["initialized"])

    def wait(self) -> None:
        """Wait until it answers, in whatever state."""
        url = f"{self.api.url}/v1/sys/health"
        until_answers(url, "Vault answers", accepted=lambda got: got.status_code in _ANSWERS)


def ensure(server: Server) -> list[str]:
    """Initialised and unsealed. Returns what was changed, in words."""
    server.wait()
    return [*_initialised(server), *_unsealed(server)]


def _initialised(server: Server) -> list[str]:
    changes = _emptied(server)
    keys = server.keys.keys()
    if server.is_initialised():
        if keys:
            server.pending.unlink(missing_ok=True)
            return changes
        if not server.pending.exists():
            raise _keys_lost()
        write_atomic(server.reset, "")
        changes = _emptied(server)
    elif keys and keys.complete:
        raise _data_lost()
    _initialise(server)
    return [*changes, "initialised"]


def _emptied(server: Server) -> list[str]:
    """Finish the removal of data that nobody has keys for; it may have been asked for before."""
    if not server.reset.exists():
        return []
    server.restart()
    # Not before the mark is gone: until then somebody may still stop Vault to empty it.
    until(lambda: not server.reset.exists(), "Vault restarts without data")
    server.wait()
    return ["the first initialisation was cut off before its keys arrived: nothing was in it, "
            "made anew"]  # fmt: skip


def _initialise(server: Server) -> None:
    write_atomic(server.pending, _WHY)
    answer = server.api.post("sys/init", {"secret_shares": 1, "secret_threshold": 1})
    server.keys.save_keys(Keys(answer["keys_base64"], answer["root_token"]))
    server.pending.unlink()


def _unsealed(server: Server) -> list[str]:
    if not server.api.get("sys/seal-status")["sealed"]:
        return []
    keys = server.keys.keys()
    for key in keys.keys if keys else []:
        try:
            server.api.post("sys/unseal", {"key": key})
        except RefusedError as refused:
            raise _other_keys() from refused
    url = f"{server.api.url}/v1/sys/health"
    until_answers(url, "Vault is unsealed and active", 60)
    return ["unsealed"]


def _keys_lost() -> UserError:
    return UserError(
        "Vault is initialised, and its keys are not in the folder vault-keys.",
        hint="restore vault-keys from a backup. Without it nothing opens this Vault: to start "
        "anew without its secrets and all data they open, remove the whole data folder",
    )


def _data_lost() -> UserError:
    return UserError(
        "Vault's data is gone: it is not initialised, and there are keys of a Vault that was "
        "in use. New secrets would not open the data of the services.",
        hint="restore the data folder's `vault` from a backup that fits `vault-keys`",
    )


def _other_keys() -> UserError:
    return UserError(
        "Vault does not take the keys in the folder vault-keys: they are not of this Vault.",
        hint="restore `vault` and `vault-keys` from the same backup",
    )
