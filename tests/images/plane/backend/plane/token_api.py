"""STAND-IN. The token API under /api/v1/: projects, work items, their links and states."""

from __future__ import annotations

import re
import time
from typing import Any

from psycopg.errors import UniqueViolation
from starlette.responses import Response
from starlette.routing import Route

from plane import accounts
from plane.database import Row, every, insert, one, update
from plane.instances import person
from plane.web import Answer, Call, RefusedError, detail, needed, page, route

# A name with a hyphen or a dot is refused, which surprises.
SPECIAL = re.compile(r"^.*[&+,:;$^}{*=?@#|'<>.()%!-].*$")
PRIORITIES = ("urgent", "high", "medium", "low", "none")
PLAIN = ("description_html", "external_id", "external_source")
STATES = (
    ("Backlog", "#60646C", 15000, "backlog"),
    ("Todo", "#60646C", 25000, "unstarted"),
    ("In Progress", "#F59E0B", 35000, "started"),
    ("Done", "#46A758", 45000, "completed"),
    ("Cancelled", "#9AA4BC", 55000, "cancelled"),
)
EXISTS = "Issue with the same external id and external source already exists"


def invalid(field: str, problem: str) -> RefusedError:
    """A refusal of one field."""
    return RefusedError(400, {field: [problem]})


def text(call: Call, field: str, most: int) -> str:
    """A field that has to be there and is not too long."""
    if field not in call.data:
        raise invalid(field, "This field is required.")
    value = call.data[field]
    if value is None:
        raise invalid(field, "This field may not be null.")
    if not str(value).strip():
        raise invalid(field, "This field may not be blank.")
    if len(str(value)) > most:
        raise invalid(field, f"Ensure this field has no more than {most} characters.")
    return str(value)


def workspace_of(call: Call) -> tuple[Row, Row]:
    """Who asks, and for which workspace."""
    user = accounts.token_user(call)
    return user, accounts.member(call, user)


def project_of(call: Call) -> tuple[Row, Row]:
    """Who asks, and for which project."""
    user, workspace = workspace_of(call)
    query = "SELECT * FROM projects WHERE id = %s AND workspace = %s"
    found = one(call.db, query, call.path("project"), workspace["id"])
    if found is None:
        raise detail(403, accounts.FORBIDDEN)
    return user, found


def item_of(call: Call) -> tuple[Row, Row]:
    """Who asks, and for which work item."""
    user, project = project_of(call)
    query = "SELECT * FROM issues WHERE id = %s AND project = %s"
    return user, needed(one(call.db, query, call.path("item"), project["id"]))


def me(call: Call) -> Response:
    """Whose token this is."""
    return Answer(person(accounts.token_user(call)))


def projects(call: Call) -> Response:
    """The projects of a workspace."""
    _, workspace = workspace_of(call)
    query = "SELECT *, true AS is_member FROM projects WHERE workspace = %s ORDER BY created_at"
    return page(call, query, workspace["id"])


def create_project(call: Call) -> Response:
    """A new project with the states that every project starts with."""
    user, workspace = workspace_of(call)
    name, identifier = text(call, "name", 255), text(call, "identifier", 12).strip().upper()
    for label, value in (("name", name), ("identifier", identifier)):
        if SPECIAL.match(value):
            raise invalid("non_field_errors", f"Project {label} cannot contain special characters.")
    for label, value in (("name", name), ("identifier", identifier)):
        query = f"SELECT id FROM projects WHERE workspace = %s AND {label} = %s"
        if one(call.db, query, workspace["id"], value):
            raise RefusedError(409, {label: f"The project {label} is already taken"})
    project = insert(
        call.db,
        "projects",
        workspace=workspace["id"],
        name=name,
        identifier=identifier,
        description=call.data.get("description", ""),
        created_by=user["id"],
    )
    add_states(call, user, project)
    return Answer({**project, "is_member": True}, 201)


