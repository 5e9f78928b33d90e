"""Plane: its first administrator, its settings, a workspace, and a token for programs."""

from __future__ import annotations

from dataclasses import dataclass, field

from monolith.bootstrap import prefect, waiting
from monolith.bootstrap.http import RefusedError
from monolith.bootstrap.plane_api import FormError, Plane
from monolith.bootstrap.site import Site
from monolith.errors import UserError

SERVICE, PORT = "plane-api", 8000
WORKSPACE, WORKSPACE_NAME = "monolith", "Monolith"
LABEL = "monolith"
BLOCK = "plane-api-key"
OWNER, PASSWORD, TOKEN = "bootstrap", "PLANE_ADMIN_PASSWORD", "PLANE_API_TOKEN"
"""Document of the secret store, and its keys: one generated, one issued by Plane."""
SESSION, COOKIE = "PLANE_SESSION", "session-id"
"""Another such key, and the cookie that it is the value of."""

# Plane prepares itself for minutes, and a new database for some more.
_SECONDS = 900.0
_NO_ADMIN = {"ADMIN_USER_DOES_NOT_EXIST", "ADMIN_AUTHENTICATION_FAILED"}


@dataclass(frozen=True)
class Administrator:
    """Who sets Plane up."""

    email: str
    password: str = field(repr=False)


def ensure(site: Site) -> list[str]:
    """Set Plane up as wanted. Returns what was changed, in words."""
    plane = connect(site)
    changes = [] if _is_as_wanted(site, plane) else _set_up(site, plane)
    return changes + _tell_flows(site)


def connect(site: Site) -> Plane:
    """Plane, when it answers."""
    url = site.url(SERVICE, PORT)
    waiting.until_answers(f"{url}/", "Plane answers", _SECONDS)
    web_url = site.stack.service(SERVICE).model.environment["WEB_URL"]
    return Plane(url, str(web_url).rstrip("/"))


def session(site: Site) -> Plane:
    """Plane as its administrator sees it. The session is used until it ends: each is kept."""
    plane = connect(site)
    plane.client.cookies.set(COOKIE, site.store.read(OWNER).get(SESSION, ""))
    if not plane.is_signed_in():
        plane.client.cookies.clear()
        who = _administrator_of(site)
        plane.submit("/auth/sign-in/", email=who.email, password=who.password)
        values = site.store.read(OWNER) | {SESSION: plane.client.cookies[COOKIE]}
        site.store.write(OWNER, values)
    return plane


def _is_as_wanted(site: Site, plane: Plane) -> bool:
    """Seen without signing in: each sign-in is kept by Plane, and their number is limited."""
    token = site.store.read(OWNER).get(TOKEN, "")
    return (
        plane.instance().is_as_wanted
        and plane.opens(token, "users/me/")
        and plane.opens(token, f"workspaces/{WORKSPACE}/projects/")
    )


def _administrator_of(site: Site) -> Administrator:
    email = site.stack.setting("MONOLITH_ADMIN_EMAIL") or "admin@monolith.localhost"
    return Administrator(email, site.secret(OWNER, PASSWORD))


def _set_up(site: Site, plane: Plane) -> list[str]:
    who = _administrator_of(site)
    changes = _administrator(plane, who) + _settings(plane) + _workspace(plane)
    return changes + _token(site, plane, who)


def _administrator(plane: Plane, who: Administrator) -> list[str]:
    """Sign in as the administrator, made when there is none."""
    if plane.instance().is_set_up:
        _sign_in(plane, who)
        return []
    try:
        plane.submit(
            "/api/instances/admins/sign-up/", email=who.email, password=who.password,
            first_name="Platform", last_name="Administrator", company_name="Monolith",
            is_telemetry_enabled="False",
        )  # fmt: skip
    except FormError as refused:
        if refused.code in ("ADMIN_USER_ALREADY_EXIST", "ADMIN_ALREADY_EXIST"):
            raise _half_made(who) from refused
        raise
    return [f"administrator {who.email}"]


