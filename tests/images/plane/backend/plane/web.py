"""STAND-IN. How a request becomes a call of a plain function, and its answer a response."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from json import JSONDecodeError
from typing import Any
from urllib.parse import urlsplit

from psycopg_pool import ConnectionPool
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from plane.database import Db, Row, as_json, every, one

MARK = {"X-Plane-Stand-In": "api"}


class Answer(Response):
    """JSON as Plane writes it, and the mark of the stand-in."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Nothing stays nothing; ids and times become text."""
        return b"" if content is None else json.dumps(content, default=as_json).encode()


class RefusedError(Exception):
    """Ends a call with a response; what the call had stored is undone."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.response = Answer(body, status, headers=dict(headers or {}))


@dataclass
class Call:
    """One request: what was sent, a transaction, and what to do once that is committed."""

    request: Request
    db: Db
    data: Row
    after: list[Callable[[], object]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def path(self, name: str) -> Any:
        """A part of the path."""
        return self.request.path_params[name]


Handler = Callable[[Call], Response]
Methods = Mapping[str, Handler]


def detail(status: int, text: str) -> RefusedError:
    """A refusal in the form of Django's REST framework."""
    return RefusedError(status, {"detail": text})


def needed(row: Row | None) -> Row:
    """A row that has to be there."""
    if row is None:
        raise RefusedError(404, {"error": "The requested resource does not exist."})
    return row


@cache
def pool() -> ConnectionPool[Db]:
    """The connections of this process."""
    from psycopg.rows import dict_row

    return ConnectionPool(
        os.environ["DATABASE_URL"], kwargs={"row_factory": dict_row}, min_size=1, max_size=4,
        check=ConnectionPool.check_connection, open=True,
    )  # fmt: skip


async def sent(request: Request) -> Row:
    """The fields of a form or of a JSON object."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return dict(await request.form())
    body = await request.body()
    if not body:
        return {}
    if kind != "application/json":
        raise detail(415, f'Unsupported media type "{kind}" in request.')
    try:
        found = json.loads(body)
    except (JSONDecodeError, UnicodeDecodeError) as problem:
        raise detail(400, f"JSON parse error - {problem}") from None
    if not isinstance(found, dict):
        raise RefusedError(400, {"non_field_errors": ["Invalid data. Expected a dictionary."]})
    return found


def admit(request: Request) -> None:
    """Refuse a host that is not allowed, and a body that is too large."""
    hosts = os.environ.get("ALLOWED_HOSTS", "*").split(",")
    name = urlsplit(f"//{request.headers.get('host', '')}").hostname
    if "*" not in hosts and name not in hosts:
        raise RefusedError(400, {"error": "DisallowedHost"})
    if int(request.headers.get("content-length", 0)) > int(os.environ["FILE_SIZE_LIMIT"]):
        raise RefusedError(413, {"error": "REQUEST_BODY_TOO_LARGE"})


def perform(handler: Handler, request: Request, data: Row) -> Response:
    """Run a handler in one transaction, then what it left for afterwards."""
    with pool().connection() as db:
        call = Call(request, db, data)
        response = handler(call)
    for action in call.after:
        action()
    response.headers.update(call.headers)
    return response


def route(path: str, **methods: Handler) -> Route:
    """An address and what each method does there."""

    async def answer(request: Request) -> Response:
        name = "GET" if request.method == "HEAD" else request.method
        try:
            admit(request)
            if name not in methods:
                raise detail(405, f'Method "{request.method}" not allowed.')
            response = await run_in_threadpool(perform, methods[name], request, await sent(request))
        except RefusedError as refusal:
            response = refusal.response
        response.headers.update(MARK)
        return response

    return Route(path, answer, methods=["GET", "POST", "PATCH", "PUT", "DELETE"])


def page(call: Call, query: str, *values: object, most: int = 1000, shape: Any = dict) -> Answer:
    """One page of a query's rows, with the counts and cursors of Plane."""
    try:
        size = int(call.request.query_params.get("per_page", most))
        number = int(call.request.query_params.get("cursor", f"{size}:0:0").split(":")[1])
    except (ValueError, IndexError):
        raise detail(400, "Invalid cursor parameter.") from None
    if not 0 < size <= most or number < 0:
        raise detail(400, f"Invalid per_page value. Cannot exceed {most}.")
    total = needed(one(call.db, f"SELECT count(*) AS n FROM ({query}) AS rows", *values))["n"]
    rows = every(call.db, f"{query} LIMIT %s OFFSET %s", *values, size, number * size)
    return Answer(paged([shape(row) for row in rows], total, size, number))


def paged(results: list[Any], total: int, size: int, number: int) -> Row:
    """The envelope around one page."""
    return {
        "grouped_by": None,
        "sub_grouped_by": None,
        "total_count": total,
        "next_cursor": f"{size}:{number + 1}:0",
        "prev_cursor": f"{size}:{number - 1}:1",
        "next_page_results": (number + 1) * size < total,
        "prev_page_results": number > 0,
        "count": len(results),
        "total_pages": -(-total // size),
        "total_results": total,
        "extra_stats": None,
        "results": results,
    }
