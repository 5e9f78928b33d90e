"""The watcher acts when something is off, at once for a sealed Vault, and is light."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from monolith.bootstrap import watch
from monolith.bootstrap.watch import FULL_SECONDS, RETRY_SECONDS, Watcher
from tests.unit.conftest import python


class Run:
    """A run of bootstrap that ends when it is told how."""

    def __init__(self, code: int | None) -> None:
        self.returncode = code

    def poll(self) -> int | None:
        return self.returncode

    def wait(self) -> int | None:
        return self.returncode

    def terminate(self) -> None:
        self.returncode = -15


class World:
    """What the watcher sees, and what it has started. `code` is how the next runs end."""

    def __init__(self, ok: Path) -> None:
        self.sealed: bool | None = False
        self.empty = False
        self.code: int | None = 0
        self.started: list[str] = []
        self.runs: list[Run] = []
        self.written = 1
        self.watcher = Watcher(
            ok, lambda: self.sealed, lambda: self.empty, lambda: self.written, self.start, 0.0
        )

    def start(self, steps: list[str]) -> subprocess.Popen[bytes]:
        self.started.append(" ".join(steps) or "all")
        self.runs.append(Run(self.code))
        return self.runs[-1]  # type: ignore[return-value]

    def look(self, now: float) -> list[str]:
        """What one round at `now` starts."""
        before = len(self.started)
        self.watcher.look(now)
        return self.started[before:]


@pytest.fixture
def ok(tmp_path: Path) -> Path:
    return tmp_path / "bootstrap.ok"


@pytest.fixture
def world(ok: Path) -> World:
    return World(ok)


def test_it_runs_all_at_first_and_then_seldom(world: World, ok: Path) -> None:
    assert world.look(1) == ["all"]
    assert ok.exists()
    assert world.look(4) == []
    assert world.look(FULL_SECONDS - 1) == []
    assert world.look(FULL_SECONDS + 1) == ["all"]


def test_what_is_well_already_is_not_run_at_first(ok: Path) -> None:
    ok.touch()
    world = World(ok)
    assert world.look(1) == []
    assert ok.exists()


def test_a_sealed_vault_is_unsealed_at_once_then_all_is_looked_at(world: World, ok: Path) -> None:
    world.look(1)
    world.sealed = True
    assert world.look(4) == ["vault", "all"]
    world.sealed = False
    assert world.look(7) == []
    assert ok.exists()


def test_it_is_unsealed_also_while_a_run_waits(world: World) -> None:
    world.code = None
    assert world.look(1) == ["all"]
    world.sealed, world.code = True, 0
    assert world.look(4) == ["vault"]


def test_while_vault_stays_sealed_it_is_not_well_and_not_hammered(world: World, ok: Path) -> None:
    world.look(1)
    world.sealed, world.code = True, 1
    assert world.look(4)[0] == "vault"
    assert not ok.exists()
    assert "vault" not in world.look(5)
    assert "vault" in world.look(4 + RETRY_SECONDS[1])


def test_a_failed_run_is_tried_again_later_and_later(world: World, ok: Path) -> None:
    world.code = 1
    now, waits = 1.0, []
    for seconds in (*RETRY_SECONDS, RETRY_SECONDS[-1]):
        assert world.look(now) == ["all"]
        assert not ok.exists()
        assert world.look(now + seconds - 0.1) == []
        waits.append(seconds)
        now += seconds
    world.code = 0
    assert world.look(now) == ["all"]
    assert ok.exists()


def test_a_consul_that_forgot_its_services_gets_them_again(world: World) -> None:
    world.look(1)
    world.empty = True
    assert world.look(4) == ["all"]


def test_a_consul_that_stays_empty_does_not_shorten_the_pauses(world: World) -> None:
    world.empty, world.code = True, 1
    assert world.look(1) == ["all"]
    assert world.look(2) == []


def test_a_changed_manifest_is_applied_at_once(world: World, ok: Path) -> None:
    world.look(1)
    world.written, world.code = 2, None
    assert world.look(4) == ["all"]
    assert not ok.exists()
    world.runs[-1].returncode = 0
    assert world.look(7) == []
    assert ok.exists()


def test_what_is_changed_during_a_run_is_applied_after_it(world: World) -> None:
    world.code = None
    world.look(1)
    world.written, world.code = 2, 0
    assert world.look(4) == []
    world.runs[0].returncode = 0
    assert world.look(7) == []
    assert world.look(10) == ["all"]
    assert world.look(13) == []


def test_a_manifest_counts_as_changed_when_it_comes_goes_or_is_written(tmp_path: Path) -> None:
    (tmp_path / "docker-compose").mkdir()
    (tmp_path / "config" / "web").mkdir(parents=True)
    seen = [watch.manifests(tmp_path)]
    file = tmp_path / "config" / "web" / "compose.yaml"
    file.touch()
    seen.append(watch.manifests(tmp_path))
    os.utime(file, ns=(1, 1))
    seen.append(watch.manifests(tmp_path))
    assert len({str(one) for one in seen}) == 3
    file.unlink()
    assert watch.manifests(tmp_path) == seen[0]
    file.symlink_to("gone")
    assert watch.manifests(tmp_path) == [(str(file), 0)]


def test_a_run_that_is_under_way_is_ended_with_it(world: World) -> None:
    world.code = None
    world.look(1)
    world.watcher.end()
    assert world.runs[0].returncode == -15


@pytest.fixture
def server() -> Iterator[tuple[str, dict[str, bytes]]]:
    """An address, and what is answered there by path."""
    answers: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in answers else 500)
            self.end_headers()
            self.wfile.write(answers.get(self.path, b""))

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{made.server_port}", answers
        made.shutdown()


def test_what_the_servers_answer(server: tuple[str, dict[str, bytes]]) -> None:
    url, answers = server
    assert not watch.is_sealed(url)
    assert not watch.is_empty(url)
    answers["/v1/sys/seal-status"] = b'{"type":"shamir","initialized":true,"sealed":true,"t":1}'
    answers["/v1/agent/services"] = b"{}\n"
    assert watch.is_sealed(url)
    assert watch.is_empty(url)
    answers["/v1/sys/seal-status"] = b'{"sealed":false}'
    answers["/v1/agent/services"] = b'{"web":{}}'
    assert not watch.is_sealed(url)
    assert not watch.is_empty(url)


def test_no_server_is_neither_sealed_nor_empty() -> None:
    for url in ("", "http://127.0.0.1:1", "http://no.such.name.invalid:80"):
        assert not watch.is_sealed(url)
        assert not watch.is_empty(url)


def test_it_imports_nothing_of_weight() -> None:
    code = """
import sys
before = set(sys.modules)
import monolith.bootstrap.watch
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""
    out, err = python(code).communicate()
    assert not err
    loaded = set(out.split())
    assert not loaded & {"typer", "rich", "httpx", "pydantic", "yaml", "tenacity", "asyncio"}
    assert loaded - set(sys.stdlib_module_names) == {"monolith"}


def test_a_signal_ends_it(ok: Path) -> None:
    # All is well, so nothing is run.
    ok.touch()
    code = "from monolith.bootstrap import watch; watch.main(*sys.argv[1:])"
    process = python(f"import sys; {code}", ok, "http://127.0.0.1:1", "")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.terminate()
    assert process.wait(10) == 0


def test_a_vault_that_does_not_answer_is_not_called_well(ok: Path) -> None:
    world = World(ok)
    world.look(0)
    world.look(1)
    assert ok.exists()
    world.sealed, world.code = None, None
    assert [world.look(now) for now in (2, 3, 4)] == [[], [], ["all"]]
    assert not ok.exists()


def test_no_answer_is_neither_sealed_nor_unsealed() -> None:
    assert watch.is_sealed("") is False
    assert watch.is_sealed("http://127.0.0.1:9") is None
