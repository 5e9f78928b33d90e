"""STAND-IN. What Plane asks of whoever starts it, as rules on the environment.

A rule takes a value and gives what is wrong with it, or nothing. No message shows a value.
Only the standard library is needed, so that tests can load this anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, unquote, urlsplit

Rule = Callable[[str], str | None]
Environment = Mapping[str, str]

# What Plane's own files and their copies ship, so everybody knows it.
PUBLIC = frozenset(
    {
        "60gp0byfz2dvffa45cxl20p1scy9xbpf6d8c5y0geejgkyp1b5",
        "2fijk1u2aivpeqtzlehygltsntnrs7lw",
        "htbqvbjagpm9bzvf3r4urjer0enreatceh",
        "plane", "access-key", "secret-key", "minioadmin", "guest", "postgres", "rabbitmq",
        "admin", "password", "password1234", "secret", "supersecret", "example", "test",
    }
)  # fmt: skip
PLACEHOLDERS = ("changeme", "change-me", "change_me", "replace", "your-", "<", "$")
PRIVATE_NAMES = (
    ".consul", ".internal", ".local", ".localhost", ".lan", ".home.arpa", ".test", ".invalid",
)  # fmt: skip
RATE = re.compile(r"[1-9][0-9]*/(s|sec|second|m|min|minute|h|hour|d|day)")
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def well_known(value: str) -> bool:
    """Whether a secret is one that others can know."""
    lower = value.lower()
    return lower in PUBLIC or lower.startswith(PLACEHOLDERS) or len(set(lower)) < 3


def secret(least: int) -> Rule:
    """A value of at least so many characters that is nobody's default."""

    def rule(value: str) -> str | None:
        if well_known(value):
            return "is a publicly known value"
        return f"is shorter than {least} characters" if len(value) < least else None

    return rule


def split(value: str) -> SplitResult | None:
    """The parts of an address, or nothing where it is none."""
    try:
        parts = urlsplit(value)
        return parts if parts.scheme and parts.hostname and parts.port != 0 else None
    except ValueError:
        return None


def address(*schemes: str) -> Rule:
    """An address with a host."""

    def rule(value: str) -> str | None:
        parts = split(value)
        if parts is None or parts.scheme not in schemes or " " in value:
            return f"is not an address of the form {'|'.join(schemes)}://host[:port]"
        return None

    return rule


def origin(value: str) -> str | None:
    """An address of a site: without a path, since Plane appends its paths to it."""
    parts = split(value)
    wrong = address("http", "https")(value)
    if wrong or (parts and (parts.path or parts.query or parts.username)):
        return wrong or "has something after the host and port, not even a slash may be there"
    return None


def login(*schemes: str) -> Rule:
    """An address with a user, a password that is nobody's default, and a database or vhost."""

    def rule(value: str) -> str | None:
        parts, wrong = split(value), address(*schemes)(value)
        if wrong or parts is None:
            return wrong
        if not parts.username or not parts.password:
            return "has no user and password"
        if not parts.path.strip("/"):
            return "names no database or virtual host"
        wrong = secret(8)(unquote(parts.password))
        return f"has a password that {wrong}" if wrong else None

    return rule


def redis(value: str) -> str | None:
    """A Redis address; its password may be missing, its database is a number."""
    parts, wrong = split(value), address("redis", "rediss")(value)
    if wrong or parts is None:
        return wrong
    if not re.fullmatch(r"/?[0-9]*", parts.path):
        return "has a database that is not a number"
    known = parts.password and well_known(unquote(parts.password))
    return "has a password that is a publicly known value" if known else None


def private_endpoint(value: str) -> str | None:
    """An address that no report can leave the site by."""
    parts, wrong = split(value), address("http", "https")(value)
    if wrong or parts is None or parts.hostname is None:
        return wrong
    try:
        public = ip_address(parts.hostname).is_global
    except ValueError:
        public = "." in parts.hostname and not parts.hostname.endswith(PRIVATE_NAMES)
    return "is a public host: reports would leave before anyone can say no" if public else None


def pattern(expression: str | re.Pattern[str], form: str) -> Rule:
    """A value of a form."""
    return lambda value: None if re.fullmatch(expression, value) else f"is not {form}"


def whole(value: str) -> str | None:
    """A whole number above zero."""
    return None if value.isdecimal() and int(value) > 0 else "is not a whole number above zero"


def each(rule: Rule) -> Rule:
    """A rule for every entry of a comma list."""

    def all_entries(value: str) -> str | None:
        entries = [entry.strip() for entry in value.split(",") if entry.strip()]
        return next((wrong for entry in entries if (wrong := rule(entry))), None)

    return all_entries


