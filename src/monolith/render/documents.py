"""The files that are made from the manifests and their models, and kept in the repository."""

from __future__ import annotations

from monolith.manifest.stack import Stack
from monolith.render import envexample, reference


def all_files(stack: Stack) -> dict[str, str]:
    """Path from the project's root -> content."""
    return {
        "docker-compose/.env.example": envexample.text(stack),
        "docs/reference/manifest.md": reference.manifest(),
        "docs/reference/services.md": reference.services(stack),
        "docs/reference/settings.md": reference.settings(stack),
    }
