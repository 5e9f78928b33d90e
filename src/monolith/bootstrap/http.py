"""HTTP to the servers that are set up. Bodies stay out of messages: they hold secrets."""

from __future__ import annotations

from typing import Any

import httpx

from monolith.errors import UserError

_TIMEOUT = 30.0


class RefusedError(UserError):
    """A server answered with an error status.

    `status` is that status; `about` names the fields of the answer, without their values.
    """

    def __init__(self, title: str, method: str, path: str, answer: httpx.Response) -> None:
        self.status = answer.status_code
        self.about = _fields(answer)
        told = f"{title} answered {self.status} {answer.reason_phrase} to {method} {path}."
        super().__init__(told, hint="`monolith logs` of the service tells more")


class Api:
    """One server. `title` is its name for people; cookies are kept from answer to request."""

    def __init__(self, title: str, url: str, headers: dict[str, str] | None = None) -> None:
        self.title = title
        self.url = url
        # Not for a proxy: these are servers of this installation.
        self.client = httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT, trust_env=False)

    def send(self, method: str, path: str, *fine: int, **options: Any) -> httpx.Response:
        """One request. An error status raises RefusedError, unless it is one of `fine`."""
        try:
            answer = self.client.request(method, path, **options)
        except httpx.HTTPError as error:
            told = f"{self.title} does not answer at {self.url}: {type(error).__name__}."
            raise UserError(told, hint="`monolith status` shows whether it runs") from error
        if answer.is_error and answer.status_code not in fine:
            raise RefusedError(self.title, method, path, answer)
        return answer

    def get(self, path: str, **options: Any) -> Any:
        """The JSON answer to GET."""
        return self.send("GET", path, **options).json()

    def find(self, path: str, **options: Any) -> Any:
        """The JSON answer to GET; None when there is nothing."""
        answer = self.send("GET", path, httpx.codes.NOT_FOUND, **options)
        return None if answer.is_error else answer.json()

    def post(self, path: str, body: Any = None) -> Any:
        """The JSON answer to POST of a JSON body."""
        return self.send("POST", path, json=body).json()


def _fields(answer: httpx.Response) -> set[str]:
    try:
        body = answer.json()
    except ValueError:
        return set()
    return set(body) if isinstance(body, dict) else set()
