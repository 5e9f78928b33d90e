"""Real servers for the bootstrap steps, each on a port of its own, and sites that lead to them."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from monolith.bootstrap.site import Site
from monolith.manifest.load import load
from monolith.manifest.stack import Stack
from monolith.project import find as find_project
from monolith.runtimes.base import Reporter
from monolith.runtimes.environments import Environments
from monolith.settings import Settings
from monolith.tools import model
from tests.native.conftest import ROOT, eventually, free_ports

CONSUL = model.find("consul", find_project())
STORES = {name: model.find(name, find_project()) for name in ("minio", "versitygw")}
_NAME = re.compile(r"([a-z][a-z0-9-]*)\.service\.consul:([0-9]+)")


class Silent(Reporter):
    """A reporter that tells nobody."""

    def step(self, subject: str, text: str) -> None:
        pass

    done = step


class Memory:
    """A secret store that is gone after the test."""

    def __init__(self, **documents: dict[str, str]) -> None:
        self.documents = {name.replace("_", "-"): values for name, values in documents.items()}

    def read(self, service: str) -> dict[str, str]:
        return dict(self.documents.get(service, {}))

    def write(self, service: str, values: dict[str, str]) -> None:
        self.documents[service] = dict(values)


def product(**settings: str) -> Stack:
    return load(ROOT / "docker-compose" / "docker-compose.minimal.yaml", Settings(settings), ROOT)


def make_site(stack: Stack, store: Memory, ports: dict[tuple[str, int], int]) -> Site:
    """A site whose services are those of `ports`: (service, container port) -> loopback port."""
    services = {name for name, _ in ports}

    def locate(text: str) -> str:
        return _NAME.sub(lambda m: f"127.0.0.1:{ports.get((m[1], int(m[2])), 1)}", text)

    return Site(
        stack, Path("/nowhere"), store, locate, lambda _: None,
        lambda entry: entry.name in services, False,
    )  # fmt: skip


def installed(lock: str) -> Path:
    """The folder of an application's environment, installed when it is missing."""
    environments = Environments(find_project().cache, sys.executable)
    environments.ensure([ROOT / lock], Silent())
    return environments.folder(ROOT / lock)


@contextmanager
def running(command: list[str], url: str, log: Path, **options: Any) -> Iterator[None]:
    """A server, from its first success at `url` to the end of the block."""
    environment = {**os.environ, **options.pop("environment", {})}
    with log.open("ab") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, **options)
    try:
        assert eventually(lambda: answers(url), 90), log.read_text()[-3000:]
        yield
    finally:
        process.terminate()
        process.wait(30)


def answers(url: str) -> bool:
    if url.startswith("tcp:"):
        with suppress(OSError), socket.create_connection(("127.0.0.1", int(url[4:]))):
            return True
        return False
    with suppress(httpx.HTTPError):
        return httpx.get(url, trust_env=False).is_success
    return False


@contextmanager
def consul(folder: Path, port: int) -> Iterator[None]:
    """Consul with the product's configuration; its data is in `folder`."""
    server, gossip = free_ports(2)
    command = [
        str(CONSUL), "agent", f"-config-file={ROOT}/config/consul/consul.hcl",
        f"-data-dir={folder}", "-client=127.0.0.1", f"-http-port={port}",
        f"-server-port={server}", f"-serf-lan-port={gossip}",
    ]  # fmt: skip
    with running(command, f"http://127.0.0.1:{port}/v1/status/leader", folder / "log"):
        yield


@contextmanager
def traefik(stack: Stack, consul_port: int, folder: Path) -> Iterator[int]:
    """Traefik with the product's settings for containers. Gives the port of its front door."""
    web, own = free_ports(2)
    values = stack.service("traefik").model.environment
    environment = {name: str(value) for name, value in values.items()} | {
        "TRAEFIK_ENTRYPOINTS_WEB_ADDRESS": f"127.0.0.1:{web}",
        "TRAEFIK_ENTRYPOINTS_TRAEFIK_ADDRESS": f"127.0.0.1:{own}",
        "TRAEFIK_PROVIDERS_CONSULCATALOG_ENDPOINT_ADDRESS": f"127.0.0.1:{consul_port}",
    }
    program = installed("config/traefik/requirements.lock") / "bin" / "traefik"
    with running(
        [str(program)], f"http://127.0.0.1:{own}/ping", folder / "traefik.log",
        environment=environment,
    ):  # fmt: skip
        yield web


def with_store(stack: Stack, kind: str) -> Stack:
    """The stack, its object store being of another kind."""
    entry = stack.service("s3")
    block = entry.monolith.model_copy(update={"store": kind})
    changed = replace(entry, model=entry.model.model_copy(update={"x_monolith": block}))
    return replace(stack, services={**stack.services, "s3": changed})


@contextmanager
def object_store(
    kind: str, folder: Path, port: int, root: dict[str, str], log: Path
) -> Iterator[None]:
    """An object store with its data below `folder`, and the administrator's key `root`."""
    address = f"127.0.0.1:{port}"
    words = {
        "minio": ["server", f"{folder}/data", "--address", address],
        "versitygw": ["--quiet", "--port", address, "--iam-dir", f"{folder}/iam",
                      "--health", "/health", "posix", f"{folder}/data"],
    }  # fmt: skip
    for name in ("data", "iam"):
        (folder / name).mkdir(exist_ok=True)
    environment = {
        **root, "MINIO_ROOT_USER": root["ROOT_ACCESS_KEY"],
        "MINIO_ROOT_PASSWORD": root["ROOT_SECRET_KEY"], "MINIO_UPDATE": "off",
        "MINIO_BROWSER": "off",
    }  # fmt: skip
    path = "minio/health/live" if kind == "minio" else "health"
    command = [str(STORES[kind]), *words[kind]]
    with running(command, f"http://{address}/{path}", log, environment=environment):
        yield


class CutError(Exception):
    """The process would have been killed here."""


def cut_everywhere(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, run: Callable[[], Any]
) -> int:
    """Runs again and again, cut off at one call later each time. Returns the number of cuts."""
    original, cuts, left = getattr(owner, name), 0, 0

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise CutError
        return original(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, counted)
        while True:
            left = cuts + 1
            try:
                run()
            except CutError:
                cuts += 1
            else:
                return cuts


class Echo(ThreadingHTTPServer):
    """A service that tells what it was asked: its own name, path, and headers."""

    daemon_threads = True

    def __init__(self, name: str) -> None:
        self.name, self.status = name, 200
        super().__init__(("127.0.0.1", 0), _EchoHandler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        return self.server_port


class _EchoHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Echo

    def do_GET(self) -> None:
        if self.headers.get("Upgrade") == "websocket":
            self._upgrade()
            return
        told = {"name": self.server.name, "path": self.path, "headers": dict(self.headers)}
        body = json.dumps(told).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _upgrade(self) -> None:
        """From here on, every line is sent back."""
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        self.wfile.write(self.server.name.encode() + b" " + self.rfile.readline())
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass
