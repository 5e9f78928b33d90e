"""What the stand-in demands of the environment it is started with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

VERSION = "12.4.11"
NEEDED = (
    "GF_SECURITY_ADMIN_PASSWORD", "GF_SECURITY_SECRET_KEY",
    "GF_SERVER_ROOT_URL", "GF_PATHS_PROVISIONING", "GF_DATABASE_HOST", "GF_DATABASE_NAME",
    "GF_DATABASE_USER", "GF_DATABASE_PASSWORD",
)  # fmt: skip
# Grafana's own defaults, which everybody knows.
_KNOWN_VALUES = {
    "GF_SECURITY_ADMIN_PASSWORD": ("admin", "grafana", "password"),
    "GF_SECURITY_SECRET_KEY": ("SW2YcwTIb9zpOOhoPsMm",),
}
# What would leave the site, be loaded from elsewhere, or let anybody in.
_DEMANDED = {
    "GF_DATABASE_TYPE": "postgres",
    "GF_AUTH_ANONYMOUS_ENABLED": "false",
    "GF_USERS_ALLOW_SIGN_UP": "false",
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
    "GF_NEWS_NEWS_FEED_ENABLED": "false",
    "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
    "GF_SECURITY_DISABLE_GRAVATAR": "true",
    "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    "GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED": "true",
}
_SECTIONS = (
    "ANALYTICS", "AUTH", "DASHBOARDS", "DATABASE", "LOG", "NEWS", "PATHS", "PLUGINS", "SECURITY",
    "SERVER", "SNAPSHOTS", "UNIFIED_ALERTING", "USERS",
)  # fmt: skip


def problems(environment: Mapping[str, str]) -> list[str]:
    """What is wrong, each with the variable's name."""
    found = [f"{name} is missing" for name in NEEDED if not environment.get(name)]
    for name, values in _KNOWN_VALUES.items():
        if environment.get(name) in values:
            found.append(f"{name} is a value that everybody knows")
    for name, value in _DEMANDED.items():
        if environment.get(name, "").lower() != value:
            found.append(f"{name} has to be {value}")
    return found + _root_url(environment.get("GF_SERVER_ROOT_URL", "")) + _unknown(environment)


def _root_url(text: str) -> list[str]:
    url = urlsplit(text)
    if url.scheme in ("http", "https") and url.hostname and url.path == "/":
        return []
    return ["GF_SERVER_ROOT_URL has to be an address that ends in /"]


def _unknown(environment: Mapping[str, str]) -> list[str]:
    """Grafana ignores a section that it does not know, and so a misspelt name."""
    known = re.compile(rf"GF_({'|'.join(_SECTIONS)})_[A-Z0-9_]+")
    names = [name for name in environment if name.startswith("GF_")]
    return [f"{name} is in no section of Grafana's" for name in names if not known.fullmatch(name)]