def _sign_in(plane: Plane, who: Administrator) -> None:
    form = {"email": who.email, "password": who.password}
    try:
        plane.submit("/api/instances/admins/sign-in/", **form)
    except FormError as refused:
        if refused.code in _NO_ADMIN:
            raise _other_administrator(who) from refused
        raise


def _settings(plane: Plane) -> list[str]:
    instance, changes = plane.instance(), []
    if instance.has_telemetry:
        plane.send("PATCH", "/api/instances/", json={"is_telemetry_enabled": False})
        changes.append("telemetry off")
    if instance.has_sign_up:
        plane.send("PATCH", "/api/instances/configurations/", json={"ENABLE_SIGNUP": "0"})
        changes.append("sign-up by invitation only")
    return changes


def _workspace(plane: Plane) -> list[str]:
    found = plane.get("/api/instances/workspaces/", params={"search": WORKSPACE_NAME})
    if any(workspace["slug"] == WORKSPACE for workspace in found["results"]):
        return []
    body = {"name": WORKSPACE_NAME, "slug": WORKSPACE, "organization_size": "2-10"}
    try:
        plane.post("/api/instances/workspaces/", body)
    except RefusedError as refused:
        # The search is by name: where people gave it another, Plane says that the slug is taken.
        if "slug" in refused.about:
            return []
        raise
    return [f"workspace {WORKSPACE}"]


def _token(site: Site, plane: Plane, who: Administrator) -> list[str]:
    """A token that opens the workspace, kept in the secret store. Plane shows it once."""
    values = site.store.read(OWNER)
    changes = []
    if not plane.opens(values.get(TOKEN, ""), "users/me/"):
        plane.submit("/auth/sign-in/", email=who.email, password=who.password)
        _remove_tokens(plane)
        token = plane.post("/api/users/api-tokens/", {"label": LABEL})["token"]
        site.store.write(OWNER, site.store.read(OWNER) | {TOKEN: token})
        values, changes = {TOKEN: token}, ["API token"]
    if not plane.opens(values[TOKEN], f"workspaces/{WORKSPACE}/projects/"):
        raise _foreign_workspace(who)
    return changes


def _remove_tokens(plane: Plane) -> None:
    """Tokens of ours that nobody knows: the store has no value that works."""
    for token in plane.get("/api/users/api-tokens/"):
        if token["label"] == LABEL:
            plane.send("DELETE", f"/api/users/api-tokens/{token['id']}/")


def _tell_flows(site: Site) -> list[str]:
    if not site.has(prefect.SERVICE):
        return []
    value = {"value": site.secret(OWNER, TOKEN)}
    return prefect.ensure_block(prefect.connect(site), "secret", BLOCK, value)[1]


def _other_administrator(who: Administrator) -> UserError:
    return UserError(
        f"Plane has an administrator already, and takes neither {who.email} nor the password of "
        "the secret store.",
        hint=f"put the password in by `./monolith secrets set {OWNER} {PASSWORD}`, the address "
        "into docker-compose/.env as MONOLITH_ADMIN_EMAIL; then `./monolith bootstrap plane`",
    )


def _half_made(who: Administrator) -> UserError:
    return UserError(
        f"Plane was stopped while it made its administrator {who.email}.",
        hint="complete it in docker-compose/: `docker compose -f docker-compose.minimal.yaml exec "
        "plane-api /bin/sh /shared/with-secrets python manage.py ...`, once with "
        f'`create_instance_admin {who.email}` and once with `shell -c "from plane.license.models '
        'import Instance; Instance.objects.update(is_setup_done=True)"`; then '
        "`./monolith bootstrap plane`",
    )


def _foreign_workspace(who: Administrator) -> UserError:
    return UserError(
        f"Plane has a workspace {WORKSPACE}, but {who.email} is not a member of it.",
        hint=f"have an administrator of the workspace invite {who.email}",
    )
