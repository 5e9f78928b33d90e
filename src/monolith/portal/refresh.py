"""Asking in the background: each source in a thread of its own, so that one that hangs (a name that
is looked up for seconds, say) holds up nobody. Pages are made from what was said last.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from monolith.portal.sources import SilentError

STALE_SECONDS = 30.0
_SHARE = 20
"""A costly source that takes long is asked seldom: at most this part of the time is spent on it."""

Answer = TypeVar("Answer")
_log = logging.getLogger(__name__)


class Source(Generic[Answer]):
    """One question that is asked again and again. Its last answer, as long as that is true.

    `costly`: the answer is work for the system that is asked, the more the larger it has grown.
    """

    def __init__(
        self, name: str, question: Callable[[], Answer], every: float, *, costly: bool = False
    ) -> None:
        self.name, self.question, self.every, self.costly = name, question, every, costly
        self._answer: Answer | None = None
        self._error = ""
        self._at = 0.0
        self._took = 0.0

    @property
    def answer(self) -> Answer | None:
        """The last answer; None when the last question got none, or long ago."""
        return None if self.is_silent else self._answer

    @property
    def is_silent(self) -> bool:
        """Whether it was asked in vain, or hangs."""
        late = time.monotonic() - self._at > self.pause + STALE_SECONDS
        return bool(self._at) and (bool(self._error) or late)

    @property
    def is_new(self) -> bool:
        """Whether it was never answered nor refused."""
        return not self._at

    @property
    def pause(self) -> float:
        """Seconds until it is asked again."""
        return max(self.every, self._took * _SHARE) if self.costly else self.every

    def look(self) -> None:
        """Ask once."""
        began = time.monotonic()
        try:
            answer, error = self.question(), ""
        except (SilentError, OSError, LookupError, TypeError, ValueError) as trouble:
            # Also what is not as expected: a newer version of it must not end the portal.
            answer, error = None, f"{type(trouble).__name__}: {trouble}"
        if error and error != self._error:
            _log.warning("%s: %s", self.name, error)
        self._answer, self._error = answer, error
        self._at = time.monotonic()
        self._took = 0.0 if error else self._at - began

    def run(self) -> None:
        """Ask for ever."""
        while True:
            self.look()
            time.sleep(self.pause)


def start(sources: list[Source[Any]]) -> None:
    """Ask all of them in the background."""
    for source in sources:
        threading.Thread(target=source.run, name=source.name, daemon=True).start()
