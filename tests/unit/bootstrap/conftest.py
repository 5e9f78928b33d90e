"""Servers that bootstrap talks to, as a function from request to answer."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from monolith.bootstrap import waiting

Answer = Callable[[httpx.Request], httpx.Response]
Answered = Callable[[Answer], None]


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Answered:
    """Lets a function answer every request from now on; nobody is waited for."""
    real = httpx.Client
    monkeypatch.setattr(waiting, "until_answers", lambda *_, **__: None)

    def use(answer: Answer) -> None:
        def client(**options: object) -> httpx.Client:
            return real(**{**options, "transport": httpx.MockTransport(answer)})  # type: ignore[arg-type]

        monkeypatch.setattr(httpx, "Client", client)

    return use
