"""Waiting for a server, with a word about it when it takes long."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import httpx
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from monolith.errors import UserError

SECONDS = 300.0
_QUIET_SECONDS = 2.0
_PAUSE_SECONDS = 0.3
_TIMEOUT = 5.0

_log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


def until(question: Callable[[], Answer | None], what: str, seconds: float = SECONDS) -> Answer:
    """The first answer that is true; asks three times a second.

    `what` is waited for, as in "Vault answers". Raises UserError after `seconds`.
    """
    told = _Teller(what)

    def ask() -> Answer | None:
        answer = question()
        if not answer:
            told.once()
        return answer

    asking = Retrying(
        retry=retry_if_result(lambda answer: not answer),
        stop=stop_after_delay(seconds), wait=wait_fixed(_PAUSE_SECONDS),
    )  # fmt: skip
    try:
        answer = asking(ask)
    except RetryError:
        hint = "./monolith status shows what runs, ./monolith logs SERVICE why it does not"
        raise UserError(f"Waited {seconds:.0f} seconds in vain until {what}.", hint=hint) from None
    assert answer is not None  # noqa: S101
    return answer


def until_answers(
    url: str,
    what: str,
    seconds: float = SECONDS,
    accepted: Callable[[httpx.Response], bool] = lambda answer: answer.is_success,
) -> httpx.Response:
    """The first accepted answer to GET `url`; by default a success."""

    def ask() -> httpx.Response | None:
        try:
            # Not for a proxy: these are servers of this installation.
            answer = httpx.get(url, timeout=_TIMEOUT, trust_env=False)
        except httpx.HTTPError:
            return None
        return answer if accepted(answer) else None

    # A response is false when its status is an error, and such a one may be what is wanted.
    return until(lambda: [answer] if (answer := ask()) is not None else None, what, seconds)[0]


class _Teller:
    """Says once that it is waited, when it takes longer than one would notice."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._since = time.monotonic()
        self._told = False

    def once(self) -> None:
        if not self._told and time.monotonic() - self._since > _QUIET_SECONDS:
            self._told = True
            _log.warning("waiting until %s", self._what)
