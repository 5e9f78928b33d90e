"""STAND-IN. The installation: its first administrator, its settings, its workspaces."""

from __future__ import annotations

import os
import re
import secrets

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from zxcvbn import zxcvbn

from plane import accounts
from plane.cache import cached, forget, used
from plane.database import Row, as_json, every, insert, one, update
from plane.web import Answer, Call, RefusedError, needed, page, route

INFO = "instances:info"
GOD_MODE = "/god-mode/"
RESERVED = (
    "404 accounts api create-workspace god-mode installations invitations onboarding profile"
    " spaces workspace-invitations password flags monitor ingest live admin settings config"
    " sign-in sign-up signin signup dashboard pages instances instance license billing"
)


def yes(value: object) -> bool:
    """A truth value of a form or of JSON."""
    return value is True or str(value).lower() in ("true", "1", "on", "yes")


def instance_row(call: Call) -> Row:
    """The one installation."""
    return needed(one(call.db, "SELECT * FROM instances"))


def person(row: Row) -> Row:
    """A user as others see them."""
    return {
        "id": row["id"],
        "first_name": row["first_name"],
        "last_name": row["last_name"],
        "email": row["email"],
        "avatar": "",
        "avatar_url": None,
        "display_name": row["email"].partition("@")[0],
    }


def gather(call: Call) -> Row:
    """What anybody may know about the installation."""
    settings = {
        row["key"]: row["value"] for row in every(call.db, "SELECT * FROM instance_configurations")
    }
    config = {
        "enable_signup": settings["ENABLE_SIGNUP"] == "1",
        "is_workspace_creation_disabled": settings["DISABLE_WORKSPACE_CREATION"] == "1",
        "is_magic_login_enabled": settings["ENABLE_MAGIC_LINK_LOGIN"] == "1",
        "is_email_password_enabled": settings["ENABLE_EMAIL_PASSWORD"] == "1",
        **{
            f"is_{name}_enabled": settings[f"IS_{name.upper()}_ENABLED"] == "1"
            for name in ("google", "github", "gitlab", "gitea")
        },
        "is_smtp_configured": bool(settings["EMAIL_HOST"]),
        "has_llm_configured": bool(settings["LLM_API_KEY"]),
        "file_size_limit": float(os.environ["FILE_SIZE_LIMIT"]),
        "instance_changelog_url": os.environ.get("INSTANCE_CHANGELOG_URL", ""),
        "is_self_managed": True,
    }
    exist = one(call.db, "SELECT id FROM workspaces LIMIT 1") is not None
    instance = {**instance_row(call), "is_activated": True, "workspaces_exist": exist}
    plain = {key: value if isinstance(value, bool) else as_json(value)
             for key, value in instance.items() if value is not None}  # fmt: skip
    return {"config": config, "instance": plain}


def info(call: Call) -> Response:
    """What anybody may know, from the cache."""
    accounts.throttle_anonymous(call)
    return Answer(cached(INFO, lambda: gather(call)))


def patch_instance(call: Call) -> Response:
    """Change the installation's own fields."""
    accounts.instance_admin(call)
    instance = instance_row(call)
    values: Row = {
        name: yes(call.data[name])
        for name in ("is_telemetry_enabled", "is_support_required")
        if name in call.data
    }
    if name := call.data.get("instance_name"):
        values["instance_name"] = name
    call.after.append(lambda: forget(INFO))
    return Answer(update(call.db, "instances", instance["id"], **values) if values else instance)


def settings(call: Call) -> Response:
    """All settings, for administrators."""
    accounts.instance_admin(call)
    return Answer(every(call.db, "SELECT * FROM instance_configurations ORDER BY key"))


def patch_settings(call: Call) -> Response:
    """Change settings by their keys; keys that do not exist are passed over, as in Plane."""
    accounts.instance_admin(call)
    query = "UPDATE instance_configurations SET value = %s, updated_at = now() WHERE key = %s"
    for key, value in call.data.items():
        call.db.execute(query, ["" if value is None else str(value).strip(), key])
    call.after.append(lambda: forget(INFO))
    query = "SELECT * FROM instance_configurations WHERE key = ANY(%s) ORDER BY key"
    return Answer(every(call.db, query, list(call.data)))


def too_often(call: Call) -> bool:
    """Whether one address tries to sign in again and again."""
    rate = os.environ.get("AUTHENTICATION_RATE_LIMIT", "10/minute")
    return used("authentication", accounts.address(call), rate)[0] < 0


def sign_up_problem(call: Call, email: str, password: str) -> str | None:
    """Why this cannot become the first administrator."""
    if one(call.db, "SELECT id FROM instance_admins") is not None:
        return "ADMIN_ALREADY_EXIST"
    if not email or not password or not call.data.get("first_name"):
        return "REQUIRED_ADMIN_EMAIL_PASSWORD_FIRST_NAME"
    if not accounts.EMAIL.fullmatch(email):
        return "INVALID_ADMIN_EMAIL"
    if one(call.db, "SELECT id FROM users WHERE email = %s", email) is not None:
        return "ADMIN_USER_ALREADY_EXIST"
    return "PASSWORD_TOO_WEAK" if zxcvbn(password[:72])["score"] < 3 else None


