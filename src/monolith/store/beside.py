"""A store beside the one that runs: the manifest's own service, under another name.

It is made by plain `docker compose`, as a project of one service, whose words are built here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monolith.manifest.load import fragment
from monolith.manifest.stack import DOMAIN_SUFFIX, Entry
from monolith.settings import Settings

SERVICE = "s3-next"
ALIAS = SERVICE + DOMAIN_SUFFIX
PORT = 9000
# What is of the stack, not of the program.
_LEFT_OUT = {"x_monolith", "depends_on", "ports", "networks", "volumes", "restart"}


def load(root: Path, kind: str, settings: Settings) -> Entry:
    """The service `s3` as `config/<kind>/compose.yaml` describes it."""
    found = fragment(root / "config" / kind / "compose.yaml", settings, root)
    return found["s3"]


def project(entry: Entry, *, network: str = "", port: int = 0) -> dict[str, Any]:
    """A Compose file with the store only: in `network`, or without one on a loopback port."""
    said = entry.model.model_dump(by_alias=True, exclude_defaults=True, exclude=_LEFT_OUT)
    volumes = [
        f"{source}:{target}:{_mode(writable)}" for source, target, writable in entry.mounts()
    ]
    service: dict[str, Any] = {**_literal(said), "volumes": volumes, "restart": "no"}
    if not network:
        return {"services": {SERVICE: {**service, "ports": [f"127.0.0.1:{port}:{PORT}"]}}}
    return {
        "services": {SERVICE: {**service, "networks": {"default": {"aliases": [ALIAS]}}}},
        "networks": {"default": {"name": network, "external": True}},
    }


def _mode(writable: bool) -> str:
    return "rw" if writable else "ro"


def _literal(value: Any) -> Any:
    """Its variables are filled in; a dollar sign that is left means itself."""
    if isinstance(value, dict):
        return {key: _literal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_literal(item) for item in value]
    return value.replace("$", "$$") if isinstance(value, str) else value
