"""Plane's set-up, where it cannot go on: nothing is made twice, and the way out is told."""

from __future__ import annotations

import httpx
import pytest

from monolith.bootstrap import plane
from monolith.bootstrap.site import Site
from monolith.errors import UserError
from monolith.manifest.stack import Stack
from tests.native.steps import Memory, make_site
from tests.unit.bootstrap.conftest import Answered
from tests.unit.bootstrap.plane_fake import EMAIL, PASSWORD, FakePlane


@pytest.fixture
def fake(answered: Answered) -> FakePlane:
    fake = FakePlane()
    answered(fake.answer)
    return fake


@pytest.fixture
def site(product: Stack) -> Site:
    store = Memory(bootstrap={"PLANE_ADMIN_PASSWORD": PASSWORD})
    return make_site(product, store, {("plane-api", 8000): 1})


def told(site: Site) -> str:
    with pytest.raises(UserError) as caught:
        plane.ensure(site)
    return str(caught.value)


def test_a_new_plane_is_set_up_once(fake: FakePlane, site: Site) -> None:
    changes = plane.ensure(site)
    assert changes == [
        f"administrator {EMAIL}", "sign-up by invitation only", "workspace monolith", "API token",
    ]  # fmt: skip
    assert not fake.telemetry
    done = fake.changes()
    assert plane.ensure(site) == []
    assert fake.changes() == done


def test_it_is_called_as_from_planes_own_pages(fake: FakePlane, site: Site) -> None:
    plane.ensure(site)
    wanted = {
        "host": "plane.monolith.localhost:8080",
        "origin": "http://plane.monolith.localhost:8080",
        "referer": "http://plane.monolith.localhost:8080/",
        "user-agent": "monolith",
    }
    for request in fake.requests:
        assert wanted.items() <= dict(request.headers).items()


def test_an_unknown_administrator_is_not_replaced(fake: FakePlane, site: Site) -> None:
    fake.users, fake.admins = {"someone@example.org": "x"}, {"someone@example.org"}
    assert "./monolith secrets set bootstrap PLANE_ADMIN_PASSWORD" in told(site)
    assert fake.changes() == ["POST /api/instances/admins/sign-in/"]


def test_a_changed_password_is_asked_for_without_being_told(fake: FakePlane, site: Site) -> None:
    fake.users, fake.admins = {EMAIL: "changed-in-plane"}, {EMAIL}
    text = told(site)
    assert "./monolith secrets set bootstrap PLANE_ADMIN_PASSWORD" in text
    assert f"`{PASSWORD}`" not in text


def test_a_password_that_is_changed_in_plane_does_no_harm(fake: FakePlane, site: Site) -> None:
    plane.ensure(site)
    fake.users[EMAIL] = "changed-in-plane"
    assert plane.ensure(site) == []


def test_an_administrator_made_by_halves_is_told(fake: FakePlane, site: Site) -> None:
    fake.users = {EMAIL: PASSWORD}
    assert f"create_instance_admin {EMAIL}" in told(site)


def test_a_lost_token_is_replaced_and_the_former_removed(fake: FakePlane, site: Site) -> None:
    plane.ensure(site)
    fake.tokens["of-a-person"] = "my script"
    site.store.write("bootstrap", {"PLANE_ADMIN_PASSWORD": PASSWORD})
    assert plane.ensure(site) == ["API token"]
    assert sorted(fake.tokens.values()) == ["monolith", "my script"]


def test_settings_are_put_back(fake: FakePlane, site: Site) -> None:
    plane.ensure(site)
    fake.telemetry = fake.sign_up = True
    assert plane.ensure(site) == ["telemetry off", "sign-up by invitation only"]
    assert plane.ensure(site) == []


def test_a_workspace_with_another_name_is_still_the_one(fake: FakePlane, site: Site) -> None:
    plane.ensure(site)
    fake.is_renamed, fake.telemetry = True, True
    assert plane.ensure(site) == ["telemetry off"]


def test_a_workspace_of_others_is_told(fake: FakePlane, site: Site) -> None:
    fake.members = False
    assert "not a member" in told(site)


def test_a_server_in_trouble_does_not_cost_the_token(
    fake: FakePlane, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    plane.ensure(site)
    tokens = dict(fake.tokens)
    monkeypatch.setattr(fake, "_with_token", lambda _: httpx.Response(429))
    assert "429" in told(site)
    assert fake.tokens == tokens


def test_without_a_password_nothing_is_sent(fake: FakePlane, site: Site) -> None:
    site.store.write("bootstrap", {})
    assert "monolith bootstrap secrets" in told(site)
    assert fake.changes() == []
