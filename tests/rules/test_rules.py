"""The rules, computed by the real Prometheus' own tester, and Loki's by the real Loki."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from monolith import project
from monolith.tools import model
from tests.common.alerts import PROMETHEUS_RULES, RULE_TESTS


@pytest.fixture(scope="session")
def promtool() -> Path:
    """Prometheus' tester, of the version that runs."""
    found = model.find("promtool", project.find())
    assert found, "promtool is not built: ./monolith tools build promtool"
    return found


def run(promtool: Path, *words: object) -> str:
    command = [str(promtool), *map(str, words)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize("file", PROMETHEUS_RULES, ids=lambda file: file.name)
def test_rules_are_well_formed(promtool: Path, file: Path) -> None:
    assert "SUCCESS" in run(promtool, "check", "rules", "--lint=all", "--lint-fatal", file)


@pytest.mark.parametrize("file", RULE_TESTS, ids=lambda file: file.name)
def test_alerts_fire_and_keep_quiet(promtool: Path, file: Path) -> None:
    assert "SUCCESS" in run(promtool, "test", "rules", file)


def test_a_rule_that_is_wrong_is_found(promtool: Path, tmp_path: Path) -> None:
    """The tests can go red: with another threshold the alert does not fire."""
    for file in [*PROMETHEUS_RULES, *RULE_TESTS]:
        text = file.read_text().replace("_healthy == 0", "_healthy == 2")
        target = tmp_path.joinpath(*file.parts[-3:])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace("../../config/prometheus/", "../../prometheus/"))
    changed = tmp_path.joinpath(*RULE_TESTS[0].parts[-3:-1]) / "services.yaml"
    command = [str(promtool), "test", "rules", str(changed)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "ServiceDown" in result.stdout + result.stderr
    assert "AddressUnreachable" not in result.stdout + result.stderr
