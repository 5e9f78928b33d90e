"""Default alerts of each service for Prometheus: those that have to know a service's name."""

from __future__ import annotations

from typing import Any

import yaml

from monolith.manifest.stack import Entry, Stack

_HEAD = """\
# Default alerts of each service, for what is not there: only its name can tell that it is gone.
# Rendered by `monolith render` from config/*/compose.yaml. Do not edit.
"""


class _Indented(yaml.SafeDumper):
    """Lists are indented below their key, as in the files that people write."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """As PyYAML's, and never without an indent."""
        super().increase_indent(flow, False)


_UNFOLDED = 2**16
# Without it nothing knows which services there are; its own absence is told by TargetMissing.
_PORTAL = 'up{job="portal"} == 1'
# Where the portal cannot read the engine's folder it sees no container, though all may run.
_CONTAINER = "container_start_time_seconds"


def text(stack: Stack) -> str:
    """`config/prometheus/rules/services.yaml`."""
    staying = [entry for entry in stack.services.values() if not entry.is_one_shot]
    rules = [rule for entry in staying for rule in _rules(entry)]
    group = {"name": "missing", "rules": rules}
    return _HEAD + yaml.dump(
        {"groups": [group]}, Dumper=_Indented, sort_keys=False, width=_UNFOLDED
    )


def _rules(entry: Entry) -> list[dict[str, Any]]:
    return [_service_missing(entry)] + ([_target_missing(entry)] if entry.monolith.metrics else [])


def _service_missing(entry: Entry) -> dict[str, Any]:
    """No health in Consul; for what Consul does not ask, no container, while others are seen."""
    is_asked = bool(entry.monolith.check)
    series, known = ("monolith_service_healthy", _PORTAL) if is_asked else (_CONTAINER, _CONTAINER)
    return _alert(
        entry, "ServiceMissing", f'absent({series}{{service="{entry.name}"}}) and on () {known}',
        "5m", "critical", f"{entry.monolith.title} is not there",
        "It is in the stack, but was not started, or was taken out by hand.",
    )  # fmt: skip


def _target_missing(entry: Entry) -> dict[str, Any]:
    return _alert(
        entry, "TargetMissing", f'absent(up{{job="{entry.name}"}})', "10m", "warning",
        f"Prometheus does not know {entry.monolith.title}",
        "Its target is missing in config/prometheus/targets.yaml, or the file was not read.",
    )  # fmt: skip


def _alert(
    entry: Entry, name: str, expr: str, wait: str, severity: str, summary: str, description: str
) -> dict[str, Any]:
    labels = {"severity": severity, "service": entry.name}
    annotations = {"summary": summary, "description": description}
    return {
        "alert": name, "expr": expr, "for": wait, "labels": labels,
        "annotations": annotations | {"runbook": f"docs/runbooks/{name}.md"},
    }  # fmt: skip
