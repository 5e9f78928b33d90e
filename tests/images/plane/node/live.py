"""STAND-IN for Plane's live server: a real WebSocket, and a real Valkey between its copies.

The first message tells who the API says is there, by the cookie that came with the connection:
{"stand_in": "plane-live", "user": "…" or null}. Each later one goes to everybody on the document.
"""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from urllib.error import URLError
from urllib.request import Request as Asking
from urllib.request import urlopen

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

BASE = os.environ.get("LIVE_BASE_PATH", "/live").rstrip("/")
MARK = {"X-Plane-Stand-In": "live"}


async def health(_: Request) -> JSONResponse:
    """Says that it serves."""
    now = datetime.now(UTC).isoformat()
    return JSONResponse({"status": "OK", "timestamp": now, "version": "stand-in"}, headers=MARK)


def who(cookie: str) -> dict[str, str | None]:
    """What the API says about a cookie, asked with the secret that both must have."""
    headers = {"Cookie": cookie, "live-server-secret-key": os.environ["LIVE_SERVER_SECRET_KEY"]}
    asking = Asking(f"{os.environ['API_BASE_URL']}/api/users/me/", headers=headers)
    try:
        with urlopen(asking, timeout=5) as answer:
            return {"user": json.load(answer)["email"], "problem": None}
    except (URLError, OSError, ValueError) as problem:
        return {"user": None, "problem": str(problem)}


async def pass_on(channel: PubSub, socket: WebSocket) -> None:
    """Give what others wrote to this connection."""
    async for message in channel.listen():
        if message["type"] == "message":
            await socket.send_text(message["data"].decode())


async def collaboration(socket: WebSocket) -> None:
    """One person on one document."""
    await socket.accept()
    found = await asyncio.to_thread(who, socket.headers.get("cookie", ""))
    document = "live:" + socket.query_params.get("document", "all")
    async with Redis.from_url(os.environ["REDIS_URL"]) as valkey, valkey.pubsub() as channel:
        await channel.subscribe(document)
        await socket.send_json({"stand_in": "plane-live", **found})
        task = asyncio.create_task(pass_on(channel, socket))
        with suppress(WebSocketDisconnect):
            while True:
                await valkey.publish(document, await socket.receive_text())
        task.cancel()


application = Starlette(
    routes=[
        Route(f"{BASE}/health", health),
        WebSocketRoute(f"{BASE}/collaboration", collaboration),
    ]
)
