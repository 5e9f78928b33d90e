"""The pages of the stand-in that others ask for."""

from __future__ import annotations

import base64
import binascii
import json
import os
import sys
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import contract
import database
import provisioning
import psycopg2
import yaml

_PROBES = {
    "prometheus": "/-/ready", "loki": "/ready", "tempo": "/ready", "alertmanager": "/-/ready",
}  # fmt: skip
PROVISIONED = provisioning.Provisioned({}, {})


class Handler(BaseHTTPRequestHandler):
    """Grafana's paths, as far as anybody here uses them."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/api/health":
            self._json(200, {"database": "ok", "version": contract.VERSION, "standIn": True})
        elif path == "/metrics":
            self._send(200, _metrics(), "text/plain; version=0.0.4; charset=utf-8")
        elif path in ("/", "/login"):
            page = "<title>Grafana stand-in</title><p>Not Grafana: a stand-in for tests."
            self._send(200, page, "text/html; charset=utf-8")
        elif self._signed_in():
            self._api(path)

    def do_POST(self) -> None:
        start = "/api/user/stars/dashboard/uid/"
        if self._signed_in() and self.path.startswith(start):
            database.star(self.path.removeprefix(start))
            self._json(200, {"message": "Dashboard starred!"})

    def _api(self, path: str) -> None:
        last = path.rpartition("/")[2]
        if path == "/api/datasources":
            self._json(200, list(PROVISIONED.sources.values()))
        elif path.startswith("/api/datasources/uid/") and last == "health":
            self._json(*_health(path.split("/")[4]))
        elif path == "/api/search":
            rows = PROVISIONED.dashboards.values()
            self._json(200, [{"uid": one["uid"], "title": one["title"]} for one in rows])
        elif path.startswith("/api/dashboards/uid/") and last in PROVISIONED.dashboards:
            dashboard = PROVISIONED.dashboards[last]
            self._json(200, {"dashboard": dashboard, "meta": {"provisioned": True}})
        elif path == "/api/user/stars":
            self._json(200, database.stars())
        else:
            self._json(404, {"message": "Not found"})

    def _signed_in(self) -> bool:
        try:
            kind, _, text = self.headers.get("Authorization", "").partition(" ")
            user, _, password = base64.b64decode(text).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            kind = user = password = ""
        right = kind == "Basic" and user == os.environ.get("GF_SECURITY_ADMIN_USER", "admin")
        if right and database.knows(password):
            return True
        self._json(401, {"message": "Unauthorized"})
        return False

    def _json(self, status: int, content: Any) -> None:
        self._send(status, json.dumps(content), "application/json")

    def _send(self, status: int, text: str, kind: str) -> None:
        self.send_response(status)
        self.send_header("X-Grafana-Stand-In", "not Grafana")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        """No line per request, as with Grafana's own setting."""


def _health(uid: str) -> tuple[int, dict[str, str]]:
    """Asks the store behind a data source, from here, as Grafana's button does."""
    source = PROVISIONED.sources.get(uid)
    if not source:
        return 404, {"message": "Data source not found"}
    try:
        with urllib.request.urlopen(source["url"] + _PROBES[source["type"]], timeout=5):
            return 200, {"status": "OK"}
    except (urllib.error.URLError, TimeoutError) as error:
        return 400, {"status": "ERROR", "message": str(error)}


def _metrics() -> str:
    return (
        f'grafana_build_info{{version="{contract.VERSION}",edition="stand-in"}} 1\n'
        f"grafana_stat_totals_dashboard {len(PROVISIONED.dashboards)}\n"
        f"grafana_stat_totals_datasource {len(PROVISIONED.sources)}\n"
    )


def main() -> None:
    """Refuses to start, or answers until it is stopped."""
    sys.stderr.write("This is a stand-in for Grafana, not Grafana.\n")
    if found := contract.problems(os.environ):
        sys.exit("\n".join(found))
    try:
        read = provisioning.read(Path(os.environ["GF_PATHS_PROVISIONING"]))
        database.set_up(os.environ)
    except (
        provisioning.WrongFileError,
        database.RefusedError,
        yaml.YAMLError,
        ValueError,
    ) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    except psycopg2.Error as error:
        sys.exit(f"GF_DATABASE_*: {error}")
    PROVISIONED.sources.update(read.sources)
    PROVISIONED.dashboards.update(read.dashboards)
    home = os.environ.get("GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH", "")
    if home and not Path(home).is_file():
        sys.exit(f"GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: {home} is not there")
    ThreadingHTTPServer(("", 3000), Handler).serve_forever()


if __name__ == "__main__":
    main()
