"""Rules that hold for every service by itself. Each rule yields problems."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from monolith.errors import Problem, shown
from monolith.manifest import relations, words
from monolith.manifest.models import Native, Url
from monolith.manifest.relations import say
from monolith.manifest.stack import DOMAIN_SUFFIX, Entry, Stack
from monolith.manifest.yamlfile import Key, strings
from monolith.secrets import generators

Rule = Callable[[Entry, Stack], Iterator[Problem]]

_NAMES = re.compile(r"([\w-]+)\.service\.consul\b")
_IMAGE = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9._-]*(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)*?)"
    r"(:(?P<tag>\w[\w.-]*))?(?P<digest>@sha256:[0-9a-f]{64})?"
)
_VERSION = re.compile(r"[0-9]+\.[0-9]+|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}")
_MOVING = re.compile(r"(^|[.-])(latest|nightly|edge|stable|main|master|dev|develop|lts)([.-]|$)")
_SECRET_NAME = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE_KEY|ENCRYPTION_KEY)(_KEY)?$")
_IN_ADDRESS = re.compile(r"://[^/@\s:]*:[^/@\s]+@")
_REGION = re.compile(r"(^|_)AWS_(DEFAULT_)?REGION(_NAME)?$")
_KNOWN_VALUES = {
    "1234567890", "admin", "access-key", "changeme", "minioadmin", "password", "password1234",
    "plane", "secret", "secret-key", "supersecret",
}  # fmt: skip
_ENGINE = re.compile(r"(docker|podman|containerd|crio)\.sock|^(/|/run|/var/run)/?:")
_NEEDED = {
    "deploy": ("a memory limit such as 512m", "deploy: {resources: {limits: {memory: 512m}}}"),
    "logging": ("a log limit", 'logging: {options: {max-size: 10m, max-file: "3"}}'),
    "restart": ("a restart policy", "restart: unless-stopped"),
}

_COLLECTOR = "otel-collector"
_LOG_LABELS = "com.docker.compose.project,com.docker.compose.service"


def check(stack: Stack, base: Path) -> list[Problem]:
    """Everything that is wrong with a stack whose files are well formed by themselves."""
    problems = [problem for entry in stack.services.values() for problem in _of_one(entry, stack)]
    return [
        *problems,
        *relations.check(stack),
        *_sources_exist(stack, base),
        *_native_programs_exist(stack, base),
    ]


def _of_one(entry: Entry, stack: Stack) -> Iterator[Problem]:
    for rule in _RULES:
        yield from rule(entry, stack)


def _limits(entry: Entry, _: Stack) -> Iterator[Problem]:
    for name, (expected, what) in _NEEDED.items():
        if getattr(entry.model, name) is None:
            yield say(entry, (name,), expected, "nothing", f"add {what}")


def _log_labels(entry: Entry, stack: Stack) -> Iterator[Problem]:
    """Without them the collector does not know whose line it is, and leaves it."""
    logging = entry.model.logging
    if _COLLECTOR in stack.services and logging and logging.options.labels != _LOG_LABELS:
        expected, found = "labels by which log lines are known", logging.options.labels or "nothing"
        key: Key = ("logging", "options", "labels")
        yield say(entry, key, expected, found, f'add labels: "{_LOG_LABELS}"')


def _health(entry: Entry, _: Stack) -> Iterator[Problem]:
    health = entry.model.healthcheck
    if health is None and not entry.is_one_shot:
        fix = "add healthcheck: {test: [CMD, ...]}"
        yield say(entry, ("healthcheck",), "a health check", "nothing", fix)
    elif health and health.test in ([], "", "NONE", ["NONE"]):
        fix = "write test: [CMD, program, argument]"
        found = words.value(health.test)
        yield say(entry, ("healthcheck", "test"), "a command that checks", found, fix)


def _pinned_image(entry: Entry, _: Stack) -> Iterator[Problem]:
    image = entry.model.image
    match = _IMAGE.fullmatch(image)
    if match and (match["digest"] or _is_version(match["tag"] or "")):
        return
    name = match["name"] if match else "name"
    expected = "an image with a version that does not move"
    yield say(entry, ("image",), expected, words.value(image), f"write {name}:1.2.3, for example")


def _built_not_pulled(entry: Entry, _: Stack) -> Iterator[Problem]:
    """Else Compose may take what somebody else has put into a registry under that name."""
    if entry.model.build and entry.model.pull_policy != "never":
        found = entry.model.pull_policy or "nothing"
        yield say(
            entry, ("pull_policy",), "never, since it is built", found, "add pull_policy: never"
        )


def _is_version(tag: str) -> bool:
    return bool(_VERSION.search(tag)) and not _MOVING.search(tag)


def _port_numbers(entry: Entry, _: Stack) -> Iterator[Problem]:
    for key, inner, outer, _protocol in relations.ports(entry):
        for port in (inner, outer):
            if not 1 <= port <= 65535:
                expected = "port numbers from 1 to 65535"
                yield say(entry, key, expected, str(port), "write another port")


def _alias(entry: Entry, _: Stack) -> Iterator[Problem]:
    default = entry.model.networks.get("default")
    aliases = default.aliases if default else []
    if not entry.is_one_shot and entry.alias not in aliases:
        fix = f"write networks: {{default: {{aliases: [{entry.alias}]}}}}"
        found = ", ".join(aliases) or "nothing"
        yield say(entry, ("networks",), f"the alias {entry.alias}", found, fix)


def _names_exist(entry: Entry, stack: Stack) -> Iterator[Problem]:
    for key, text in strings(entry.raw):
        told = {reference.owner for reference in generators.references(text)}
        for name in _NAMES.findall(text) if key[0] != "networks" else []:
            if name not in {*stack.services, *entry.model.depends_on, *told}:
                otherwise = f"include the fragment of {name}, or correct the name"
                fix = words.did_you_mean(name, stack.services, otherwise, "{}" + DOMAIN_SUFFIX)
                yield say(entry, key, "a service of this stack", name + DOMAIN_SUFFIX, fix)


def _socket(entry: Entry, _: Stack) -> Iterator[Problem]:
    for index, text in enumerate(entry.model.volumes):
        if _ENGINE.search(text):
            fix = "remove it: whoever has the engine's socket owns the machine"
            yield say(entry, ("volumes", index), "no socket of the engine", text, fix)


def _no_plain_secrets(entry: Entry, _: Stack) -> Iterator[Problem]:
    for name, value in entry.model.environment.items():
        text = str(value or "")
        if not text or text.startswith("/"):
            continue
        if found := _secret_in(name, text):
            fix = f"move {name} to x-monolith: {{secrets: ...}}, where each install makes its own"
            yield say(entry, ("environment", name), "no secret in the manifest", found, fix)


def _secret_in(name: str, text: str) -> str:
    if text.lower() in _KNOWN_VALUES:
        return f"`{text}`, which everybody knows"
    if _SECRET_NAME.search(name):
        return f"a value of {name}"
    return "a password in an address" if _IN_ADDRESS.search(text) else ""


def _secret_texts(entry: Entry, stack: Stack) -> Iterator[Problem]:
    for name, text in entry.monolith.secrets.items():
        key: Key = ("x-monolith", "secrets", name)
        references = generators.references(text)
        for reference in references:
            owner = reference.owner or entry.name
            fix = _wrong_reference(owner, reference.key, stack)
            if fix and not _is_missing_dependency(entry, owner, stack):
                found = f"{{{owner}.{reference.key}}}"
                yield say(entry, key, "a generated secret of this stack", found, fix)
        if not references and not generators.is_generated(text):
            expected = f"{', '.join(generators.GENERATORS)}, or a text with {{NAME}}"
            yield say(entry, key, expected, *_not_generated(name, text))


def _not_generated(name: str, text: str) -> tuple[str, str]:
    """Found and next for a secret's text; it may be a real secret, which is not repeated."""
    if near := words.nearest(text, generators.GENERATORS):
        return f"`{text}`", f"did you mean `{near}`?"
    if "{" in text:
        return "braces without a name", "write {NAME}, or {service.NAME}"
    return "a value that is written down", f"write {name}: hex32, for example"


def _fixed_are_secrets(entry: Entry, _: Stack) -> Iterator[Problem]:
    made = [name for name, text in entry.monolith.secrets.items() if generators.is_generated(text)]
    for index, name in enumerate(entry.monolith.fixed):
        if name not in made:
            key: Key = ("x-monolith", "fixed", index)
            fix = words.did_you_mean(name, made, "remove it")
            yield say(entry, key, "a generated secret of this service", name, fix)


def _is_missing_dependency(entry: Entry, name: str, stack: Stack) -> bool:
    """Whether `depends_on` tells that the service is not there."""
    dependency = entry.model.depends_on.get(name)
    is_required = dependency is not None and dependency.required is not False
    return is_required and name not in stack.services


def _wrong_reference(owner: str, key: str, stack: Stack) -> str:
    """What to do about `{owner.key}`; an empty text when it refers to a generated secret."""
    if owner not in stack.services:
        otherwise = f"include the fragment of {owner}"
        return words.did_you_mean(owner, stack.services, otherwise, f"{{{{{{}}.{key}}}}}")
    secrets = stack.services[owner].monolith.secrets
    if generators.is_generated(secrets.get(key, "")):
        return ""
    if key in secrets:
        return f"refer to what {owner}'s {key} is made of"
    generated = [name for name, text in secrets.items() if generators.is_generated(text)]
    otherwise = f"add {key}: hex32 to the secrets of {owner}"
    return words.did_you_mean(key, generated, otherwise, f"{{{{{owner}.{{}}}}}}")


