"""The files that are made from the manifests and their models, and kept in the repository."""

from __future__ import annotations

from monolith.manifest.stack import Stack
from monolith.render import alerts, dashboards, envexample, prometheus, reference


def all_files(stacks: list[Stack]) -> dict[str, str]:
    """Path from the project's root -> content. The last of the stacks has every service."""
    whole = stacks[-1]
    return {
        "config/prometheus/rules/services.yaml": alerts.text(whole),
        "config/prometheus/targets.yaml": prometheus.targets(whole),
        "docker-compose/.env.example": envexample.text(whole),
        "docs/reference/manifest.md": reference.manifest(),
        "docs/reference/services.md": reference.services(stacks),
        "docs/reference/settings.md": reference.settings(whole),
        **dashboards.files(whole),
    }
