"""STAND-IN. The application that serves on port 8000."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Match, Route

from plane import app_api, assets, instances, token_api, webhooks
from plane.contract import backend_problems, refuse
from plane.web import MARK, Answer, pool

refuse("plane-backend", backend_problems(os.environ, api=True))


async def alive(_: Request) -> Response:
    """Says that it serves; like Plane's, it asks no database."""
    return Answer({"status": "OK"}, headers=MARK)


async def static(_: Request) -> Response:
    """A file of the kind that Plane serves itself."""
    return PlainTextResponse("Plane stand-in: plane-api serves /static/\n", headers=MARK)


@asynccontextmanager
async def connected(_: Starlette) -> AsyncIterator[None]:
    """Connections as long as it serves: left open, they would hold the process at its end."""
    with pool():
        yield


API: list[Route] = [
    *instances.ROUTES, *app_api.ROUTES, *token_api.ROUTES, *assets.ROUTES, *webhooks.ROUTES,
]  # fmt: skip


async def unknown(request: Request, _: Exception) -> Response:
    """As Django: an address that lacks only its last slash is sent there, bodies are lost."""
    path = request.url.path
    scope = {**request.scope, "path": path + "/"}
    if not path.endswith("/") and any(r.matches(scope)[0] is Match.FULL for r in API):
        return RedirectResponse(str(request.url.replace(path=path + "/")), 301, headers=MARK)
    return Answer({"error": "Page not found."}, 404, headers=MARK)


application = Starlette(
    routes=[
        Route("/", alive),
        Route("/static/plane-stand-in.txt", static),
        *API,
    ],
    exception_handlers={404: unknown},
    lifespan=connected,
)
application.router.redirect_slashes = False
