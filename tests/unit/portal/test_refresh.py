"""A source's answer is shown as long as it is true, and no source harms another."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from monolith.portal import refresh
from monolith.portal.refresh import Source
from monolith.portal.sources import SilentError
from tests.common.platform import eventually


def test_an_answer_is_there_after_the_first_question() -> None:
    source = Source("x", lambda: 1, 5)
    assert (source.answer, source.is_new, source.is_silent) == (None, True, False)
    source.look()
    assert (source.answer, source.is_new, source.is_silent) == (1, False, False)


@pytest.mark.parametrize("error", [SilentError("no"), KeyError("x"), TypeError("x"), OSError("x")])
def test_an_answer_ends_with_the_next_failure(error: Exception) -> None:
    answers: Iterator[int] = iter([1])

    def ask() -> int:
        for answer in answers:
            return answer
        raise error

    source = Source("x", ask, 5)
    source.look()
    source.look()
    assert (source.answer, source.is_silent) == (None, True)


def test_a_source_that_hangs_is_silent_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source("x", lambda: 1, 5)
    source.look()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 5 + refresh.STALE_SECONDS + 1)
    assert (source.answer, source.is_silent) == (None, True)


def test_what_takes_long_is_asked_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0])
    source = Source("x", lambda: 1, 5)
    assert source.pause == 5
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    source.look()
    assert source.pause == 200


def test_one_that_hangs_holds_up_nobody() -> None:
    never = threading.Event()
    hanging, other = Source("hanging", never.wait, 1), Source("other", lambda: 1, 1)
    refresh.start([hanging, other])
    assert eventually(lambda: other.answer, 5) == 1
    assert hanging.is_new
    never.set()
