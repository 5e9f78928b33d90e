"""STAND-IN. The real Valkey: cached answers and how often somebody asked."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import redis

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@cache
def valkey() -> redis.Redis:
    """The one client of this process."""
    return redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=5)


def cached(key: str, make: Callable[[], Any]) -> Any:
    """A value from the cache, else made and kept for two hours."""
    kept: Any = valkey().get(key)
    if kept is not None:
        return json.loads(kept)
    value = make()
    valkey().set(key, json.dumps(value), ex=7200)
    return value


def forget(key: str) -> None:
    """Make the next one ask again."""
    valkey().delete(key)


def used(scope: str, who: str, rate: str) -> tuple[int, int]:
    """Count one more request; what is left of `rate` (below zero: too many), until when."""
    number, _, unit = rate.partition("/")
    span = SECONDS[unit[0]]
    window = int(time.time()) // span
    key = f"throttle:{scope}:{who}:{window}"
    count: Any = valkey().incr(key)
    valkey().expire(key, span)
    return int(number) - int(count), (window + 1) * span
