"""What the containers of both stacks promise, and what only the full one does."""

from __future__ import annotations

import json
from typing import Any

from monolith.manifest.load import load
from monolith.settings import Settings
from tests.compose.conftest import ComposePlatform
from tests.compose.test_stack import *  # noqa: F403

CAPS_GB = 13


def test_the_caps_of_all_containers_fit_the_machine(full: ComposePlatform) -> None:
    caps = [one["HostConfig"]["Memory"] for one in full.containers().values()]
    assert len(caps) > 25
    assert sum(caps) <= CAPS_GB * 2**30


def test_overlays_are_merged_as_compose_merges_them(full: ComposePlatform) -> None:
    """The command line reads the same stack as plain Compose does."""
    merged = json.loads(full.compose("config", "--format", "json"))["services"]
    own = {name: text for name, text in full.environment.items() if name.startswith("MONOLITH_")}
    file = full.root / "docker-compose" / "docker-compose.full.yaml"
    read = load(file, Settings(own), full.root).services
    assert set(read) == set(merged)
    for name, entry in read.items():
        other: dict[str, Any] = merged[name]
        # What is printed can be read again: a dollar sign is doubled.
        printed = [word.replace("$", "$$") for word in entry.model.command or []]
        assert printed == (other["command"] or []), name
        assert set(entry.model.environment) == set(other.get("environment", {})), name
        targets = {target for _, target, _ in entry.mounts()}
        assert targets == {one["target"] for one in other.get("volumes", [])}, name
        assert set(entry.model.depends_on) == set(other.get("depends_on", {})), name
        assert str(entry.memory_limit) == other["deploy"]["resources"]["limits"]["memory"], name
