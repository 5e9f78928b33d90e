"""Images built on the real engine: nothing of what a host's network asks for stays in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monolith import project as projects
from monolith.cli import screen
from monolith.images import commands, model
from monolith.images.model import Image
from monolith.images.workshop import Workshop
from tests.common.platform import ROOT
from tests.compose.conftest import docker

MARKER = f"marker{uuid.uuid4().hex[:8]}"
NAME = f"monolith-test/secretive:{uuid.uuid4().hex[:8]}"
INSTALL = "python-env /opt/traefik /requirements.lock"
LEAK = f"{INSTALL} && cat /run/secrets/* >/opt/leak"


@pytest.fixture
def secretive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Image]:
    """An image with Python packages, not built yet, on a host whose settings hold the marker."""
    for folder in ("images/debian", "images/shared", "images/traefik", "config/traefik"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    installer = tmp_path / "images/shared/python-env"
    # Nothing of it is in the build cache.
    installer.write_text(f"{installer.read_text()}# {uuid.uuid4()}\n")
    index = commands.index_file(os.environ).partition("=")[2].split("\n")[0].strip("'")
    bundle = tmp_path / "ca.crt"
    trusted = commands.ca_bundle(os.environ)
    bundle.write_text((trusted.read_text() if trusted else "") + f"# ca-{MARKER}\n")
    address = (index or "https://pypi.org/simple").partition("://")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"https://{MARKER}:{MARKER}@{address[2]}")
    monkeypatch.setenv("PIP_FIND_LINKS", f"/wheels-{MARKER}")
    monkeypatch.setenv("no_proxy", f"{MARKER}.example")
    image = model.load_all(tmp_path)["traefik"]
    yield replace(image, reference=NAME)
    subprocess.run(["docker", "image", "rm", NAME], capture_output=True, check=False)


def found_in(image: Image, folder: Path) -> list[str]:
    """Where the marker is: history, configuration, and the names and content of files."""
    container = docker("create", image.reference, "true").strip()
    archive = folder / "files.tar"
    docker("export", "--output", str(archive), container)
    docker("rm", container)
    found = {
        "history": MARKER in docker("history", "--no-trunc", image.reference),
        "configuration": MARKER in docker("image", "inspect", image.reference),
        "files": subprocess.run(["grep", "-qa", MARKER, str(archive)], check=False).returncode == 0,
    }
    return [name for name, is_there in found.items() if is_there]


def make(image: Image) -> None:
    Workshop(replace(projects.find(), root=image.root), None, screen.Progress()).make([image])


def test_nothing_of_the_host_stays_in_an_image(secretive: Image, tmp_path: Path) -> None:
    make(secretive)
    assert found_in(secretive, tmp_path) == []


def test_what_would_stay_is_found(secretive: Image, tmp_path: Path) -> None:
    """The test above sees what it looks for, and both secrets reach the step that needs them."""
    dockerfile = secretive.folder / "Dockerfile"
    text = dockerfile.read_text().replace(INSTALL, LEAK)
    dockerfile.write_text(f"{text}COPY --from=build /opt/leak /\n")
    make(secretive)
    assert found_in(secretive, tmp_path) == ["files"]
    leak = docker("run", "--rm", "--entrypoint", "cat", secretive.reference, "/leak")
    assert f"ca-{MARKER}" in leak
    assert f"UV_DEFAULT_INDEX=https://{MARKER}:" in leak
