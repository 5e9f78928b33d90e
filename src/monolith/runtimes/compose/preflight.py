"""What is looked at before anything changes. Nothing of it has an effect on services that run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from monolith.errors import Problem, UserError
from monolith.manifest.load import shipped
from monolith.manifest.stack import Stack
from monolith.runtimes import ports
from monolith.runtimes.compose import commands
from monolith.runtimes.compose.containers import Container
from monolith.runtimes.compose.engine import Engine

OLDEST_COMPOSE = (2, 20)
"""The first that knows `include`."""


def compose_plugin(engine: Engine) -> None:
    """Compose is there, and new enough."""
    hint = "install Docker's Compose plugin 2.20 or newer: https://docs.docker.com/compose/install"
    result = engine.run(commands.compose_version())
    match = re.match(r"v?(\d+)\.(\d+)", result.stdout.strip())
    if result.returncode or not match:
        raise UserError("Docker has no Compose plugin here.", hint=hint)
    if (int(match[1]), int(match[2])) < OLDEST_COMPOSE:
        raise UserError(f"Compose {result.stdout.strip()} is too old.", hint=hint)


def own_project(engine: Engine, found: Iterable[Container]) -> None:
    """The containers of this project are those of this clone."""
    own = engine.folder.resolve()
    others = {one.folder for one in found if one.folder.resolve() != own}
    if not others:
        return
    there = sorted(map(str, others))[0]
    fix = (f"end it there with ./monolith down (if that folder is gone: docker compose -p "
           f"{engine.project} down), or set COMPOSE_PROJECT_NAME=<another name> in "
           f"{own}/.env")  # fmt: skip
    found_text = f"containers of the one in {there}"
    problem = Problem(f"a project `{engine.project}` of this clone", found_text, fix)
    raise UserError("Another clone runs under the same project name.", [problem])


def other_stack(stack: Stack, found: Iterable[Container], root: Path) -> None:
    """No service runs that only another stack has: Compose would take it for an orphan."""
    extra = {one.service for one in found if one.is_running} - stack.services.keys()
    for other in shipped(stack.file.parent, root) if extra else []:
        if names := sorted(extra & other.services.keys()):
            told = f"The {other.kind} stack runs here, and {stack.kind} has no {', '.join(names)}."
            hint = (f"write MONOLITH_STACK={other.kind} into docker-compose/.env; to go over to "
                    f"{stack.kind}, ./monolith down first")  # fmt: skip
            raise UserError(told, hint=hint)


def free_ports(stack: Stack, found: Iterable[Container], engine: Engine) -> None:
    """Every published port is free, or a container of this project holds it."""
    own = {port for container in found if container.is_running for port in container.ports}
    problems = [
        ports.taken(entry.name, port, entry.port_variable(inner), _holder(port, engine))
        for entry in stack.services.values()
        for inner, port in entry.ports().items()
        if port not in own and not ports.is_port_free(port, published=True)
    ]
    if problems:
        raise UserError("Nothing was started: a port is taken.", problems)


def _holder(port: int, engine: Engine) -> str:
    names = engine.run(commands.publishing(port)).stdout.split()
    return f"the container {names[0]}" if names else ports.port_holder(port)
