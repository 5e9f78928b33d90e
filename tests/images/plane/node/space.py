"""STAND-IN for Plane's space: pages under /spaces/ that say who made them."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

PAGE = (
    "<!doctype html><title>Plane stand-in: space</title>"
    "<h1>plane-space (stand-in, not Plane)</h1><p>{path}</p>"
)


async def page(request: Request) -> HTMLResponse:
    """The page for any address below /spaces/, which shows that the prefix was kept."""
    path = request.path_params["path"]
    text = PAGE.format(path="/spaces/" + path.replace("<", "").replace("&", ""))
    return HTMLResponse(text, headers={"X-Plane-Stand-In": "space"})


application = Starlette(routes=[Route("/spaces/{path:path}", page)])
application.router.redirect_slashes = False