def add_states(call: Call, user: Row, project: Row) -> None:
    """The states that every project starts with."""
    query = (
        'INSERT INTO states (workspace, project, created_by, name, color, sequence, "group",'
        ' "default") VALUES (%s, %s, %s, %s, %s, %s, %s, %s)'
    )
    for name, color, sequence, group in STATES:
        owner = [project["workspace"], project["id"], user["id"]]
        call.db.execute(query, [*owner, name, color, sequence, group, group == "backlog"])


def project(call: Call) -> Response:
    """One project."""
    return Answer(project_of(call)[1])


def delete_project(call: Call) -> Response:
    """Delete a project and all in it."""
    call.db.execute("DELETE FROM projects WHERE id = %s", [project_of(call)[1]["id"]])
    return Answer(None, 204)


def in_project(table: str, order: str = "created_at DESC") -> Any:
    """A handler that lists the rows of a table for one project."""

    def handler(call: Call) -> Response:
        found = project_of(call)[1]["id"]
        return page(call, f"SELECT * FROM {table} WHERE project = %s ORDER BY {order}", found)

    return handler


def in_item(table: str) -> Any:
    """A handler that lists the rows of a table for one work item."""

    def handler(call: Call) -> Response:
        found = item_of(call)[1]["id"]
        return page(call, f"SELECT * FROM {table} WHERE issue = %s ORDER BY created_at", found)

    return handler


def work_item(row: Row) -> Row:
    """A work item as Plane shows it."""
    return {**row, "assignees": [], "labels": [], "parent": None, "is_draft": False}


def by_external_id(call: Call, project: Row, fields: Any) -> Row | None:
    """The work item that some other program knows by this id."""
    query = "SELECT * FROM issues WHERE project = %s AND external_source = %s AND external_id = %s"
    source, external = fields.get("external_source"), fields.get("external_id")
    return one(call.db, query, project["id"], source, external) if source and external else None


def work_items(call: Call) -> Response:
    """The work items of a project, newest first, or the one with an external id."""
    _, project = project_of(call)
    asked = call.request.query_params
    if asked.get("external_id") and asked.get("external_source"):
        return Answer(work_item(needed(by_external_id(call, project, asked))))
    query = "SELECT * FROM issues WHERE project = %s ORDER BY created_at DESC"
    return page(call, query, project["id"], shape=work_item)


def fields_of(call: Call, project: Row) -> Row:
    """The fields of a work item that came with a request and are right."""
    fields = {name: call.data[name] for name in PLAIN if name in call.data}
    if "description_html" in fields and fields["description_html"] is None:
        raise invalid("description_html", "This field may not be null.")
    if fields.get("description_html") == "":
        raise invalid("non_field_errors", "Invalid HTML passed")
    if "name" in call.data:
        fields["name"] = text(call, "name", 255)
    if "priority" in call.data:
        fields["priority"] = call.data["priority"]
        if fields["priority"] not in PRIORITIES:
            raise invalid("priority", f'"{fields["priority"]}" is not a valid choice.')
    if call.data.get("state"):
        query = "SELECT id FROM states WHERE id::text = %s AND project = %s"
        if one(call.db, query, str(call.data["state"]), project["id"]) is None:
            raise invalid("non_field_errors", "State is not valid please pass a valid state_id")
        fields["state"] = call.data["state"]
    return fields


def create_item(call: Call) -> Response:
    """A new work item; a background task writes down that it was made."""
    user, project = project_of(call)
    text(call, "name", 255)
    fields = fields_of(call, project)
    if twin := by_external_id(call, project, call.data):
        raise RefusedError(409, {"error": EXISTS, "id": twin["id"]})
    call.db.execute("SELECT id FROM projects WHERE id = %s FOR UPDATE", [project["id"]])
    query = (
        "SELECT (SELECT coalesce(max(sequence_id), 0) + 1 FROM issues WHERE project = %s) AS next,"
        ' (SELECT id FROM states WHERE project = %s AND "default") AS state'
    )
    found = needed(one(call.db, query, project["id"], project["id"]))
    defaults = {"description_html": "<p></p>", "priority": "none", "state": found["state"]}
    owner = {"workspace": project["workspace"], "project": project["id"], "created_by": user["id"]}
    row = insert(call.db, "issues", sequence_id=found["next"], **defaults | fields | owner)
    note(call, "created", row, user)
    return Answer(work_item(row), 201)


