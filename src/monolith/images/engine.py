"""Executing the engine's commands, and what the engine has."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from monolith.errors import UserError
from monolith.images import commands

_LAST_LINES, _WIDEST = 8, 300
_PULL_SECONDS = 300.0
_NO_BUILDX = "install Docker's buildx plugin (on Debian: .ci/engine), then try again"
_FAILED = (
    "check the network, the package index (UV_DEFAULT_INDEX, PIP_INDEX_URL, NPM_CONFIG_REGISTRY), "
    "the CA bundle "
)


@dataclass(frozen=True)
class Present:
    """An image that the engine has. `size` is in bytes; `digests` are those of a registry."""

    id: str
    size: int
    labels: dict[str, str]
    digests: list[str]
    tags: list[str]


def require() -> None:
    """A UserError with what to do, unless an engine answers."""
    try:
        result = subprocess.run(commands.ask_engine(), capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        hint = "install Docker (https://docs.docker.com/engine/install), or use --runtime native"
        raise UserError("There is no `docker` on PATH.", hint=hint) from error
    if result.returncode:
        raise _not_answering(result.stderr.strip())


def find(reference: str) -> Present | None:
    """What the engine has under that name."""
    result = subprocess.run(
        commands.inspect(reference), capture_output=True, text=True, check=False
    )
    if result.returncode:
        return None
    found = json.loads(result.stdout)[0]
    labels = found["Config"].get("Labels") or {}
    digests, tags = found.get("RepoDigests") or [], found.get("RepoTags") or []
    return Present(found["Id"], found["Size"], labels, digests, tags)


def pulled(reference: str) -> bool:
    """Pull it. False: no registry has it, or none is reached."""
    try:
        result = subprocess.run(
            commands.pull(reference), capture_output=True, check=False, timeout=_PULL_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return result.returncode == 0


def run(what: str, command: list[str], environment: dict[str, str]) -> str:
    """Run to the end; its standard output. A UserError with the last lines when it fails."""
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise failed(what, result.stderr or result.stdout)
    return result.stdout.strip()


def save(what: str, command: list[str], file: Path) -> None:
    """Run to the end, standard output into `file`."""
    with file.open("wb") as stream:
        result = subprocess.run(command, stdout=stream, stderr=subprocess.PIPE, check=False)
    if result.returncode:
        raise failed(what, result.stderr.decode(errors="replace"))


def drop(image_id: str) -> None:
    """Remove an image that has no name, unless a container still uses it."""
    image = find(image_id)
    if image and not image.tags:
        subprocess.run(commands.remove(image_id), capture_output=True, check=False)


def failed(what: str, output: str) -> UserError:
    """Why an image could not be made, in its command's own words."""
    # BuildKit frames what the failed step printed, and tells the rest of the build around it.
    frames = output.strip().split("\n------\n")
    told = frames[1] if len(frames) > 2 else frames[-1]
    text = "\n".join(line[:_WIDEST] for line in told.splitlines()[-_LAST_LINES:])
    hint = _NO_BUILDX if "buildx" in text else _FAILED + "(SSL_CERT_FILE) and the space on the disk"
    return UserError(f"The image `{what}` could not be made:\n{text}", hint=hint)


def _not_answering(told: str) -> UserError:
    if "permission denied" in told.lower():
        hint = "add yourself to the group `docker` and log in again, or use sudo"
    else:
        hint = "start Docker (systemctl start docker, or dockerd as root); docker info shows more"
    return UserError(f"The container engine does not answer:\n{told}", hint=hint)
