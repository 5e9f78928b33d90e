"""The words of every command that the engine is given, and what goes into a build: plain data."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from monolith.images.model import Image

_TITLE = "org.opencontainers.image.title"
VERSION = "org.opencontainers.image.version"
SOURCE = "monolith.source"
# Docker knows these without an ARG in the Dockerfile, and keeps them out of the image's history.
_PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")
_BUNDLES = [Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pki/tls/certs/ca-bundle.crt")]
_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
# npm knows its settings in either case.
_REGISTRIES = ("NPM_CONFIG_REGISTRY", "npm_config_registry")


def ask_engine() -> list[str]:
    """Prints the engine's version, or says why there is none."""
    return ["docker", "version", "--format", "{{.Server.Version}}"]


def inspect(reference: str) -> list[str]:
    """Prints a list of one image as JSON; fails when the engine does not have it."""
    return ["docker", "image", "inspect", reference]


def pull(reference: str) -> list[str]:
    """Pulls an image."""
    return ["docker", "pull", "--quiet", reference]


def labels(image: Image, digest: str, version: str) -> dict[str, str]:
    """What an image says about itself."""
    if image.is_base:
        return {image.label: digest}
    return {_TITLE: image.title, VERSION: version, SOURCE: image.source, image.label: digest}


def build(
    image: Image,
    context: Path,
    secrets: Mapping[str, Path],
    variables: Mapping[str, str],
    tag: Mapping[str, str],
) -> list[str]:
    """Builds from `context`; with labels as `tag` the image gets its name, with none only an id,
    printed.
    """
    # The host's network: what the host reaches (a proxy on loopback, a VPN's names) builds reach.
    dockerfile = context / image.folder.relative_to(image.root) / "Dockerfile"
    command = ["docker", "build", "--network", "host", "--file", str(dockerfile)]
    command += ["--target", image.stage] if image.stage else []
    for name, file in secrets.items():
        command += ["--secret", f"id={name},src={file}"]
    for name in proxies(variables):
        command += ["--build-arg", name]
    for name, value in tag.items():
        command += ["--label", f"{name}={value}"]
    end = ["--progress", "plain", "--tag", image.reference] if tag else ["--quiet"]
    return [*command, *end, str(context)]


def make_rootfs(image: Image) -> list[str]:
    """Writes the base image's files to standard output, as tar."""
    suite = image.reference.rpartition(":")[2].partition("-")[0]
    return [str(image.folder / "rootfs"), suite]


def take_rootfs(image: Image, file: Path, tag: Mapping[str, str]) -> list[str]:
    """Makes the base image from a tar file."""
    changes = [
        word for name, value in tag.items() for word in ("--change", f"LABEL {name}={value}")
    ]
    return ["docker", "import", "--change", 'CMD ["bash"]', *changes, str(file), image.reference]


def ask_debian(image_id: str, package: str) -> list[str]:
    """Prints the version of a Debian package in an image."""
    return ["docker", "run", "--rm", "--network", "none", "--entrypoint", "dpkg-query",
            image_id, "-W", "-f", "${Version}", package]  # fmt: skip


def remove(image_id: str) -> list[str]:
    """Removes an image by its id; what it was built from stays in the build cache."""
    return ["docker", "image", "rm", image_id]


def proxies(variables: Mapping[str, str]) -> list[str]:
    """Names of the proxy settings that are set; their values stay out of the command."""
    names = [form for name in _PROXIES for form in (name, name.upper())]
    return [name for name in names if variables.get(name)]


def index_file(variables: Mapping[str, str]) -> str:
    """Shell assignments that choose the package index, for pip, uv and npm; empty for the default.

    Folders of ready wheels (PIP_FIND_LINKS) stay out: they are this machine's.
    """
    index, registry = _first(variables, _INDEXES), _first(variables, _REGISTRIES)
    chosen = {"PIP_INDEX_URL": index, "UV_DEFAULT_INDEX": index, "NPM_CONFIG_REGISTRY": registry}
    return "".join(f"{name}={shlex.quote(url)}\n" for name, url in chosen.items() if url)


def _first(variables: Mapping[str, str], names: Iterable[str]) -> str:
    return next((variables[name] for name in names if variables.get(name)), "")


def ca_bundle(variables: Mapping[str, str]) -> Path | None:
    """The CA bundle that this host trusts: the one that is set, else the system's."""
    chosen = variables.get("SSL_CERT_FILE")
    candidates = [Path(chosen)] if chosen else _BUNDLES
    return next((path for path in candidates if path.is_file()), None)
