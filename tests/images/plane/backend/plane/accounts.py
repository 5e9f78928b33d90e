"""STAND-IN. Who is calling: forms with their CSRF token, sessions, API tokens, and how often."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from starlette.responses import HTMLResponse, RedirectResponse, Response

from plane.cache import used
from plane.database import Row, one
from plane.web import Answer, Call, RefusedError, detail

ERRORS = {
    "INSTANCE_NOT_CONFIGURED": 5000,
    "PASSWORD_TOO_WEAK": 5021,
    "USER_DOES_NOT_EXIST": 5060,
    "AUTHENTICATION_FAILED_SIGN_IN": 5065,
    "REQUIRED_EMAIL_PASSWORD_SIGN_IN": 5070,
    "INVALID_EMAIL_SIGN_IN": 5075,
    "ADMIN_ALREADY_EXIST": 5150,
    "REQUIRED_ADMIN_EMAIL_PASSWORD_FIRST_NAME": 5155,
    "INVALID_ADMIN_EMAIL": 5160,
    "REQUIRED_ADMIN_EMAIL_PASSWORD": 5170,
    "ADMIN_AUTHENTICATION_FAILED": 5175,
    "ADMIN_USER_ALREADY_EXIST": 5180,
    "ADMIN_USER_DOES_NOT_EXIST": 5185,
    "RATE_LIMIT_EXCEEDED": 5900,
}
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
ANONYMOUS = "Authentication credentials were not provided."
FORBIDDEN = "You do not have permission to perform this action."
ADMIN_AGE, USER_AGE = 3600, 604800


def web_url(path: str = "") -> str:
    """An address of the site, as people see it."""
    return os.environ["WEB_URL"] + path


def failed(page: str, code: str, **fields: object) -> RedirectResponse:
    """Back to a page, which then tells what was wrong. Also with status 302."""
    query = urlencode({"error_code": ERRORS[code], "error_message": code, **fields})
    return RedirectResponse(web_url(f"{page}?{query}"), 302)


def trusted_origins() -> set[str]:
    """The sites that may send forms."""
    entries = os.environ["CORS_ALLOWED_ORIGINS"].split(",")
    return {web_url(), *(entry.strip() for entry in entries if entry.strip())}


def set_cookie(response: Response, name: str, value: str, age: int) -> None:
    """A cookie that scripts cannot read; only on https where no http origin is allowed."""
    secure = not any(origin.startswith("http:") for origin in trusted_origins())
    response.set_cookie(name, value, max_age=age, httponly=True, samesite="lax", secure=secure)


def csrf_token(call: Call) -> Response:
    """A fresh token, in a cookie and in the body."""
    throttle_anonymous(call)
    token = call.request.cookies.get("csrftoken") or secrets.token_hex(32)
    response = Answer({"csrf_token": token})
    set_cookie(response, "csrftoken", token, 31449600)
    return response


def forgery(call: Call) -> str | None:
    """What makes a form suspicious."""
    headers, trusted = call.request.headers, trusted_origins()
    if headers.get("host") not in {urlsplit(origin).netloc for origin in trusted}:
        return "Host is not the one of WEB_URL"
    referer = urlsplit(headers.get("referer", ""))
    sources = [headers.get("origin"), f"{referer.scheme}://{referer.netloc}"]
    named = [source for source in sources if source not in (None, "://")]
    if not named or any(source not in trusted for source in named):
        return "Origin and Referer are missing or not of WEB_URL"
    cookie = call.request.cookies.get("csrftoken", "")
    form = call.data.get("csrfmiddlewaretoken") or headers.get("x-csrftoken", "")
    good = bool(cookie) and hmac.compare_digest(cookie.encode(), str(form).encode())
    return None if good else "CSRF token missing or incorrect"


def forged(reason: str) -> HTMLResponse:
    """Plane's page for it, which comes with status 200."""
    text = f"<title>Plane stand-in</title><h1>CSRF verification failed</h1><p>{reason}</p>"
    return HTMLResponse(text, 200)


