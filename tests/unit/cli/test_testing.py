"""The verb `test`: its help names every lane, and in CI nothing is left out."""

from __future__ import annotations

import pytest

from monolith.cli import testing
from monolith.errors import UserError
from tests.unit.conftest import command_line


def test_the_help_names_every_lane() -> None:
    assert ", ".join(testing.LANES) in command_line("test", "--help", COLUMNS="200").stdout


def test_in_ci_what_is_left_out_fails_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(UserError) as caught:
        testing._conclude([], ["lint: shellcheck is not installed"])
    assert "./monolith test" in caught.value.hint


def test_elsewhere_it_is_only_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    testing._conclude([], ["lint: shellcheck is not installed"])
    assert "shellcheck" in capsys.readouterr().out