def note(call: Call, kind: str, item: Row, user: Row) -> None:
    """Have a worker write down what was done, once it is committed."""
    from plane.celery import later

    arguments = [kind, str(item["id"]), str(user["id"]), time.time()]
    call.after.append(lambda: later("issue_activity", *arguments))


def item(call: Call) -> Response:
    """One work item."""
    return Answer(work_item(item_of(call)[1]))


def patch_item(call: Call) -> Response:
    """Change a work item."""
    user, found = item_of(call)
    fields = fields_of(call, {"id": found["project"]})
    row = update(call.db, "issues", found["id"], **fields) if fields else found
    note(call, "updated", row, user)
    return Answer(work_item(row))


def delete_item(call: Call) -> Response:
    """Delete a work item."""
    call.db.execute("DELETE FROM issues WHERE id = %s", [item_of(call)[1]["id"]])
    return Answer(None, 204)


def owner_of(user: Row, item: Row) -> Row:
    """The columns that tie a row to a work item."""
    return {
        "workspace": item["workspace"],
        "project": item["project"],
        "issue": item["id"],
        "created_by": user["id"],
    }


def create_link(call: Call) -> Response:
    """A link on a work item; each address once."""
    user, found = item_of(call)
    url = text(call, "url", 2000)
    # A single name without a dot is no address for Plane; localhost is.
    if not re.fullmatch(r"https?://(localhost|[^/\s:]+\.[^/\s:]+)(:[0-9]+)?([/?#]\S*)?", url):
        raise invalid("url", "Invalid URL format.")
    query = "SELECT id FROM issue_links WHERE issue = %s AND url = %s"
    if one(call.db, query, found["id"], url):
        raise RefusedError(400, {"error": "URL already exists for this Issue"})
    row = insert(
        call.db, "issue_links", title=call.data.get("title"), url=url, **owner_of(user, found)
    )
    return Answer(row, 201)


def create_comment(call: Call) -> Response:
    """A comment on a work item."""
    user, found = item_of(call)
    html = text(call, "comment_html", 100_000)
    return Answer(
        insert(call.db, "issue_comments", comment_html=html, **owner_of(user, found)), 201
    )


def create_label(call: Call) -> Response:
    """A label of a project; each name once."""
    user, project = project_of(call)
    name = text(call, "name", 255)
    owner = {"workspace": project["workspace"], "project": project["id"], "created_by": user["id"]}
    try:
        with call.db.transaction():
            row = insert(call.db, "labels", name=name, color=call.data.get("color", ""), **owner)
    except UniqueViolation:
        query = "SELECT id FROM labels WHERE project = %s AND name = %s"
        twin = every(call.db, query, project["id"], name)[0]["id"]
        text_ = "Label with the same name already exists in the project"
        raise RefusedError(409, {"error": text_, "id": twin}) from None
    return Answer(row, 201)


def item_routes(name: str) -> list[Route]:
    """The addresses of work items, under one of their two names."""
    base = f"/api/v1/workspaces/{{slug}}/projects/{{project:uuid}}/{name}/"
    one_item = base + "{item:uuid}/"
    return [
        route(base, GET=work_items, POST=create_item),
        route(one_item, GET=item, PATCH=patch_item, DELETE=delete_item),
        route(one_item + "links/", GET=in_item("issue_links"), POST=create_link),
        route(one_item + "comments/", GET=in_item("issue_comments"), POST=create_comment),
        route(one_item + "activities/", GET=in_item("issue_activities")),
    ]


PROJECTS = "/api/v1/workspaces/{slug}/projects/"
ROUTES: list[Route] = [
    route("/api/v1/users/me/", GET=me),
    route(PROJECTS, GET=projects, POST=create_project),
    route(PROJECTS + "{project:uuid}/", GET=project, DELETE=delete_project),
    route(PROJECTS + "{project:uuid}/states/", GET=in_project("states", "sequence")),
    route(PROJECTS + "{project:uuid}/labels/", GET=in_project("labels"), POST=create_label),
    *item_routes("work-items"),
    *item_routes("issues"),
]