def _check_where_it_listens(entry: Entry, _: Stack) -> Iterator[Problem]:
    block = entry.monolith
    ports = [url.port for _, url in relations.urls(entry)] + list(entry.published())
    if ports and block.check is None:
        port = next(filter(None, ports), "...")
        fix = f"add check: {{port: {port}, path: /health}}"
        yield say(entry, ("x-monolith", "check"), "a check, since it listens", "nothing", fix)


def _url_target(entry: Entry, _: Stack) -> Iterator[Problem]:
    for key, url in relations.urls(entry):
        if (url.port is None) == (url.service is None):
            found = "neither" if url.port is None else "both"
            yield say(entry, key, "either a port or a service", found, _url_fix(url))


def _url_fix(url: Url) -> str:
    return f"write {{host: {url.host}, port: {url.port or 8000}}}, for example"


def _access_of_url(entry: Entry, _: Stack) -> Iterator[Problem]:
    if entry.monolith.access == "internal" and relations.urls(entry):
        fix = "write access: users, or remove the url and the routes"
        expected = "public, users or admins, since it has a url"
        yield say(entry, ("x-monolith", "access"), expected, "internal", fix)


def _region_of_buckets(entry: Entry, _: Stack) -> Iterator[Problem]:
    """Without a region some stores refuse the signature, others take it."""
    has_region = any(_REGION.search(name) for name in entry.model.environment)
    if entry.monolith.buckets and not has_region:
        fix = "add AWS_REGION: us-east-1"
        expected = "AWS_REGION or AWS_DEFAULT_REGION, since it has buckets"
        yield say(entry, ("environment",), expected, "neither", fix)


def _sources_exist(stack: Stack, base: Path) -> Iterator[Problem]:
    """A missing source would become an empty folder that belongs to root."""
    data = _data_folder(stack, base)
    for entry in stack.services.values():
        for index, (source, _, writable) in enumerate(entry.mounts()):
            text, key = entry.model.volumes[index], ("volumes", index)
            if source.is_relative_to(data) or _ENGINE.search(text):
                continue
            name = shown(source, base)
            # The machine's own folders are looked at elsewhere than where the manifests are read.
            if text.startswith("/") and not source.is_relative_to(base):
                if writable:
                    yield say(entry, key, "the machine's own folders read-only", name, "add :ro")
            elif not source.exists():
                fix = f"create {name}, or correct the path"
                yield say(entry, key, "a file or folder that is there", name, fix)


def _native_programs_exist(stack: Stack, base: Path) -> Iterator[Problem]:
    for entry in stack.services.values():
        if native := entry.monolith.native:
            yield from _native_program_exists(entry, native, base)


def _native_program_exists(entry: Entry, native: Native, base: Path) -> Iterator[Problem]:
    key = ("x-monolith", "native")
    if (native.requirements is None) == (native.tool is None):
        found = "both of them" if native.tool else "neither of them"
        yield say(entry, key, "either requirements or tool", found, "say where its program is from")
    elif native.requirements and not (base / native.requirements).is_file():
        source = f"{native.requirements.removesuffix('.lock')}.in"
        fix = f"write {source}, then run tools/lock"
        yield say(entry, (*key, "requirements"), "a lock file that is there",
                  native.requirements, fix)  # fmt: skip
    elif native.tool and not (base / "tools" / native.tool / "tool.toml").is_file():
        fix = f"write tools/{native.tool}/tool.toml, or correct the name"
        yield say(entry, (*key, "tool"), "a folder of tools/", native.tool, fix)


def _data_folder(stack: Stack, base: Path) -> Path:
    chosen = stack.values.get("MONOLITH_DATA")
    return (stack.file.parent / chosen).resolve() if chosen else base / "data"


_RULES: list[Rule] = [
    _limits, _log_labels, _health, _pinned_image, _built_not_pulled, _port_numbers, _alias,
    _names_exist, _socket, _no_plain_secrets, _secret_texts, _fixed_are_secrets,
    _check_where_it_listens, _url_target, _access_of_url, _region_of_buckets,
]  # fmt: skip
