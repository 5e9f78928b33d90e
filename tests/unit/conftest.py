"""What several tests share: a stack made of a few words, and Python in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import monolith
from monolith.manifest.load import load
from monolith.manifest.stack import Stack
from monolith.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Path(monolith.__file__).resolve().parents[1]
NASTY = "$HOME `id` %d 'one' \"two\" \\back #hash @host /slash: ไทย"
"""A value with everything that some shell, file format or address could take for its own."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make this situation")
MakeStack = Callable[..., Stack]


@pytest.fixture(autouse=True)
def _without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests do not depend on how the person who runs them has set up a platform."""
    for name in [name for name in os.environ if name.startswith("MONOLITH_")]:
        monkeypatch.delenv(name)


def python(code: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    """Starts Python code with `monolith` to import; its arguments are in `sys.argv[1:]`."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(SOURCE), **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def command_line(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `monolith WORDS...` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "monolith", *words],
        env={**os.environ, "PYTHONPATH": str(SOURCE), **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def service(name: str, /, monolith: dict[str, Any] | None = None, **keys: Any) -> dict[str, Any]:
    """A service that has all that is required, and nothing else but `keys`."""
    return {
        "image": f"{name}:1.0",
        "networks": {"default": {"aliases": [f"{name}.service.consul"]}},
        "healthcheck": {"test": ["CMD", "true"]},
        "deploy": {"resources": {"limits": {"memory": "64m"}}},
        "logging": {"options": {"max-size": "1m", "max-file": "1"}},
        "restart": "unless-stopped",
        "x-monolith": {"title": name.title(), "about": "A test", "access": "internal"}
        | (monolith or {}),
        **keys,
    }


@pytest.fixture
def make_stack(tmp_path: Path) -> MakeStack:
    """Writes services as fragments below `tmp_path` and loads them as the product does."""

    def make(
        services: dict[str, dict[str, Any]],
        meanings: dict[str, str] | None = None,
        **settings: str,
    ) -> Stack:
        for name, keys in services.items():
            content = {"x-settings": meanings or {}, "services": {name: keys}}
            folder = tmp_path / "config" / name
            folder.mkdir(parents=True, exist_ok=True)
            native = keys["x-monolith"].get("native")
            if native and native["requirements"]:
                lock = tmp_path / native["requirements"]
                lock.parent.mkdir(parents=True, exist_ok=True)
                lock.touch()
            (folder / "compose.yaml").write_text(yaml.safe_dump(content, allow_unicode=True))
        file = tmp_path / "docker-compose" / "docker-compose.minimal.yaml"
        file.parent.mkdir(exist_ok=True)
        includes = [f"../config/{name}/compose.yaml" for name in services]
        file.write_text(yaml.safe_dump({"name": "test", "include": includes}))
        return load(file, Settings(settings), tmp_path)

    return make


@pytest.fixture(scope="session")
def product() -> Stack:
    """The minimal stack that is shipped, with its default settings."""
    return _shipped("minimal")


@pytest.fixture(scope="session")
def whole() -> Stack:
    """The full stack that is shipped, with its default settings."""
    return _shipped("full")


def _shipped(name: str) -> Stack:
    return load(ROOT / "docker-compose" / f"docker-compose.{name}.yaml", Settings({}), ROOT)
