"""The portal: a small server of the standard library, which loads no manifest itself.

Usage: python -m monolith.portal.server ADDRESS PORT CGROUPS CONTAINERS
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from monolith.portal import manifests, metrics, page, refresh
from monolith.portal.catalogue import Catalogue
from monolith.portal.gather import Gatherer
from monolith.portal.status import Picture
from monolith.project import ROOT

_LOOK_SECONDS = 5.0
_STATIC = Path(__file__).parent / "static"
_FILES = {
    "/portal.css": "text/css; charset=utf-8",
    "/portal.js": "text/javascript; charset=utf-8",
    "/favicon.svg": "image/svg+xml",
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_HTML, _JSON = "text/html; charset=utf-8", "application/json"

Content = tuple[HTTPStatus, str, bytes]


class Site:
    """What is served at which path, from the picture of this moment."""

    def __init__(self, picture: Callable[[], Picture | None]) -> None:
        self._picture = picture
        self._files = {name: (_STATIC / name[1:]).read_bytes() for name in _FILES}

    def content(self, path: str) -> Content:
        """Status, type and body."""
        if path in _FILES:
            return HTTPStatus.OK, _FILES[path], self._files[path]
        if path not in ("/", "/status.json", "/metrics", "/healthz"):
            return HTTPStatus.NOT_FOUND, _HTML, page.missing()
        picture = self._picture()
        if picture is None:
            return HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", b"The portal is starting.\n"
        return HTTPStatus.OK, *_made(path, picture)


def _made(path: str, picture: Picture) -> tuple[str, bytes]:
    if path == "/metrics":
        return metrics.CONTENT_TYPE, metrics.text(picture)
    if path == "/status.json":
        return _JSON, json.dumps(picture.as_dict()).encode()
    if path == "/healthz":
        return "text/plain", b"ok\n"
    return _HTML, page.html(picture)


def handler(site: Site) -> type[BaseHTTPRequestHandler]:
    """The class that answers requests."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30
        server_version, sys_version = "monolith", ""

        def do_GET(self) -> None:
            status, kind, body = site.content(self.path.partition("?")[0])
            self.send_response(status)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Nothing: the front door logs requests."""

    return Handler


def follow(root: Path, shown: Catalogue, seen: manifests.Mark) -> None:
    """Wait until the manifests say something else, then become a new portal. They are shown as
    they were as long as they are not valid.
    """
    while True:
        time.sleep(_LOOK_SECONDS)
        if (found := manifests.mark(root)) != seen:
            seen = found
            if manifests.load() not in (None, shown):
                os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def main(address: str, port: str, cgroups: str, containers: str) -> None:
    """Serve until a signal says otherwise."""
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    seen, catalogue = manifests.mark(ROOT), manifests.load()
    if catalogue is None:
        sys.exit(1)
    gatherer = Gatherer(catalogue, Path(cgroups), Path(containers))
    refresh.start(gatherer.sources())
    Thread(target=follow, args=(ROOT, catalogue, seen), daemon=True).start()
    site = Site(lambda: gatherer.picture(time.time()))
    ThreadingHTTPServer((address, int(port)), handler(site)).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
