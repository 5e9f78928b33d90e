"""The words of every command. Compose's run in the folder of the stack file (`engine.py`), with
the caller's environment: so project, `.env` and configuration are those of a plain `docker compose`
there, and neither makes anew what the other has made.
"""

from __future__ import annotations

from collections.abc import Iterable

PROJECT = "com.docker.compose.project"
"""Label with the project's name; those that Compose adds to it say more."""
BOOTSTRAP = "bootstrap"
"""The service in which `monolith` itself runs."""

Words = list[str]


def up(file: str) -> Words:
    """Make and start what is not as described; waits for dependencies only."""
    return [*_told(file), "up", "--detach", "--remove-orphans", "--quiet-pull"]


def down(file: str) -> Words:
    """Stop and remove all containers; data are bind mounts and stay."""
    return [*_told(file), "down", "--remove-orphans"]


def stop(file: str, services: Iterable[str]) -> Words:
    """Stop services, or all."""
    return [*_told(file), "stop", *services]


def pull(file: str, services: Iterable[str]) -> Words:
    """Pull the images of services."""
    return [*_told(file), "pull", "--quiet", *services]


def build(file: str, services: Iterable[str]) -> Words:
    """Build the images of services."""
    return [*_told(file), "build", *services]


def follow(file: str, services: Iterable[str], lines: int) -> Words:
    """Last lines of services and those to come, each behind its container's name."""
    tail = ["--follow", "--tail", str(lines)]
    return [*_told(file), "logs", "--no-color", *tail, *services]


def inside(file: str, arguments: Iterable[str], *, terminal: bool) -> Words:
    """`monolith ARGUMENTS...` in the bootstrap container."""
    mode = [] if terminal else ["-T"]
    return [*_compose(file), "exec", *mode, BOOTSTRAP, "monolith", *arguments]


def once(file: str, arguments: Iterable[str]) -> Words:
    """`monolith ARGUMENTS...` in a bootstrap container of its own, which is gone afterwards."""
    return [*_compose(file), "run", "--rm", "--no-deps", "-T", BOOTSTRAP, *arguments]


def stand_ins() -> Words:
    """Names of the images that say that they are a stand-in."""
    shown = ["--format", "{{.Repository}}:{{.Tag}}"]
    return ["docker", "images", "--filter", "label=monolith.stand-in", *shown]


def compose_version() -> Words:
    """Compose's own version, such as `2.40.3`."""
    return ["docker", "compose", "version", "--short"]


def containers(project: str) -> Words:
    """Ids of a project's containers, running or not, without those of `docker compose run`."""
    filters = [f"label={PROJECT}={project}", "label=com.docker.compose.oneoff=False"]
    chosen = [word for text in filters for word in ("--filter", text)]
    return ["docker", "ps", "--all", "--quiet", "--no-trunc", *chosen]


def publishing(port: int) -> Words:
    """Names of running containers, of whatever project, that publish a port."""
    return ["docker", "ps", "--filter", f"publish={port}", "--format", "{{.Names}}"]


def inspect(ids: Iterable[str]) -> Words:
    """All about containers, as JSON."""
    return ["docker", "inspect", "--type", "container", *ids]


def stats(ids: Iterable[str]) -> Words:
    """Memory of running containers, a line of JSON each. Takes two seconds."""
    return ["docker", "stats", "--no-stream", "--no-trunc", "--format", "{{json .}}", *ids]


def log(container: str, lines: int) -> Words:
    """Last lines of one container."""
    return ["docker", "logs", "--tail", str(lines), container]


def image(name: str) -> Words:
    """Succeeds where an image is present."""
    return ["docker", "image", "inspect", "--format", "{{.Id}}", name]


def _compose(file: str) -> Words:
    return ["docker", "compose", "--file", file]


def _told(file: str) -> Words:
    """Compose that tells what it does line by line."""
    return ["docker", "compose", "--ansi", "never", "--progress", "plain", "--file", file]
