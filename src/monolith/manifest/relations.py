"""Rules between the services of a stack. Each rule yields problems."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

from monolith.errors import Problem
from monolith.manifest import words
from monolith.manifest.models import Monolith, Url
from monolith.manifest.stack import Entry, Stack
from monolith.manifest.yamlfile import Key

T = TypeVar("T", bound=Hashable)
Claim = tuple[Entry, Key]
"""A service, and where it claims something."""


def check(stack: Stack) -> Iterator[Problem]:
    """What is wrong between the services."""
    for rule in _RULES:
        yield from rule(stack)


def say(entry: Entry, key: Key, expected: str, found: str, fix: str) -> Problem:
    """A problem at `key` of a service."""
    return entry.document.problem(("services", entry.name, *key), expected, found, fix)


def urls(entry: Entry) -> list[tuple[Key, Url]]:
    """The service's url and routes with their places."""
    block = entry.monolith
    routes: list[tuple[Key, Url]] = [
        (("x-monolith", "routes", index), url) for index, url in enumerate(block.routes)
    ]
    return [(("x-monolith", "url"), block.url), *routes] if block.url else routes


def ports(entry: Entry) -> list[tuple[Key, int, int, str]]:
    """Places, container ports, loopback ports and protocols of the service."""
    native = entry.monolith.native
    found = [
        (_key("x-monolith", "native", "ports", inner), int(inner), int(outer), "tcp")
        for inner, outer in (native.ports if native else {}).items()
    ]
    for index, text in enumerate(entry.model.ports):
        place, _, protocol = text.partition("/")
        _, outer, inner = place.split(":")
        found.append((_key("ports", index), int(inner), int(outer), protocol or "tcp"))
    return found


def _key(*parts: str | int) -> Key:
    return parts


def _shared(claims: Iterable[tuple[T, Entry, Key]]) -> Iterator[tuple[T, list[Claim]]]:
    """What is claimed more than once, with all who claim it."""
    users: dict[T, list[Claim]] = defaultdict(list)
    for what, entry, key in claims:
        users[what].append((entry, key))
    for what, claimed in users.items():
        if len(claimed) > 1:
            yield what, claimed


def _joined(claimed: list[Claim]) -> str:
    return " and ".join(entry.name for entry, _ in claimed)


def _dependencies_exist(stack: Stack) -> Iterator[Problem]:
    for entry in stack.services.values():
        for name, dependency in entry.model.depends_on.items():
            if name not in stack.services and dependency.required is not False:
                fix = words.did_you_mean(name, stack.services, f"include the fragment of {name}")
                yield say(entry, ("depends_on", name), "a service of this stack", name, fix)


def _conditions_can_come(stack: Stack) -> Iterator[Problem]:
    for entry in stack.services.values():
        for name, dependency in entry.model.depends_on.items():
            wanted = _condition_of(stack.services.get(name))
            if dependency.condition not in wanted:
                key = ("depends_on", name, "condition")
                expected = " or ".join(wanted)
                fix = f"write condition: {wanted[0]}"
                yield say(entry, key, f"{expected} of {name}", dependency.condition, fix)


def _condition_of(entry: Entry | None) -> list[str]:
    """The conditions that a service can come to."""
    started, healthy, ended = (
        "service_started", "service_healthy", "service_completed_successfully",
    )  # fmt: skip
    if entry is None:
        return [started, healthy, ended]
    if entry.is_one_shot:
        return [ended, started]
    return [healthy, started]


def _no_cycles(stack: Stack) -> Iterator[Problem]:
    done: set[str] = set()
    for name in stack.services:
        cycle = _cycle_from(name, stack, done, [])
        if cycle:
            fix = "remove one of these dependencies"
            key = ("depends_on", cycle[1])
            yield say(stack.services[cycle[0]], key, "no cycle", " -> ".join(cycle), fix)


def _cycle_from(name: str, stack: Stack, done: set[str], trail: list[str]) -> list[str]:
    if name in trail:
        return [*trail[trail.index(name) :], name]
    if name in done or name not in stack.services:
        return []
    done.add(name)
    for other in stack.services[name].model.depends_on:
        if cycle := _cycle_from(other, stack, done, [*trail, name]):
            return cycle
    return []


