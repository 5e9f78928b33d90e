"""Which runtime a clone uses, seen from what is there."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from monolith.errors import UserError
from monolith.manifest.stack import Stack
from monolith.project import Project
from monolith.runtimes.base import Runtime
from monolith.runtimes.native.places import Places


@dataclass(frozen=True)
class Choice:
    """The name of a runtime, and why it is the one."""

    name: str
    why: str


def _native(stack: Stack, project: Project) -> Runtime:
    from monolith.runtimes.native.runtime import NativeRuntime

    return NativeRuntime(stack, project)


def _compose(stack: Stack, project: Project) -> Runtime:
    from monolith.runtimes.compose.runtime import ComposeRuntime

    return ComposeRuntime(stack, project)


def _container(stack: Stack, project: Project) -> Runtime:
    from monolith.runtimes.container import ContainerRuntime

    return ContainerRuntime(stack, project)


RUNTIMES: dict[str, Callable[[Stack, Project], Runtime]] = {
    "native": _native,
    "compose": _compose,
    "container": _container,
}
FOR_PEOPLE = ("native", "compose")
"""The others are for our own containers."""


def choose(stack: Stack, project: Project) -> Choice:
    """What runs here; else what has containers or data here; else native."""
    if native_runs(project):
        return Choice("native", "it runs here")
    containers, why = _containers(stack, project)
    if containers:
        return Choice("compose", "its containers are here")
    if (project.data / "native").is_dir():
        return Choice("native", "its data is here" + why)
    # Made by bootstrap, and natively only below a data folder that has `native` in it.
    if (project.data / "vault-keys").is_dir():
        return Choice("compose", "its data is here" + why)
    return Choice("native", "nothing is here yet" + why)


def alone(name: str, stack: Stack, project: Project) -> None:
    """UserError where another runtime than `name` runs: two would use the same data."""
    if name == "compose" and native_runs(project):
        raise UserError("The platform runs natively here.", hint="./monolith --runtime native down")
    if name == "native" and "running" in _containers(stack, project)[0]:
        raise UserError(
            "The platform runs in containers here.", hint="./monolith --runtime compose down"
        )


def native_runs(project: Project) -> bool:
    """Whether the native supervisor listens; asked directly, to load nothing for it."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(Places(project.data).socket))
        except PermissionError:
            return True
        except OSError:
            return False
    return True


def _containers(stack: Stack, project: Project) -> tuple[set[str], str]:
    """States of the containers that use this data; and words for why nobody can tell."""
    from monolith.runtimes.compose.engine import Engine

    engine = Engine(stack)
    if not engine.is_installed:
        return set(), ""
    try:
        found = engine.own_containers()
        return {one.state for one in found if one.uses(project.data.resolve())}, ""
    except UserError as error:
        return set(), f"; no containers were looked for: {error.message}"
