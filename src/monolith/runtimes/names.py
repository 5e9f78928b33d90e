"""Names of services in texts of the manifest, and what they are on this machine."""

from __future__ import annotations

import re
from collections.abc import Callable

from monolith.manifest.stack import DOMAIN_SUFFIX

LOOPBACK = "127.0.0.1"
_NAME = re.compile(r"\b([a-z][a-z0-9-]*)" + re.escape(DOMAIN_SUFFIX) + r"(?::([0-9]+))?")


def on_loopback(text: str, port: Callable[[str, int], int]) -> str:
    """`<service>.service.consul:<port>` as loopback; `port` gives the one of a service there."""

    def loopback(match: re.Match[str]) -> str:
        return f"{LOOPBACK}:{port(match[1], int(match[2]))}" if match[2] else LOOPBACK

    return _NAME.sub(loopback, text)
