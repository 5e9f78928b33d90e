"""What processes take over from the caller's environment."""

from __future__ import annotations

from collections.abc import Mapping

_NAMES = (
    "LANG", "LC_ALL", "TZ", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
)  # fmt: skip
_LOOPBACK = ("127.0.0.1", "localhost")


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """Language, time zone, proxies and certificates; and that loopback needs no proxy."""
    own = {name: environment[name] for name in _NAMES if name in environment}
    return own | past_the_proxy(environment)


def past_the_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """NO_PROXY with loopback in it, where there is a proxy."""
    if not any(name.lower().endswith("_proxy") for name in environment):
        return {}
    before = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    hosts = [host.strip() for host in before.split(",") if host.strip()]
    value = ",".join(dict.fromkeys([*hosts, *_LOOPBACK]))
    return {"NO_PROXY": value, "no_proxy": value}
