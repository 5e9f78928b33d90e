"""Label Studio's set-up: its token is tried, and given to the flows."""

from __future__ import annotations

from typing import Any

import pytest

from monolith.bootstrap import label_studio, prefect
from monolith.bootstrap.http import Api
from monolith.errors import UserError
from monolith.manifest.stack import Stack
from tests.native.steps import Memory, make_site
from tests.unit.bootstrap.conftest import Answered
from tests.unit.bootstrap.wired_fake import TOKEN, FakeSenders

ALONE = {("label-studio", 8080): 1}


@pytest.fixture(autouse=True)
def fake(answered: Answered) -> FakeSenders:
    fake = FakeSenders()
    answered(fake.answer)
    return fake


def store(token: str) -> Memory:
    return Memory(label_studio={"LABEL_STUDIO_USER_TOKEN": token})


def test_a_token_that_is_taken_is_left(whole: Stack) -> None:
    assert label_studio.ensure(make_site(whole, store(TOKEN), ALONE)) == []


def test_a_token_that_is_not_taken_is_told_without_it(whole: Stack) -> None:
    with pytest.raises(UserError, match=r"\./monolith restart label-studio") as caught:
        label_studio.ensure(make_site(whole, store("another"), ALONE))
    assert "another" not in str(caught.value)


def test_flows_are_given_the_token(whole: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []

    def ensure_block(_: Api, kind: str, name: str, data: Any) -> tuple[str, list[str]]:
        kept.append((kind, name, data))
        return "id", [name]

    monkeypatch.setattr(prefect, "ensure_block", ensure_block)
    site = make_site(whole, store(TOKEN), ALONE | {("prefect", 4200): 4})
    assert label_studio.ensure(site) == ["label-studio-token"]
    assert kept == [("secret", "label-studio-token", {"value": TOKEN})]
