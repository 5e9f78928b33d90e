"""As much of the senders of webhooks as bootstrap asks for; they are told apart by their port."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

TOKEN, SIGN_IN = "of-the-first-user", {"session-id": "signed-in"}
PORTS = {
    ("label-studio", 8080): 1, ("mlflow", 5000): 2, ("plane-api", 8000): 3, ("prefect", 4200): 4,
    ("n8n", 5678): 5, ("prefect-worker", 8080): 6,
}  # fmt: skip
Hook = dict[str, Any]


def nowhere() -> list[Hook]:
    """The webhook that Label Studio's start leaves for bootstrap."""
    return [{"id": 7, "project": None, "url": "http://webhook.invalid/", "headers": {},
             "is_active": False, "send_payload": True, "send_for_all_actions": False,
             "actions": []}]  # fmt: skip


@dataclass
class FakeSenders:
    """Their webhooks, and every request."""

    labels: list[Hook] = field(default_factory=nowhere)
    mlflow: list[Hook] = field(default_factory=list)
    plane: list[Hook] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    deployments: list[Hook] = field(default_factory=list)
    blocks: list[Hook] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)

    def changes(self, port: int) -> list[str]:
        """Method and path of every request to one of them that is no question."""
        asked = [one for one in self.requests if one.url.port == port and one.method != "GET"]
        return [f"{one.method} {one.url.path}" for one in asked]

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        asked: dict[int | None, Callable[[httpx.Request], httpx.Response]] = {
            1: self._label_studio, 2: self._mlflow, 3: self._plane, 4: self._prefect,
        }  # fmt: skip
        return asked[request.url.port](request)

    def _label_studio(self, request: httpx.Request) -> httpx.Response:
        if request.headers["Authorization"] != f"Token {TOKEN}":
            return httpx.Response(401)
        if request.url.path == "/api/current-user/whoami":
            return httpx.Response(200, json={"id": 1})
        if request.method == "PATCH":
            self.labels[0] |= json.loads(request.content)
        return httpx.Response(200, json=self.labels)

    def _mlflow(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content or "{}")
        shown = {name: value for name, value in body.items() if name != "secret"}
        self.secrets += [body["secret"]] if "secret" in body else []
        if request.method == "POST":
            self.mlflow.append({"webhook_id": "w", **shown})
        if request.method == "PATCH":
            self.mlflow[0] |= shown
        return httpx.Response(200, json={"webhooks": self.mlflow} if self.mlflow else {})

    def _plane(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/get-csrf-token/":
            return httpx.Response(200, json={"csrf_token": "c"})
        if request.url.path == "/auth/sign-in/":
            cookie = "session-id=signed-in; Path=/"
            return httpx.Response(302, headers={"Location": "/", "Set-Cookie": cookie})
        if "session-id=signed-in" not in request.headers.get("Cookie", ""):
            return httpx.Response(401)
        return self._planes_webhooks(request)

    def _planes_webhooks(self, request: httpx.Request) -> httpx.Response:
        issued = {"secret_key": f"plane_wh_{len(self.requests)}"}
        if request.url.path.endswith("/regenerate/"):
            return httpx.Response(200, json=self.plane[0] | issued)
        body = json.loads(request.content or "{}")
        if request.method == "POST":
            self.plane.append({"id": "p", **body})
            return httpx.Response(201, json=self.plane[0] | issued)
        if request.method == "PATCH":
            self.plane[0] |= body
        return httpx.Response(200, json=self.plane)

    def _prefect(self, request: httpx.Request) -> httpx.Response:
        path, body = request.url.path, json.loads(request.content or "{}")
        if path.startswith("/api/deployments/name/"):
            found = self.deployments[:1]
            return httpx.Response(200 if found else 404, json=found[0] if found else {})
        if path == "/api/deployments/":
            self.deployments.append(body)
        return httpx.Response(201, json={"id": "f"})
