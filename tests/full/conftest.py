"""The full stack on a real engine, in a fresh clone; see tests/compose/conftest.py.

Stand-ins here: Plane (tests/images/plane) and Grafana (tests/images/grafana), which no registry of
packages has.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.common.platform import eventually
from tests.compose.conftest import ComposePlatform, images, new_platform

__all__ = ["images"]


@pytest.fixture(scope="session")
def shared(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposePlatform]:
    """One stack for all tests, started by plain Compose; each leaves it as it found it."""
    platform = new_platform(tmp_path_factory.mktemp("full"), "full")
    try:
        platform.compose("up", "-d", "--wait", "--quiet-pull")
        platform.extra["DEMO_OUTPUT"] = platform.run("demo")
        yield platform
    finally:
        platform.end()


@pytest.fixture
def full(shared: ComposePlatform) -> ComposePlatform:
    """The shared stack, healthy."""
    assert eventually(shared.all_healthy, 120), shared.compose("ps", "-a")
    return shared


@pytest.fixture
def platform(full: ComposePlatform) -> ComposePlatform:
    """As the checks that all stacks have in common call it."""
    return full
