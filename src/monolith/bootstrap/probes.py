"""Prometheus learns which addresses to have opened; their names depend on this installation."""

from __future__ import annotations

from monolith.bootstrap.folders import give
from monolith.bootstrap.site import Site
from monolith.files import write_atomic
from monolith.render import probes

PROMETHEUS = "prometheus"
FOLDER, FILE = "prometheus-targets", "front-door.yaml"


def ensure(site: Site) -> list[str]:
    """Write the addresses of this installation for Prometheus. Returns what was changed."""
    if not (site.in_containers and site.has(PROMETHEUS)):
        return []
    folder = site.data / FOLDER
    folder.mkdir(exist_ok=True)
    changed = write_atomic(folder / FILE, probes.targets(site.stack))
    if reader := site.stack.service(PROMETHEUS).monolith.data:
        given = [give(item, *reader.owner) for item in (folder / FILE, folder)]
        changed |= any(given)
    return ["addresses that are probed"] if changed else []