def _unique_ports(stack: Stack) -> Iterator[Problem]:
    claims = [
        ((outer, protocol), entry, (*key, inner))
        for entry in stack.services.values()
        for key, inner, outer, protocol in ports(entry)
    ]
    for (port, _), claimed in _shared(claims):
        entry, (*key, inner) = claimed[1]
        variable = entry.port_variable(int(inner))
        fix = f"set {variable} to a free port in docker-compose/.env"
        fix = fix if variable else "change one of the two"
        yield say(entry, tuple(key), "a port of its own", f"port {port} in {_joined(claimed)}", fix)


def _unique_aliases(stack: Stack) -> Iterator[Problem]:
    claims = [
        ((network, alias), entry, _key("networks", network, "aliases"))
        for entry in stack.services.values()
        for network, settings in entry.model.networks.items()
        for alias in dict.fromkeys(settings.aliases)
    ]
    for (_, alias), claimed in _shared(claims):
        entry, key = next(item for item in claimed if item[0].alias != alias)
        found = f"{alias} in {_joined(claimed)}"
        yield say(entry, key, "names of its own", found, f"remove {alias} here")


def _unique_hosts(stack: Stack) -> Iterator[Problem]:
    claims = [
        ((url.host, path), entry, (*key, "host"))
        for entry in stack.services.values()
        for key, url in urls(entry)
        for path in url.paths or [""]
    ]
    for (host, path), claimed in _shared(claims):
        entry, key = claimed[1]
        found = f"{host}{path} in {_joined(claimed)}"
        fix = "give one of them another host or other paths"
        yield say(entry, key, "a host of its own", found, fix)


def _unique_folders(stack: Stack) -> Iterator[Problem]:
    claims = [
        (source, entry, _key("volumes", index))
        for entry in stack.services.values()
        for index, (source, _, writable) in enumerate(entry.mounts())
        if writable
    ]
    for folder, claimed in _shared(claims):
        # Within a fragment it is one author, who knows.
        if len({entry.document.name for entry, _ in claimed}) == 1:
            continue
        entry, key = claimed[1]
        found = f"{folder.parent.name}/{folder.name} in {_joined(claimed)}"
        fix = "give each its own folder, or mount one of them :ro"
        yield say(entry, key, "a data folder of its own", found, fix)


def _waits_for_bootstrap(stack: Stack) -> Iterator[Problem]:
    """Without its env file, database and buckets a service would not start."""
    for entry in stack.services.values():
        before = _before(entry.name, stack, set())
        for name, why in _prepared_by(entry.monolith).items():
            if name in stack.services and name not in before:
                expected = f"{name} before it, since it has {why}"
                fix = f"add {name}: {{condition: service_completed_successfully}}"
                yield say(entry, ("depends_on",), expected, "no dependency on it", fix)


def _prepared_by(block: Monolith) -> dict[str, str]:
    """The services that prepare what a service has -> what that is."""
    found = {"bootstrap-secrets": "secrets"} if block.secrets else {}
    if block.database or block.buckets:
        found["bootstrap-stores"] = "a database" if block.database else "buckets"
    return found


def _store_is_told(stack: Stack) -> Iterator[Problem]:
    """Each program has an administration of its own, through which keys are made."""
    store = stack.services.get("s3")
    has_buckets = any(entry.monolith.buckets for entry in stack.services.values())
    if store and has_buckets and store.monolith.store is None:
        key = ("x-monolith", "store")
        yield say(store, key, "the program that it is", "nothing", "add store: minio, for example")


def _before(name: str, stack: Stack, seen: set[str]) -> set[str]:
    """All that has to be there before a service starts."""
    entry = stack.services.get(name)
    for other in entry.model.depends_on if entry else ():
        if other not in seen:
            seen.add(other)
            _before(other, stack, seen)
    return seen


_RULES: list[Callable[[Stack], Iterator[Problem]]] = [
    _waits_for_bootstrap, _dependencies_exist, _conditions_can_come, _no_cycles, _unique_ports,
    _unique_aliases, _unique_hosts, _unique_folders, _store_is_told,
]  # fmt: skip