def network(value: str) -> str | None:
    """An IP address or a range of them."""
    try:
        ip_network(value, strict=False)
    except ValueError:
        return "is not a list of IP ranges"
    return None


REQUIRED: dict[str, Rule] = {
    "SECRET_KEY": secret(32),
    "LIVE_SERVER_SECRET_KEY": secret(32),
    "WEB_URL": origin,
    # Left empty, every site may call the API with the user's cookies.
    "CORS_ALLOWED_ORIGINS": each(origin),
    "DATABASE_URL": login("postgres", "postgresql"),
    "REDIS_URL": redis,
    "AMQP_URL": login("amqp", "amqps"),
    "AWS_ACCESS_KEY_ID": secret(3),
    "AWS_SECRET_ACCESS_KEY": secret(8),
    "AWS_S3_ENDPOINT_URL": origin,
    "AWS_S3_BUCKET_NAME": pattern(BUCKET, "a name of a bucket"),
    "AWS_REGION": pattern(r"[a-z0-9-]+", "a region; stores refuse signatures without one"),
    "USE_MINIO": pattern("[01]", "0 or 1"),
    "FILE_SIZE_LIMIT": whole,
    "OTLP_ENDPOINT": private_endpoint,
}
OPTIONAL: dict[str, Rule] = {
    "DEBUG": pattern("0", "0"),
    "MINIO_ENDPOINT_SSL": pattern("[01]", "0 or 1"),
    "SIGNED_URL_EXPIRATION": whole,
    "API_KEY_RATE_LIMIT": pattern(RATE, "a rate such as 60/minute"),
    "AUTHENTICATION_RATE_LIMIT": pattern(RATE, "a rate such as 10/minute"),
    "ENABLE_SIGNUP": pattern("[01]", "0 or 1"),
    "LIVE_BASE_URL": origin,
    "OTEL_SDK_DISABLED": pattern("true", "true"),
    "WEBHOOK_ALLOWED_IPS": each(network),
    # A webhook's address must have a dot in its host, so such a name could never be used.
    "WEBHOOK_ALLOWED_HOSTS": each(pattern(r"[a-z0-9-]+(\.[a-z0-9-]+)+", "a name with a dot")),
}
API: dict[str, Rule] = {"GUNICORN_WORKERS": whole}
LIVE: dict[str, Rule] = {
    "API_BASE_URL": origin,
    "LIVE_SERVER_SECRET_KEY": secret(32),
    "REDIS_URL": redis,
}


def required(rules: Mapping[str, Rule], env: Environment) -> Iterator[str]:
    """What is missing or wrong, a line for each variable."""
    for name, rule in rules.items():
        value = env.get(name, "")
        wrong = rule(value) if value else "is not set"
        if wrong:
            yield f"{name} {wrong}"


def optional(rules: Mapping[str, Rule], env: Environment) -> Iterator[str]:
    """What is wrong among the variables that are set."""
    yield from required({name: rule for name, rule in rules.items() if env.get(name)}, env)


def together(env: Environment) -> Iterator[str]:
    """What is wrong between variables that are right by themselves."""
    web = env["WEB_URL"]
    if web not in [entry.strip() for entry in env["CORS_ALLOWED_ORIGINS"].split(",")]:
        yield "CORS_ALLOWED_ORIGINS does not name WEB_URL: no form could be posted"
    hosts = env.get("ALLOWED_HOSTS", "*").split(",")
    if "*" not in hosts and urlsplit(web).hostname not in hosts:
        yield "ALLOWED_HOSTS does not name the host of WEB_URL"
    if (
        web.startswith("https:")
        and env["USE_MINIO"] == "1"
        and env.get("MINIO_ENDPOINT_SSL") != "1"
    ):
        yield "MINIO_ENDPOINT_SSL is not 1, but WEB_URL is https: uploads would be signed for http"


def backend_problems(env: Environment, *, api: bool = False) -> list[str]:
    """What keeps a backend process from starting; `api`: the one that serves."""
    found = [*required(REQUIRED | (API if api else {}), env), *optional(OPTIONAL, env)]
    return found or list(together(env))


def live_problems(env: Environment) -> list[str]:
    """What keeps the live server from starting."""
    return list(required(LIVE, env))


def refuse(part: str, problems: list[str]) -> None:
    """End the process with a line for each problem, if there is any."""
    if problems:
        raise SystemExit("\n".join(f"{part} (stand-in): refuses to start: {p}" for p in problems))
