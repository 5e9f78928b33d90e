"""Services whose program is a tool: taken when it is ready, and told why they are not offered."""

from __future__ import annotations

from pathlib import Path

import pytest

from monolith.manifest.load import load
from monolith.project import Project
from monolith.runtimes.native import site as native_site
from monolith.runtimes.native.offers import NEEDS_ENGINE, Offers
from monolith.runtimes.native.places import Places
from monolith.settings import Settings
from tests.unit.conftest import ROOT


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty one, and nothing on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path / "cache"


def make(cache: Path, **settings: str) -> Offers:
    file = ROOT / "docker-compose" / "docker-compose.minimal.yaml"
    data = cache.parent / "data"
    return Offers(load(file, Settings(settings), ROOT), Project(ROOT, data, cache))


def reason(offers: Offers, name: str) -> str:
    return offers.reason(offers.stack.service(name))


def test_without_its_program_it_is_told_how_to_get_it(cache: Path) -> None:
    offers = make(cache)
    assert reason(offers, "vault") == "./monolith tools build vault, then up"
    assert reason(offers, "bootstrap") == reason(offers, "vault")
    assert reason(offers, "plane-api") == NEEDS_ENGINE
    assert reason(offers, "postgres") == ""
    assert not offers.has_vault


def test_a_ready_one_is_told_of(cache: Path) -> None:
    (cache.parent / "ready").mkdir()
    (cache.parent / "ready" / "vault.xz").touch()
    offers = make(cache, MONOLITH_TOOLS=str(cache.parent / "ready"))
    assert "MONOLITH_TOOLS" in reason(offers, "vault")
    assert "tools build" in reason(offers, "consul")


def test_one_on_the_path_is_enough(cache: Path) -> None:
    program = cache.parent / "vault"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    offers = make(cache)
    assert reason(offers, "vault") == reason(offers, "bootstrap") == ""
    assert {"vault", "postgres"} <= {entry.name for entry in offers.entries()}


def test_the_watcher_finds_its_installation_again(cache: Path) -> None:
    (cache.parent / "vault").write_text("#!/bin/sh\n")
    (cache.parent / "vault").chmod(0o755)
    offers = make(cache, MONOLITH_VAULT_PORT="18200", MONOLITH_DOMAIN="example.localhost")
    program = native_site.watcher(offers, Places(offers.project.data))
    assert program.command[-2:] == ["http://127.0.0.1:18200", ""]
    assert program.environment["MONOLITH_DATA"] == str(offers.project.data)
    assert program.environment["MONOLITH_DOMAIN"] == "example.localhost"
    assert program.environment["MONOLITH_RUNTIME"] == "native"
