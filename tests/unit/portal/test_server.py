"""The server: what is at which path, with which headers, and that it follows the manifests."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from monolith.portal import manifests, server
from monolith.portal.server import Site, handler
from monolith.portal.status import Picture
from tests.unit.conftest import command_line
from tests.unit.portal.samples import pictured


@pytest.fixture
def shown() -> dict[str, Picture | None]:
    return {"now": pictured()}


@pytest.fixture
def client(shown: dict[str, Picture | None]) -> Iterator[httpx.Client]:
    site = Site(lambda: shown["now"])
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(site)) as http:
        threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True).start()
        with httpx.Client(base_url=f"http://127.0.0.1:{http.server_port}") as found:
            yield found
        http.shutdown()


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("/", "text/html", "<title>Monolith"),
        ("/?x=1", "text/html", "<title>Monolith"),
        ("/portal.css", "text/css", ":root"),
        ("/portal.js", "text/javascript", "use strict"),
        ("/favicon.svg", "image/svg+xml", "<svg"),
        ("/status.json", "application/json", '"healthy": true'),
        ("/metrics", "text/plain", "monolith_service_healthy"),
        ("/healthz", "text/plain", "ok"),
    ],
)
def test_what_is_where(client: httpx.Client, path: str, kind: str, text: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert text in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert client.head(path).headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("path", ["/x", "/../server.py", "/static/portal.css", "/%2e%2e/server.py"])
def test_nothing_else_is_there(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_only_reading(client: httpx.Client) -> None:
    assert client.post("/").status_code == 501


def test_before_the_first_answers_it_is_not_ready(
    client: httpx.Client, shown: dict[str, Picture | None]
) -> None:
    shown["now"] = None
    assert client.get("/healthz").status_code == 503
    assert client.get("/portal.css").status_code == 200


def test_the_catalogue_is_a_word_of_the_command_line() -> None:
    result = command_line("portal", "--catalogue")
    assert '"portal"' in result.stdout, result.stderr
    assert result.stderr == ""


def write_manifest(root: Path, text: str) -> manifests.Mark:
    folder = root / "config" / "x"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "compose.yaml").write_text(text)
    return manifests.mark(root)


def test_every_change_of_a_manifest_is_seen(tmp_path: Path) -> None:
    first = write_manifest(tmp_path, "a")
    assert manifests.mark(tmp_path) == first
    assert write_manifest(tmp_path, "ab") != first
    (tmp_path / "config" / "x" / "compose.yaml").unlink()
    assert manifests.mark(tmp_path) == frozenset()


class _Become(BaseException):
    """Thrown where the program would become another."""


@pytest.mark.parametrize(("loaded", "becomes"), [(None, False), ("same", False), ("new", True)])
def test_it_becomes_new_when_the_manifests_say_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loaded: str | None, becomes: bool
) -> None:
    same: Any = "same"
    rounds = iter([None, None])
    monkeypatch.setattr(server, "time", SimpleNamespace(sleep=lambda _: next(rounds)))
    monkeypatch.setattr(manifests, "load", lambda: loaded)

    def become(*_: Any) -> None:
        raise _Become

    monkeypatch.setattr(os, "execv", become)
    seen = manifests.mark(tmp_path)
    write_manifest(tmp_path, "new")
    with pytest.raises(_Become if becomes else StopIteration):
        server.follow(tmp_path, same, seen)
