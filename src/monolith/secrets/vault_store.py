"""The store of secrets in Vault: a document of the KV engine, version 2, for each service."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import httpx

from monolith.errors import UserError
from monolith.secrets.keys import KeySource
from monolith.secrets.vault_api import Api, RefusedError, log_in

MOUNT = "secret"
FOLDER = "monolith"


class VaultStore:
    """See `secrets.store.Store`. Logs in as the operator when it is first used."""

    def __init__(self, url: str, keys: KeySource) -> None:
        self._url = url
        self._keys = keys
        self._versions: dict[str, int] = {}

    def read(self, service: str) -> dict[str, str]:
        """See Store. Refuses a document that was deleted: new values would not open the data."""
        document = self._document(service)
        self._versions[service] = document["metadata"]["version"] if document else 0
        return {str(key): str(value) for key, value in document["data"].items()} if document else {}

    def write(self, service: str, values: dict[str, str]) -> None:
        """See Store. Refuses to replace what somebody else has written since it was read."""
        if service not in self._versions:
            self.read(service)
        body = {"data": values, "options": {"cas": self._versions[service]}}
        try:
            answer = self._api.post(_path(service), body)
        except RefusedError as refused:
            if "check-and-set" not in str(refused):
                raise
            told = f"The secrets of {service} were changed by somebody else at the same time."
            raise UserError(told, hint="run the command again") from refused
        self._versions[service] = answer["data"]["version"]

    def _document(self, service: str) -> dict[str, Any] | None:
        try:
            found = self._api.find(_path(service))
        except RefusedError as refused:
            if refused.status == httpx.codes.NOT_FOUND:
                raise _deleted(service) from refused
            raise
        return found["data"] if found else None

    @cached_property
    def _api(self) -> Api:
        api = log_in(Api(self._url), self._keys)
        if api is None:
            raise UserError("Vault does not know the platform's operator.",
                            hint="./monolith bootstrap vault")  # fmt: skip
        return api


def _path(service: str) -> str:
    return f"{MOUNT}/data/{FOLDER}/{service}"


def _deleted(service: str) -> UserError:
    where = f"{MOUNT}/{FOLDER}/{service}"
    return UserError(
        f"The secrets of {service} were deleted in Vault. New values would not open its data.",
        hint=f"bring them back: vault kv undelete -versions=N {where} "
        f"(N: vault kv metadata get {where})",
    )
