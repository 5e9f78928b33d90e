"""The engine goes and comes again, as with the machine: all is healthy by itself."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.common.platform import ROOT, eventually
from tests.compose.conftest import ComposePlatform
from tests.compose.test_bootstrap import sealed

ALLOWED = os.environ.get("CI") == "true" or os.environ.get("MONOLITH_TEST_ENGINE") == "restart"


@pytest.mark.skipif(
    not ALLOWED, reason="stops all containers; MONOLITH_TEST_ENGINE=restart allows it"
)
def test_all_is_healthy_by_itself_after_the_engine_restarts(platform: ComposePlatform) -> None:
    before = {name: one["State"]["StartedAt"] for name, one in platform.running().items()}
    subprocess.run([str(ROOT / ".ci" / "engine"), "restart"], check=True)
    assert eventually(platform.all_healthy, 300), platform.compose("ps", "-a")
    assert not sealed(platform)
    after = {name: one["State"]["StartedAt"] for name, one in platform.running().items()}
    assert all(after[name] != before[name] for name in before)
    assert platform.secret("mlflow", "DATABASE_PASSWORD")
