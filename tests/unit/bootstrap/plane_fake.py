"""As much of Plane as bootstrap's steps ask for, in this process; answers as its API does."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx

EMAIL, PASSWORD = "admin@monolith.localhost", "right"


@dataclass
class FakePlane:
    """State of one Plane, and the requests that changed it."""

    users: dict[str, str] = field(default_factory=dict)
    admins: set[str] = field(default_factory=set)
    telemetry: bool = True
    sign_up: bool = True
    workspaces: set[str] = field(default_factory=set)
    members: bool = True
    is_renamed: bool = False
    tokens: dict[str, str] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)

    def changes(self) -> list[str]:
        """Method and path of every request that is no question."""
        asked = [one for one in self.requests if one.method != "GET"]
        return [f"{one.method} {one.url.path}" for one in asked]

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        name = f"{request.method} {request.url.path}"
        if request.url.path.startswith("/api/v1/"):
            return self._with_token(request)
        if request.method == "DELETE":
            del self.tokens[request.url.path.rstrip("/").rpartition("/")[2]]
            return httpx.Response(204)
        return {
            "GET /": self._fine,
            "GET /api/instances/": self._instance,
            "GET /auth/get-csrf-token/": self._csrf,
            "POST /api/instances/admins/sign-up/": self._sign_up,
            "POST /api/instances/admins/sign-in/": self._sign_in,
            "POST /auth/sign-in/": self._sign_in,
            "PATCH /api/instances/": self._set_telemetry,
            "PATCH /api/instances/configurations/": self._configure,
            "GET /api/instances/workspaces/": self._list_workspaces,
            "POST /api/instances/workspaces/": self._workspace,
            "GET /api/users/api-tokens/": self._list_tokens,
            "POST /api/users/api-tokens/": self._token,
        }[name](request)

    def _fine(self, _: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"status": "OK"})

    def _csrf(self, _: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"csrf_token": "c"})

    def _instance(self, _: httpx.Request) -> httpx.Response:
        instance = {"is_setup_done": bool(self.admins), "is_telemetry_enabled": self.telemetry}
        config = {"enable_signup": self.sign_up}
        return httpx.Response(200, json={"instance": instance, "config": config})

    def _sign_up(self, request: httpx.Request) -> httpx.Response:
        form = fields(request)
        if form["email"] in self.users:
            return refused("ADMIN_USER_ALREADY_EXIST")
        self.users[form["email"]] = form["password"]
        self.admins.add(form["email"])
        self.telemetry = form["is_telemetry_enabled"] != "False"
        return moved("/god-mode/general/")

    def _sign_in(self, request: httpx.Request) -> httpx.Response:
        form = fields(request)
        if form["email"] not in self.users:
            return refused("ADMIN_USER_DOES_NOT_EXIST")
        if self.users[form["email"]] != form["password"]:
            return refused("ADMIN_AUTHENTICATION_FAILED")
        return moved("/")

    def _set_telemetry(self, request: httpx.Request) -> httpx.Response:
        self.telemetry = json.loads(request.content)["is_telemetry_enabled"]
        return httpx.Response(200, json={})

    def _configure(self, request: httpx.Request) -> httpx.Response:
        self.sign_up = json.loads(request.content)["ENABLE_SIGNUP"] == "1"
        return httpx.Response(200, json=[])

    def _list_workspaces(self, _: httpx.Request) -> httpx.Response:
        found = [] if self.is_renamed else [{"slug": slug} for slug in self.workspaces]
        return httpx.Response(200, json={"results": found})

    def _workspace(self, request: httpx.Request) -> httpx.Response:
        slug = json.loads(request.content)["slug"]
        if slug in self.workspaces:
            return httpx.Response(400, json={"slug": ["Slug is already in use"]})
        self.workspaces.add(slug)
        return httpx.Response(201, json={})

    def _list_tokens(self, _: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, json=[{"id": key, "label": label} for key, label in self.tokens.items()]
        )

    def _token(self, request: httpx.Request) -> httpx.Response:
        key = str(len(self.requests))
        self.tokens[key] = json.loads(request.content)["label"]
        return httpx.Response(201, json={"id": key, "token": f"plane_api_{key}"})

    def _with_token(self, request: httpx.Request) -> httpx.Response:
        if request.headers["X-Api-Key"].removeprefix("plane_api_") not in self.tokens:
            return httpx.Response(403)
        if request.url.path == "/api/v1/users/me/":
            return httpx.Response(200, json={"email": EMAIL})
        return httpx.Response(200 if self.workspaces and self.members else 403, json={})


def fields(request: httpx.Request) -> dict[str, Any]:
    return {name: values[0] for name, values in parse_qs(request.content.decode()).items()}


def moved(path: str) -> httpx.Response:
    return httpx.Response(302, headers={"Location": f"http://plane.monolith.localhost:8080{path}"})


def refused(code: str) -> httpx.Response:
    return moved(f"/god-mode/?error_code=5170&error_message={code}")
