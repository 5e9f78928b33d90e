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


@pytest.mark.parametrize(
    ("costly", "fails", "pause"), [(True, 0, 200), (False, 0, 5), (True, 1, 5)]
)
def test_a_costly_answer_that_takes_long_is_asked_for_seldom(
    monkeypatch: pytest.MonkeyPatch, costly: bool, fails: int, pause: float
) -> None:
    clock = iter([0.0, 10.0])
    source = Source("x", lambda: [1, 2][fails * 2], 5, costly=costly)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    source.look()
    assert source.pause == pause


def test_one_that_hangs_holds_up_nobody() -> None:
    never = threading.Event()
    hanging, other = Source("hanging", never.wait, 1), Source("other", lambda: 1, 1)
    refresh.start([hanging, other])
    assert eventually(lambda: other.answer, 5) == 1
    assert hanging.is_new
    never.set()
