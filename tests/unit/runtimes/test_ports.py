"""Whether a port is free, and who holds it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from monolith.runtimes import ports


@pytest.fixture
def server() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_port_is_taken_while_somebody_listens_and_free_afterwards() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert not ports.is_port_free(port)
    assert ports.is_port_free(port)


def test_a_port_that_is_taken_on_all_addresses_is_not_free() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listening:
        assert not ports.is_port_free(listening.getsockname()[1])


def test_a_port_with_connections_that_are_ending_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        accepted, _ = listening.accept()
        accepted.close()
        client.close()
    assert ports.is_port_free(port)


def test_whoever_holds_a_port_is_named(server: int) -> None:
    me = psutil.Process()
    expected = f"{me.name()} (pid {me.pid}, user {me.username()})"
    assert ports.port_holder(server) == expected


def listener(port: int, pid: int | None) -> Any:
    return SimpleNamespace(status=psutil.CONN_LISTEN, laddr=("127.0.0.1", port), pid=pid)


def test_a_holder_that_the_kernel_does_not_name_is_not_taken_for_this_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(psutil, "net_connections", lambda _: [listener(5000, None)])
    assert ports.port_holder(5000) == "a program of another user"


def test_a_port_that_ordinary_users_may_not_have_is_told_as_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(psutil, "net_connections", lambda _: [])
    assert "below 1024" in ports.port_holder(80)
    assert "below 1024" not in ports.port_holder(8080)


def test_the_engine_may_publish_what_an_ordinary_user_may_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(socket.socket, "bind", refuse)
    assert not ports.is_port_free(80)
    assert ports.is_port_free(80, published=True)
