"""Rules that hold for every service, and between services. Each rule yields problems."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from monolith.errors import Problem, shown
from monolith.manifest.stack import DOMAIN_SUFFIX, Entry, Stack
from monolith.manifest.yamlfile import Key
from monolith.secrets import generators

_NAMES = re.compile(r"\b([a-z][a-z0-9-]*)\.service\.consul\b")
_PINNED = re.compile(r"^[a-z0-9./_-]+(:[0-9]+/[a-z0-9./_-]+)?:(?=[^:@]*[0-9])[\w.-]+(@sha256:[0-9a-f]{64})?$")
_SECRET_NAME = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE_KEY|ENCRYPTION_KEY)(_KEY)?$")
_KNOWN_VALUES = {
    "1234567890", "admin", "access-key", "changeme", "minioadmin", "password", "password1234",
    "plane", "secret", "secret-key", "supersecret",
}  # fmt: skip
_NEEDED = ("deploy", "logging", "restart")
_ADVICE = {
    "deploy": ("a memory limit such as 512m", "deploy: {resources: {limits: {memory: 512m}}}"),
    "logging": ("a log limit", 'logging: {options: {max-size: 10m, max-file: "3"}}'),
    "restart": ("a restart policy", "restart: unless-stopped"),
}


def check(stack: Stack, base: Path) -> list[Problem]:
    """Everything that is wrong with a stack whose files are well formed by themselves."""
    problems = [problem for entry in stack.services.values() for problem in _of_one(entry, stack)]
    problems += [problem for rule in _BETWEEN for problem in rule(stack)]
    return problems + list(_sources_exist(stack, base))


def _of_one(entry: Entry, stack: Stack) -> Iterator[Problem]:
    for rule in _ONE:
        yield from rule(entry, stack)


def _say(entry: Entry, path: str, expected: str, found: str, fix: str) -> Problem:
    parts: list[str | int] = [int(p) if p.isdigit() else p for p in path.split("/") if p]
    key: Key = ("services", entry.name, *parts)
    return entry.document.problem(key, expected, found, fix)


def _limits(entry: Entry, _: Stack) -> Iterator[Problem]:
    for name in _NEEDED:
        if getattr(entry.model, name) is None:
            expected, fix = _ADVICE[name]
            yield _say(entry, name, expected, "nothing", f"add {fix}")


def _health(entry: Entry, _: Stack) -> Iterator[Problem]:
    if entry.model.healthcheck is None and not entry.is_one_shot:
        fix = "add healthcheck: {test: [CMD, ...]}"
        yield _say(entry, "healthcheck", "a health check", "nothing", fix)


def _pinned_image(entry: Entry, _: Stack) -> Iterator[Problem]:
    if not _PINNED.match(entry.model.image):
        fix = "write a version that does not move, such as name:1.2.3"
        yield _say(entry, "image", "an image with a pinned tag", entry.model.image, fix)


def _alias(entry: Entry, _: Stack) -> Iterator[Problem]:
    default = entry.model.networks.get("default")
    if entry.is_one_shot or (default and entry.alias in default.aliases):
        return
    fix = f"networks: {{default: {{aliases: [{entry.alias}]}}}}"
    found = ", ".join(default.aliases) if default and default.aliases else "nothing"
    yield _say(entry, "networks", f"the alias {entry.alias}", found, fix)


def _names_exist(entry: Entry, stack: Stack) -> Iterator[Problem]:
    used: set[str] = set()
    for values in (entry.model.environment, entry.monolith.secrets):
        for value in values.values():
            used |= set(_NAMES.findall(str(value)))
    for name in sorted(used - set(stack.services)):
        near = difflib.get_close_matches(name, stack.services, 1)
        fix = f"did you mean {near[0]}{DOMAIN_SUFFIX}?" if near else f"add {name} to the stack"
        yield _say(entry, "environment", "a service of this stack", name + DOMAIN_SUFFIX, fix)


def _socket(entry: Entry, _: Stack) -> Iterator[Problem]:
    for index, text in enumerate(entry.model.volumes):
        if "docker.sock" in text or "podman.sock" in text:
            fix = "remove it: whoever has the engine's socket owns the machine"
            yield _say(entry, f"volumes/{index}", "no engine socket", text, fix)


def _no_plain_secrets(entry: Entry, _: Stack) -> Iterator[Problem]:
    for name, value in entry.model.environment.items():
        text = str(value or "")
        if not text or text.startswith("/"):
            continue
        if text.lower() in _KNOWN_VALUES or _SECRET_NAME.search(name):
            fix = f"move {name} to x-monolith.secrets, where each install makes its own"
            yield _say(entry, f"environment/{name}", "no secret in the manifest", name, fix)


def _secret_texts(entry: Entry, stack: Stack) -> Iterator[Problem]:
    for name, text in entry.monolith.secrets.items():
        path = f"x-monolith/secrets/{name}"
        if "{" not in text:
            if text not in generators.GENERATORS:
                known = ", ".join(generators.GENERATORS)
                yield _say(entry, path, f"one of {known}, or a text with {{NAME}}", text, "correct")
            continue
        for reference in generators.references(text):
            owner, key = reference.owner or entry.name, reference.key
            target = stack.services.get(owner)
            if target is None or not generators.is_generated(target.monolith.secrets.get(key, "")):
                fix = f"add {key}: hex32 to the secrets of {owner}"
                yield _say(entry, path, "a secret that is generated", f"{{{owner}.{key}}}", fix)


def _check_where_it_listens(entry: Entry, _: Stack) -> Iterator[Problem]:
    block = entry.monolith
    if block.check is None and (block.url or block.routes or entry.model.ports):
        fix = "add check: {port: ..., path: /health}"
        yield _say(entry, "x-monolith/check", "a check, since it listens", "nothing", fix)


def _url_target(entry: Entry, _: Stack) -> Iterator[Problem]:
    urls = [entry.monolith.url, *entry.monolith.routes]
    for url in urls:
        if url and (url.port is None) == (url.service is None):
            fix = "write url: {host: ..., port: ...}"
            yield _say(entry, "x-monolith/url", "either a port or a service", "both or none", fix)
    if urls != [None] and entry.monolith.access == "internal":
        fix = "write access: users, or remove the url"
        yield _say(entry, "x-monolith/access", "public, users or admins", "internal", fix)


def _dependencies_exist(stack: Stack) -> Iterator[Problem]:
    for entry in stack.services.values():
        for name in entry.model.depends_on:
            if name not in stack.services:
                near = difflib.get_close_matches(name, stack.services, 1)
                fix = f"did you mean {near[0]}?" if near else f"include the fragment of {name}"
                path = f"depends_on/{name}"
                yield _say(entry, path, "a service of this stack", name, fix)


def _no_cycles(stack: Stack) -> Iterator[Problem]:
    state: dict[str, str] = {}
    for entry in stack.services.values():
        cycle = _cycle_from(entry.name, stack, state, [])
        if cycle:
            found = " -> ".join(cycle)
            fix = "remove one of these dependencies"
            yield _say(stack.services[cycle[0]], "depends_on", "no cycle", found, fix)


def _cycle_from(name: str, stack: Stack, state: dict[str, str], trail: list[str]) -> list[str]:
    if state.get(name) == "done" or name not in stack.services:
        return []
    if name in trail:
        return [*trail[trail.index(name) :], name]
    for other in stack.services[name].model.depends_on:
        if cycle := _cycle_from(other, stack, state, [*trail, name]):
            state[name] = "done"
            return cycle
    state[name] = "done"
    return []


def _unique_ports(stack: Stack) -> Iterator[Problem]:
    users: dict[int, list[Entry]] = defaultdict(list)
    for entry in stack.services.values():
        for port in entry.published().values():
            users[port].append(entry)
    for port, entries in users.items():
        if len(entries) > 1:
            variable = entries[1].port_variable(port) or "its port"
            found = f"port {port} in {_joined(entries)}"
            yield _say(entries[1], "ports", "a port of its own", found, f"set {variable}=...")


def _unique_hosts(stack: Stack) -> Iterator[Problem]:
    users: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in stack.services.values():
        for url in [entry.monolith.url, *entry.monolith.routes]:
            for path in (url.paths or [""]) if url else []:
                users[url.host if url else "", path].append(entry)
    for (host, path), entries in users.items():
        if len(entries) > 1:
            found = f"{host}{path} in {_joined(entries)}"
            fix = "give one of them another host or other paths"
            yield _say(entries[1], "x-monolith/url/host", "a host of its own", found, fix)


def _unique_folders(stack: Stack) -> Iterator[Problem]:
    users: dict[Path, list[Entry]] = defaultdict(list)
    for entry in stack.services.values():
        for source in {source for source, _, writable in entry.mounts() if writable}:
            users[source].append(entry)
    for folder, entries in users.items():
        if len(entries) > 1:
            found = f"{folder.parent.name}/{folder.name} in {_joined(entries)}"
            fix = "give each its own folder, or mount one of them :ro"
            yield _say(entries[1], "volumes", "a data folder of its own", found, fix)


def _joined(entries: list[Entry]) -> str:
    return " and ".join(entry.name for entry in entries)


def _sources_exist(stack: Stack, base: Path) -> Iterator[Problem]:
    """A missing source would become an empty folder that belongs to root."""
    data = _data_folder(stack, base)
    for entry in stack.services.values():
        for index, (source, _, _) in enumerate(entry.mounts()):
            if not source.is_relative_to(data) and not source.exists():
                name = shown(source, base)
                path = f"volumes/{index}"
                yield _say(entry, path, "a file or folder that is there", name, f"create {name}")


def _data_folder(stack: Stack, base: Path) -> Path:
    chosen = stack.values.get("MONOLITH_DATA")
    return (stack.file.parent / chosen).resolve() if chosen else base / "data"


_ONE: list[Callable[[Entry, Stack], Iterator[Problem]]] = [
    _limits, _health, _pinned_image, _alias, _names_exist, _socket, _no_plain_secrets,
    _secret_texts, _check_where_it_listens, _url_target,
]  # fmt: skip
_BETWEEN: list[Callable[[Stack], Iterator[Problem]]] = [
    _dependencies_exist, _no_cycles, _unique_ports, _unique_hosts, _unique_folders,
]  # fmt: skip
