"""STAND-IN. What a signed-in person uses: their session and API tokens."""

from __future__ import annotations

import os
import uuid

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from plane import accounts
from plane.database import Row, every, insert, one
from plane.instances import person, too_often
from plane.web import Answer, Call, detail, needed, route


def sign_in_problem(call: Call, found: Row | None, email: str, password: str) -> str | None:
    """Why nobody gets a session."""
    if too_often(call):
        return "RATE_LIMIT_EXCEEDED"
    if not needed(one(call.db, "SELECT is_setup_done FROM instances"))["is_setup_done"]:
        return "INSTANCE_NOT_CONFIGURED"
    if not email or not password:
        return "REQUIRED_EMAIL_PASSWORD_SIGN_IN"
    if not accounts.EMAIL.fullmatch(email):
        return "INVALID_EMAIL_SIGN_IN"
    if found is None:
        return "USER_DOES_NOT_EXIST"
    return None if accounts.matches(found, password) else "AUTHENTICATION_FAILED_SIGN_IN"


def sign_in(call: Call) -> Response:
    """Open a person's session. A refusal is a 302 as well: only the cookie tells."""
    if reason := accounts.forgery(call):
        return accounts.forged(reason)
    email = str(call.data.get("email", "")).strip().lower()
    password = str(call.data.get("password", ""))
    found = one(call.db, "SELECT * FROM users WHERE email = %s", email)
    if code := sign_in_problem(call, found, email, password):
        return accounts.failed("/", code, email=email)
    target = RedirectResponse(accounts.web_url(), 302)
    return accounts.sign_in(call, target, needed(found)["id"], admin=False)


def me(call: Call) -> Response:
    """Who is signed in. The live server asks this too, with the secret that both must have."""
    key = call.request.headers.get("live-server-secret-key")
    if key is not None and key != os.environ["LIVE_SERVER_SECRET_KEY"]:
        raise detail(403, "LIVE_SERVER_SECRET_KEY is not the one of the API")
    return Answer(person(accounts.user(call)))


def without(row: Row, *names: str) -> Row:
    """A row without some of its columns."""
    return {name: value for name, value in row.items() if name not in names}


def tokens(call: Call) -> Response:
    """The person's API tokens, which are not shown again."""
    query = "SELECT * FROM api_tokens WHERE user_id = %s ORDER BY created_at DESC"
    rows = every(call.db, query, accounts.user(call)["id"])
    return Answer([without(row, "token") for row in rows])


def create_token(call: Call) -> Response:
    """A new API token, in this answer only."""
    row = insert(
        call.db,
        "api_tokens",
        user_id=accounts.user(call)["id"],
        label=call.data.get("label") or uuid.uuid4().hex,
        description=call.data.get("description", ""),
        expired_at=call.data.get("expired_at"),
        token=f"plane_api_{uuid.uuid4().hex}",
    )
    return Answer(row, 201)


def token(call: Call) -> Response:
    """One of the person's API tokens."""
    query = "SELECT * FROM api_tokens WHERE id = %s AND user_id = %s"
    row = needed(one(call.db, query, call.path("pk"), accounts.user(call)["id"]))
    return Answer(without(row, "token"))


def delete_token(call: Call) -> Response:
    """Take an API token back."""
    token(call)
    call.db.execute("DELETE FROM api_tokens WHERE id = %s", [call.path("pk")])
    return Answer(None, 204)


ROUTES: list[Route] = [
    route("/auth/get-csrf-token/", GET=accounts.csrf_token),
    route("/auth/sign-in/", POST=sign_in),
    route("/api/users/me/", GET=me),
    route("/api/users/api-tokens/", GET=tokens, POST=create_token),
    route("/api/users/api-tokens/{pk:uuid}/", GET=token, DELETE=delete_token),
]