def hashed(password: str, salt: str) -> str:
    """A password in the form that is stored."""
    digest = hashlib.scrypt(password.encode(), salt=salt.encode(), n=2**14, r=8, p=1)
    return f"{salt}${digest.hex()}"


def matches(user: Row, password: str) -> bool:
    """Whether this is the user's password."""
    salt = str(user["password"]).partition("$")[0]
    return hmac.compare_digest(hashed(password, salt), str(user["password"]))


def sign_in(call: Call, response: Response, user: UUID, *, admin: bool) -> Response:
    """Open a session, and change the CSRF token: the old one is of no use any more."""
    key, age = secrets.token_urlsafe(32), ADMIN_AGE if admin else USER_AGE
    call.db.execute(
        "INSERT INTO sessions VALUES (%s, %s, %s, now() + make_interval(secs => %s))",
        [key, admin, user, age],
    )
    set_cookie(response, "admin-session-id" if admin else "session-id", key, age)
    set_cookie(response, "csrftoken", secrets.token_hex(32), 31449600)
    return response


def current_user(call: Call) -> Row | None:
    """Who has the session of this request: pages of the instance have one of their own."""
    admin = "instances" in call.request.url.path
    key = call.request.cookies.get("admin-session-id" if admin else "session-id")
    query = (
        "SELECT users.* FROM users JOIN sessions ON user_id = users.id"
        " WHERE session_key = %s AND is_admin = %s AND expires > now()"
    )
    return one(call.db, query, key, admin) if key else None


def user(call: Call) -> Row:
    """Who is signed in."""
    found = current_user(call)
    if found is None:
        raise detail(401, ANONYMOUS)
    return found


def instance_admin(call: Call) -> Row:
    """The administrator who is signed in."""
    found = user(call)
    if one(call.db, "SELECT id FROM instance_admins WHERE user_id = %s", found["id"]) is None:
        raise detail(403, FORBIDDEN)
    return found


def member(call: Call, who: Row) -> Row:
    """The workspace of the path, of which this user is a member."""
    query = (
        "SELECT workspaces.* FROM workspaces JOIN workspace_members"
        " ON workspace = workspaces.id WHERE slug = %s AND member = %s"
    )
    found = one(call.db, query, call.path("slug"), who["id"])
    if found is None:
        raise detail(403, FORBIDDEN)
    return found


def too_many() -> RefusedError:
    """Asked too often."""
    code = "RATE_LIMIT_EXCEEDED"
    return RefusedError(429, {"error_code": ERRORS[code], "error_message": code})


def address(call: Call) -> str:
    """Where the request comes from."""
    return call.request.client.host if call.request.client else "unknown"


def throttle_anonymous(call: Call) -> None:
    """Whoever is not signed in may ask 30 times a minute."""
    if current_user(call) is None and used("anon", address(call), "30/minute")[0] < 0:
        raise too_many()


def token_user(call: Call) -> Row:
    """Whose API token came with the request."""
    token = call.request.headers.get("x-api-key")
    if not token:
        raise detail(401, ANONYMOUS)
    query = (
        "UPDATE api_tokens SET last_used = now() FROM users WHERE users.id = user_id"
        " AND token = %s AND api_tokens.is_active"
        " AND (expired_at IS NULL OR expired_at > now()) RETURNING users.*"
    )
    found = one(call.db, query, token)
    if found is None:
        raise detail(403, "Given API token is not valid")
    left, until = used("api_key", token, os.environ.get("API_KEY_RATE_LIMIT", "60/minute"))
    if left < 0:
        raise too_many()
    call.headers.update({"X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": str(until)})
    call.after.append(lambda: note(call, token))
    return found


def note(call: Call, token: str) -> None:
    """Have a worker keep what was asked with a token."""
    from plane.celery import later

    asked = {"path": call.request.url.path, "method": call.request.method}
    later("process_logs", {**asked, "token_identifier": token}, module="plane.bgtasks.logger_task")
