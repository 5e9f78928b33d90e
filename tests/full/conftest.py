"""The full stack on a real engine, in a fresh clone; see tests/compose/conftest.py.

Stand-ins here: Plane (tests/images/plane) and Grafana (tests/images/grafana), which no registry of
packages has.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.compose.conftest import ComposePlatform, images, platform, started

__all__ = ["images", "platform"]


@pytest.fixture(scope="session")
def shared(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposePlatform]:
    """One stack for all tests; each leaves it as it found it."""
    with started(tmp_path_factory.mktemp("full"), "full") as platform:
        yield platform


@pytest.fixture
def full(platform: ComposePlatform) -> ComposePlatform:
    """The same, as tests of the full stack call it."""
    return platform
