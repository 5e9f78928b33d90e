"""What the blackbox exporter opens: each address for people, by name, through the front door."""

from __future__ import annotations

import yaml

from monolith.manifest.models import Url
from monolith.manifest.stack import Entry, Stack

FRONT_DOOR, EXPORTER = "traefik", "blackbox-exporter"
_EXPORTER_PORT = 9115


def targets(stack: Stack) -> str:
    """A file for Prometheus's `file_sd_configs`. It has the names of this installation in it, so
    it is no file of the repository.
    """
    services = stack.services.values()
    found = [_target(entry, url, stack) for entry in services if (url := entry.monolith.url)]
    return yaml.safe_dump(found, sort_keys=False)


def _target(entry: Entry, url: Url, stack: Stack) -> dict[str, object]:
    name, path = url.name(stack.domain), (url.paths or ["/"])[0]
    door = f"http://{stack.service(FRONT_DOOR).alias}:{stack.http_port}"
    labels = {
        "service": entry.name,
        "stack": stack.kind,
        "instance": name,
        "__param_target": door + path,
        "__param_hostname": name,
    }
    return {"targets": [f"{stack.service(EXPORTER).alias}:{_EXPORTER_PORT}"], "labels": labels}
