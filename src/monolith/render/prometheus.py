"""What Prometheus scrapes: a target for each endpoint of metrics that a manifest names."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

from monolith.manifest.models import Metrics
from monolith.manifest.stack import Entry, Stack

_HEAD = """\
# What Prometheus scrapes. Labels that begin with __ say how, and are not kept.
# Rendered by `monolith render` from config/*/compose.yaml. Do not edit.
"""


def targets(stack: Stack) -> str:
    """`config/prometheus/targets.yaml`, for Prometheus's `file_sd_configs`."""
    found = [
        _target(entry, endpoint, stack.kind)
        for entry in stack.services.values()
        for endpoint in entry.monolith.metrics
    ]
    return _HEAD + ("\n".join(found) or "[]\n")


def _target(entry: Entry, endpoint: Metrics, stack: str) -> str:
    labels = {"service": entry.name, "stack": stack, **_how(endpoint)}
    lines = [f"- targets: [{entry.alias}:{endpoint.port}]", "  labels:"]
    lines += [f"    {name}: {json.dumps(value)}" for name, value in labels.items()]
    return "\n".join(lines) + "\n"


def _how(endpoint: Metrics) -> dict[str, str]:
    """What differs from Prometheus's own way of asking."""
    url = urlsplit(endpoint.path)
    how = {f"__param_{name}": value for name, value in parse_qsl(url.query)}
    if url.path != "/metrics":
        how["__metrics_path__"] = url.path
    if endpoint.own_labels:
        how["__own_labels__"] = "true"
    return how