def sign_up(call: Call) -> Response:
    """Make the first administrator; only while there is none."""
    if reason := accounts.forgery(call):
        return accounts.forged(reason)
    email = str(call.data.get("email", "")).strip().lower()
    password = str(call.data.get("password", ""))
    call.db.execute("SELECT pg_advisory_xact_lock(1)")
    code = "RATE_LIMIT_EXCEEDED" if too_often(call) else sign_up_problem(call, email, password)
    if code:
        return accounts.failed(GOD_MODE, code, email=email)
    user = first_user(call, email, password)
    if "user-agent" not in call.request.headers:
        # Plane has stored the user by now, and then finds that it has nothing to note for this.
        call.db.commit()
        raise RefusedError(500, {"error": "Something went wrong please try again later"})
    return first_admin(call, user)


def first_user(call: Call, email: str, password: str) -> Row:
    """Store who is to be the administrator."""
    return insert(
        call.db,
        "users",
        email=email,
        password=accounts.hashed(password, secrets.token_hex(8)),
        first_name=call.data["first_name"],
        last_name=call.data.get("last_name", ""),
        last_login_uagent=call.request.headers.get("user-agent", ""),
    )


def first_admin(call: Call, user: Row) -> Response:
    """Make a user the administrator, mark the setup done, and sign them in."""
    insert(call.db, "instance_admins", user_id=user["id"])
    update(
        call.db,
        "instances",
        instance_row(call)["id"],
        is_setup_done=True,
        instance_name=call.data.get("company_name", ""),
        is_telemetry_enabled=yes(call.data.get("is_telemetry_enabled", True)),
    )
    call.after.append(lambda: forget(INFO))
    target = RedirectResponse(accounts.web_url(GOD_MODE + "general/"), 302)
    return accounts.sign_in(call, target, user["id"], admin=True)


def sign_in(call: Call) -> Response:
    """Open an administrator's session."""
    if reason := accounts.forgery(call):
        return accounts.forged(reason)
    email, password = str(call.data.get("email", "")).lower(), str(call.data.get("password", ""))
    user = one(call.db, "SELECT * FROM users WHERE email = %s", email)
    if too_often(call):
        return accounts.failed(GOD_MODE, "RATE_LIMIT_EXCEEDED")
    if not email or not password:
        return accounts.failed(GOD_MODE, "REQUIRED_ADMIN_EMAIL_PASSWORD", email=email)
    if user is None:
        return accounts.failed(GOD_MODE, "ADMIN_USER_DOES_NOT_EXIST", email=email)
    admin = one(call.db, "SELECT id FROM instance_admins WHERE user_id = %s", user["id"])
    if admin is None or not accounts.matches(user, password):
        return accounts.failed(GOD_MODE, "ADMIN_AUTHENTICATION_FAILED", email=email)
    target = RedirectResponse(accounts.web_url(GOD_MODE + "general/"), 302)
    return accounts.sign_in(call, target, user["id"], admin=True)


def me(call: Call) -> Response:
    """The administrator who is signed in."""
    return Answer(person(accounts.instance_admin(call)))


def workspaces(call: Call) -> Response:
    """The workspaces, ten on a page."""
    accounts.instance_admin(call)
    query = (
        "SELECT w.*, (SELECT count(*) FROM projects WHERE workspace = w.id) AS total_projects,"
        " (SELECT count(*) FROM workspace_members WHERE workspace = w.id) AS total_members"
        " FROM workspaces AS w ORDER BY created_at DESC"
    )
    return page(call, query, most=10)


def slug_problem(call: Call, slug: str) -> str | None:
    """Why a workspace cannot have this slug."""
    if not re.fullmatch(r"[-a-zA-Z0-9_]+", slug):
        return 'Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.'
    if slug in RESERVED.split():
        return "Slug is not valid"
    query = "SELECT slug FROM workspaces WHERE lower(slug) = lower(%s)"
    found = one(call.db, query, slug)
    if found is None:
        return None
    return "This field must be unique." if found["slug"] == slug else "Slug is already in use"


def slug_check(call: Call) -> Response:
    """Whether a slug is free."""
    accounts.instance_admin(call)
    slug = call.request.query_params.get("slug")
    if not slug:
        raise RefusedError(400, {"error": "Workspace Slug is required"})
    return Answer({"status": slug_problem(call, slug) is None})


def create_workspace(call: Call) -> Response:
    """A new workspace of the administrator who asks."""
    owner = accounts.instance_admin(call)
    name, slug = call.data.get("name"), call.data.get("slug")
    if not name or not slug:
        raise RefusedError(400, {"error": "Both name and slug are required"})
    if len(name) > 80 or len(slug) > 48:
        raise RefusedError(400, {"error": "The maximum length for name is 80 and for slug is 48"})
    if problem := slug_problem(call, slug):
        raise RefusedError(400, {"slug": [problem]})
    size = call.data.get("organization_size")
    row = insert(
        call.db, "workspaces", name=name, slug=slug, owner=owner["id"], organization_size=size
    )
    insert(call.db, "workspace_members", workspace=row["id"], member=owner["id"], role=20)
    call.after.append(lambda: forget(INFO))
    return Answer({**row, "owner": person(owner), "logo_url": None}, 201)


ROUTES: list[Route] = [
    route("/api/instances/", GET=info, PATCH=patch_instance),
    route("/api/instances/configurations/", GET=settings, PATCH=patch_settings),
    route("/api/instances/admins/sign-up/", POST=sign_up),
    route("/api/instances/admins/sign-in/", POST=sign_in),
    route("/api/instances/admins/me/", GET=me),
    route("/api/instances/workspace-slug-check/", GET=slug_check),
    route("/api/instances/workspaces/", GET=workspaces, POST=create_workspace),
]
