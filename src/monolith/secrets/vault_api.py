"""Vault over HTTP: a thin client. Values are in bodies and answers only, never in messages."""

from __future__ import annotations

from typing import Any

import httpx

from monolith.errors import UserError
from monolith.secrets.keys import KeySource

_TIMEOUT = 30.0
_UNKNOWN = (httpx.codes.BAD_REQUEST, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND)
"""Answers to a login that Vault does not know, or to any where it has no such method."""
_SEALED = "./monolith bootstrap vault"


class RefusedError(UserError):
    """Vault answered with an error. `status` is the HTTP status, `body` the answer."""

    def __init__(self, doing: str, answer: httpx.Response) -> None:
        self.status = answer.status_code
        self.body: dict[str, Any] = _body(answer)
        reasons = "; ".join(map(str, self.body.get("errors") or [])) or answer.reason_phrase
        told = f"Vault refused {doing} ({self.status}): {reasons.strip()}"
        super().__init__(told, hint=_SEALED if self.status == 503 else "")


class Api:
    """Calls below `/v1/` of one Vault, with one token or none."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        headers = {"X-Vault-Token": token} if token else {}
        # Not for a proxy; and a connection of its own for each call: Vault restarts in between.
        self._client = httpx.Client(
            base_url=f"{url}/v1/", headers=headers, timeout=_TIMEOUT, trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )  # fmt: skip

    def with_token(self, token: str) -> Api:
        """The same Vault with another token."""
        return Api(self.url, token)

    def find(self, path: str) -> dict[str, Any] | None:
        """The answer to GET; None when there is nothing."""
        try:
            return self.call("GET", path)
        except RefusedError as refused:
            if refused.status != httpx.codes.NOT_FOUND or refused.body.get("data"):
                raise
            return None

    def get(self, path: str) -> dict[str, Any]:
        """The answer to GET, where there has to be something."""
        return self.call("GET", path)

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer to POST, empty when there is none."""
        return self.call("POST", path, body or {})

    def delete(self, path: str) -> None:
        """Remove; fine when there is nothing."""
        self.call("DELETE", path)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One request. Raises RefusedError, or UserError when Vault does not answer."""
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            told = f"Vault does not answer at {self.url}: {error}."
            raise UserError(told, hint="./monolith status, ./monolith logs vault") from error
        if answer.is_error:
            raise RefusedError(f"{method} {path}", answer)
        return _body(answer)


def _body(answer: httpx.Response) -> dict[str, Any]:
    try:
        return dict(answer.json()) if answer.content else {}
    except (ValueError, TypeError):
        return {}


def log_in(api: Api, keys: KeySource) -> Api | None:
    """The same Vault as the operator; None when there is no login or Vault does not know it."""
    operator = keys.operator()
    if operator is None:
        return None
    login = {"role_id": operator.role_id, "secret_id": operator.secret_id}
    try:
        answer = api.post("auth/approle/login", login)
    except RefusedError as refused:
        if refused.status not in _UNKNOWN:
            raise
        return None
    return api.with_token(answer["auth"]["client_token"])
