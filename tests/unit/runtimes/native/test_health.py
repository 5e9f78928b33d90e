"""A service is healthy when it says so, not when its process is there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from monolith.runtimes.native.health import is_healthy
from tests.unit.runtimes.native.conftest import MakeProgram


class Answers(BaseHTTPRequestHandler):
    """Answers `/200` with 200, and so on."""

    def do_GET(self) -> None:
        self.send_response(int(self.path[1:]))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def nobody() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("status", "healthy"), [(200, True), (204, True), (302, False), (404, False), (503, False)]
)
def test_only_success_is_health(
    make_program: MakeProgram, port: int, status: int, healthy: bool
) -> None:
    program = make_program(check_port=port, check_path=f"/{status}")
    assert is_healthy(program, settled=True) == healthy


def test_a_proxy_in_the_environment_is_not_asked(
    make_program: MakeProgram, port: int, nobody: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{nobody}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert is_healthy(make_program(check_port=port, check_path="/200"), settled=True)


def test_without_a_path_a_connection_is_health(
    make_program: MakeProgram, port: int, nobody: int
) -> None:
    assert is_healthy(make_program(check_port=port), settled=False)
    assert not is_healthy(make_program(check_port=nobody), settled=True)
    assert not is_healthy(make_program(check_port=nobody, check_path="/200"), settled=True)


@pytest.mark.parametrize(
    ("command", "healthy"),
    [(["true"], True), (["false"], False), (["/no/such/program"], False)],
)
def test_a_command_of_its_own_decides_alone(
    make_program: MakeProgram, nobody: int, command: list[str], healthy: bool
) -> None:
    program = make_program(check_command=command, check_port=nobody)
    assert is_healthy(program, settled=True) == healthy


@pytest.mark.parametrize("settled", [True, False])
def test_without_a_check_a_process_that_has_settled_is_healthy(
    make_program: MakeProgram, settled: bool
) -> None:
    assert is_healthy(make_program(), settled=settled) == settled
