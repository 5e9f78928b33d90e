"""As much of n8n as bootstrap's step asks for, in this process; answers as its API does."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from monolith.bootstrap.n8n_workflows import paths

EMAIL, PASSWORD = "admin@monolith.localhost", "right"
PAGE = 2


@dataclass
class FakeN8n:
    """State of one n8n, and the requests that changed it. `ends_at` dies behind such a request."""

    password: str = PASSWORD
    keys: dict[str, str] = field(default_factory=dict)
    credentials: dict[str, dict[str, Any]] = field(default_factory=dict)
    workflows: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)
    ends_at: str = ""

    def changes(self) -> list[str]:
        """Method and path of every request that is no question."""
        asked = [one for one in self.requests if one.method != "GET"]
        return [f"{one.method} {one.url.path}" for one in asked]

    def named(self, name: str) -> dict[str, Any]:
        (found,) = [one for one in self.workflows.values() if one["name"] == name]
        return found

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.path
        answer = self._rest(request) if path.startswith("/rest/") else self._api(request)
        if self.ends_at and self.ends_at in f"{request.method} {path}":
            raise KeyboardInterrupt
        return answer

    def _rest(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content or "{}")
        if request.url.path == "/rest/login":
            is_owner = body == {"emailOrLdapLoginId": EMAIL, "password": self.password}
            cookie = {"set-cookie": "n8n-auth=session; Path=/"} if is_owner else {}
            return httpx.Response(200 if is_owner else 401, json={}, headers=cookie)
        if "n8n-auth" not in request.headers.get("cookie", ""):
            return httpx.Response(401)
        if request.method == "DELETE":
            del self.keys[request.url.path.rpartition("/")[2]]
            return httpx.Response(200, json={})
        if request.method == "GET":
            items = [{"id": key, "label": label} for key, label in self.keys.items()]
            return httpx.Response(200, json={"data": {"items": items}})
        key = f"key-{len(self.requests)}"
        self.keys[key] = body["label"]
        return httpx.Response(200, json={"data": {"rawApiKey": key}})

    def _api(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("x-n8n-api-key") not in self.keys:
            return httpx.Response(401)
        _, _, _, kind, *rest = request.url.path.split("/")
        there = {"credentials": self.credentials, "workflows": self.workflows}[kind]
        if request.method == "GET":
            return _page(list(there.values()), int(request.url.params.get("cursor", 0)))
        if rest[1:] == ["activate"]:
            return self._publish(there[rest[0]])
        key = rest[0] if rest else f"{kind[0]}{len(self.requests)}"
        default = {"id": key, "active": False, "isArchived": False}
        there[key] = there.get(key, default) | json.loads(request.content)
        return httpx.Response(200, json=there[key])

    def _publish(self, workflow: dict[str, Any]) -> httpx.Response:
        others = [one for one in self.workflows.values() if one["active"] and one is not workflow]
        if any(paths(one) & paths(workflow) for one in others):
            message = "There is a conflict with one of the webhooks."
            return httpx.Response(409, json={"message": message})
        workflow["active"] = True
        return httpx.Response(200, json=workflow)


def _page(entries: list[dict[str, Any]], start: int) -> httpx.Response:
    end = start + PAGE
    following = str(end) if end < len(entries) else None
    return httpx.Response(200, json={"data": entries[start:end], "nextCursor": following})
