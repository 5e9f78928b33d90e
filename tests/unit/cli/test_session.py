"""What every command starts from."""

from __future__ import annotations

import pytest

from monolith.cli.session import Session
from monolith.errors import UserError
from monolith.runtimes.choice import Choice


def test_the_option_chooses_before_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONOLITH_RUNTIME", "native")
    assert Session("", "").choice == Choice("native", "MONOLITH_RUNTIME")
    assert Session("", "compose").choice == Choice("compose", "--runtime")


def test_without_either_what_is_there_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Choice("compose", "its containers are here")
    monkeypatch.setattr("monolith.runtimes.choice.choose", lambda stack, project: found)
    assert Session("", "").choice == found


def test_every_runtime_can_be_had() -> None:
    for name in ("native", "compose", "container"):
        assert Session("", name).runtime.name == name


def test_an_unknown_one_is_told_with_those_for_people() -> None:
    with pytest.raises(UserError, match="There is no runtime `comopse`") as caught:
        _ = Session("", "comopse").choice
    assert "compose" in caught.value.hint
    with pytest.raises(UserError) as caught:
        _ = Session("", "xyz").choice
    assert caught.value.hint == "one of: native, compose"
