"""Data sources and dashboards from their files, as Grafana reads them at its start."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

# Built into Grafana: nothing has to be downloaded for them.
TYPES = ("prometheus", "loki", "tempo", "alertmanager")
_VARIABLE = re.compile(r"\$\$|\$\{?(\w+)\}?")


class WrongFileError(Exception):
    """A file that Grafana would not take, or take in part."""


@dataclass
class Provisioned:
    """What was read: data sources and dashboards, by uid."""

    sources: dict[str, dict[str, Any]]
    dashboards: dict[str, dict[str, Any]]


def read(folder: Path) -> Provisioned:
    """Everything below the folder of provisioning."""
    sources = _by_uid([one for file in _files(folder, "datasources") for one in _sources(file)])
    dashboards = [one for file in _files(folder, "dashboards") for one in _dashboards(file)]
    return Provisioned(sources, _by_uid(dashboards))


def _files(folder: Path, kind: str) -> list[Path]:
    found = sorted((folder / kind).glob("*.yaml"))
    if not found:
        raise WrongFileError(f"{folder / kind} has no file")
    return found


def _by_uid(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    by_uid = {one["uid"]: one for one in found}
    if len(by_uid) != len(found):
        raise WrongFileError(f"a uid is there twice: {sorted(one['uid'] for one in found)}")
    return by_uid


def _content(file: Path) -> dict[str, Any]:
    content = _expanded(yaml.safe_load(file.read_text()))
    if content.get("apiVersion") != 1:
        raise WrongFileError(f"{file}: apiVersion has to be 1")
    return content


def _expanded(value: Any) -> Any:
    """Grafana puts the environment in for `$NAME`, and `$` for `$$`."""
    if isinstance(value, dict):
        return {key: _expanded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_expanded(one) for one in value]
    return _VARIABLE.sub(_variable, value) if isinstance(value, str) else value


def _variable(match: re.Match[str]) -> str:
    return os.environ.get(match[1], "") if match[1] else "$"


def _sources(file: Path) -> list[dict[str, Any]]:
    found = _content(file)["datasources"]
    for one in found:
        missing = {"name", "uid", "type", "url"} - set(one)
        if missing or one["type"] not in TYPES:
            raise WrongFileError(
                f"{file}: {one.get('name')}: {missing or 'not built in: ' + one['type']}"
            )
    return found


def _dashboards(file: Path) -> list[dict[str, Any]]:
    found = []
    for provider in _content(file)["providers"]:
        folder = Path(provider["options"]["path"])
        if not folder.is_dir():
            raise WrongFileError(f"{file}: {folder} is not there")
        found += [_dashboard(path) for path in sorted(folder.glob("*.json"))]
    return found


def _dashboard(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text())
    if not content.get("uid") or not content.get("title"):
        raise WrongFileError(f"{path}: uid and title are needed")
    return content
