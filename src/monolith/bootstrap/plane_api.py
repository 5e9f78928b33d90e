"""Plane as its own pages call it: forms with a CSRF token, sessions in cookies."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from monolith.bootstrap.http import Api
from monolith.errors import UserError


class FormError(UserError):
    """A form was answered by a redirect to an error. `code` is Plane's word for it."""

    def __init__(self, path: str, code: str) -> None:
        self.code = code
        super().__init__(f"Plane refused {path}: {code}.", hint="`monolith logs plane-api`")


class Plane(Api):
    """Plane's API reached at `url`, called as from the pages of `web_url`."""

    def __init__(self, url: str, web_url: str) -> None:
        # Without a User-Agent the first administrator is made by halves.
        headers = {
            "Host": urlsplit(web_url).netloc,
            "Origin": web_url,
            "Referer": f"{web_url}/",
            "User-Agent": "monolith",
        }
        super().__init__("Plane", url, headers)

    def submit(self, path: str, **fields: str) -> None:
        """Post a form, which leaves a session in the cookies. Raises FormError."""
        token = self.get("/auth/get-csrf-token/")["csrf_token"]
        answer = self.send("POST", path, data={**fields, "csrfmiddlewaretoken": token})
        query = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
        if not answer.is_redirect or "error_code" in query:
            default = [f"status {answer.status_code}"]
            raise FormError(path, query.get("error_message", default)[0])

    def instance(self) -> Instance:
        """What everybody may know of this Plane."""
        return Instance(self.get("/api/instances/"))

    def is_signed_in(self) -> bool:
        """Whether the cookies hold a session that is still good."""
        return self.send("GET", "/api/users/me/", 401, 403).is_success

    def opens(self, token: str, path: str) -> bool:
        """Whether an API token is good for reading `path` below `/api/v1/`; an empty one is not."""
        if not token:
            return False
        headers = {"X-Api-Key": token}
        # 404 is Plane's answer where a workspace is not there.
        fine = (401, 403, 404)
        return self.send("GET", f"/api/v1/{path}", *fine, headers=headers).is_success


class Instance:
    """Answers of `/api/instances/`."""

    def __init__(self, answer: dict[str, Any]) -> None:
        instance, config = answer.get("instance") or {}, answer.get("config") or {}
        self.is_set_up = bool(instance.get("is_setup_done"))
        self.has_telemetry = bool(instance.get("is_telemetry_enabled", True))
        self.has_sign_up = bool(config.get("enable_signup", True))

    @property
    def is_as_wanted(self) -> bool:
        """Set up, closed to strangers, silent."""
        return self.is_set_up and not self.has_telemetry and not self.has_sign_up
