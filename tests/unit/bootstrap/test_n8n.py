"""n8n's set-up: what is there is kept, what people changed is theirs, secrets stay out of sight."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monolith.bootstrap import n8n, n8n_workflows
from monolith.bootstrap.http import Api
from monolith.bootstrap.site import Site
from monolith.errors import UserError
from monolith.manifest.load import load
from monolith.settings import Settings
from tests.native.steps import Memory, make_site
from tests.unit.bootstrap.conftest import Answered
from tests.unit.bootstrap.n8n_fake import PASSWORD, FakeN8n
from tests.unit.conftest import ROOT

STACK = load(ROOT / "docker-compose" / "docker-compose.full.yaml", Settings({}), ROOT)
FOLDER = STACK.service("n8n").folder / n8n.FOLDER
FILES = {file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}
SECRETS = {
    "OWNER_PASSWORD": PASSWORD, "WEBHOOK_TOKEN": "token", "MLFLOW_WEBHOOK_SECRET": "of-mlflow",
    "PLANE_WEBHOOK_SECRET": "of-plane",
}  # fmt: skip


@pytest.fixture
def fake(answered: Answered) -> FakeN8n:
    fake = FakeN8n()
    answered(fake.answer)
    return fake


@pytest.fixture
def site() -> Site:
    return make_site(STACK, Memory(n8n=SECRETS), {("n8n", 5678): 1})


def change(site: Site, **values: str) -> None:
    site.store.write("n8n", site.store.read("n8n") | values)


def test_a_new_n8n_is_set_up_once(fake: FakeN8n, site: Site) -> None:
    names = [one.name for one in n8n.CREDENTIALS]
    assert n8n.ensure(site) == ["API key", *names, *(f"workflow {name}" for name in FILES)]
    assert all(one["active"] for one in fake.workflows.values())
    assert {one["name"] for one in fake.workflows.values()} == set(FILES)
    done = fake.changes()
    assert n8n.ensure(site) == []
    assert fake.changes() == done


def test_each_workflow_uses_the_credential_of_its_secret(fake: FakeN8n, site: Site) -> None:
    n8n.ensure(site)
    used = {
        name: fake.credentials[one["id"]]["data"]
        for name in FILES
        for node in fake.named(name)["nodes"]
        for one in node.get("credentials", {}).values()
    }
    assert used == {
        "alerts": {"name": "X-Monolith-Token", "value": "token"},
        "label-studio": {"name": "X-Monolith-Token", "value": "token"},
        "mlflow": {"hmacSecret": "of-mlflow"},
        "plane": {"hmacSecret": "of-plane"},
    }


def test_a_changed_secret_reaches_its_credential(fake: FakeN8n, site: Site) -> None:
    n8n.ensure(site)
    change(site, MLFLOW_WEBHOOK_SECRET="another")
    assert n8n.ensure(site) == ["secret of Webhooks of MLflow"]
    assert {"hmacSecret": "another"} in [one["data"] for one in fake.credentials.values()]
    assert len(fake.credentials) == 3
    assert n8n.ensure(site) == []


def test_names_of_credentials_tell_no_secret(fake: FakeN8n, site: Site) -> None:
    n8n.ensure(site)
    for one in fake.credentials.values():
        assert not any(value in one["name"] for value in SECRETS.values())


def test_a_workflow_without_its_secret_waits(fake: FakeN8n, site: Site) -> None:
    """With an empty secret anybody could sign."""
    change(site, PLANE_WEBHOOK_SECRET="")
    assert "workflow plane" not in n8n.ensure(site)
    assert len(fake.credentials) == 2
    change(site, PLANE_WEBHOOK_SECRET="of-plane")
    assert n8n.ensure(site) == ["Webhooks of Plane", "workflow plane"]


def test_what_people_changed_is_theirs(fake: FakeN8n, site: Site, tmp_path: Path) -> None:
    n8n.ensure(site)
    changed = fake.named("alerts")
    changed["nodes"][1]["parameters"]["path"] = "my-alerts"
    before = json.dumps(changed)
    assert n8n.ensure(site) == []
    assert update(fake, site, tmp_path, "alerts") == []
    assert json.dumps(changed) == before


def test_what_they_only_moved_is_brought_up_to_date(
    fake: FakeN8n, site: Site, tmp_path: Path
) -> None:
    n8n.ensure(site)
    fake.named("alerts")["nodes"][1]["position"] = [7, 7]
    assert n8n.ensure(site) == []
    assert update(fake, site, tmp_path, "alerts") == ["new version of workflow alerts"]
    assert fake.named("alerts")["nodes"][1]["parameters"]["path"] == "elsewhere"
    assert update(fake, site, tmp_path, "alerts") == []


def test_what_they_switched_off_stays_off(fake: FakeN8n, site: Site, tmp_path: Path) -> None:
    n8n.ensure(site)
    fake.named("alerts")["active"] = False
    assert n8n.ensure(site) == []
    assert update(fake, site, tmp_path, "alerts") == ["new version of workflow alerts"]
    assert not fake.named("alerts")["active"]


def test_what_they_archived_is_left(fake: FakeN8n, site: Site, tmp_path: Path) -> None:
    n8n.ensure(site)
    fake.named("alerts")["isArchived"] = True
    assert n8n.ensure(site) == []
    assert update(fake, site, tmp_path, "alerts") == []


def test_what_they_renamed_is_not_made_again(fake: FakeN8n, site: Site) -> None:
    n8n.ensure(site)
    fake.named("alerts")["name"] = "Our alerts"
    before, done = json.dumps(fake.workflows), fake.changes()
    assert n8n.ensure(site) == []
    assert (json.dumps(fake.workflows), fake.changes()) == (before, done)


def test_what_they_renamed_and_switched_off_leaves_its_place(fake: FakeN8n, site: Site) -> None:
    n8n.ensure(site)
    fake.named("alerts").update(name="Our alerts", active=False)
    assert n8n.ensure(site) == ["workflow alerts"]
    assert n8n.ensure(site) == []


def test_a_credential_that_was_deleted_is_made_and_used_again(fake: FakeN8n, site: Site) -> None:
    n8n.ensure(site)
    lost = next(key for key, one in fake.credentials.items() if "Plane" in one["name"])
    del fake.credentials[lost]
    assert n8n.ensure(site) == ["Webhooks of Plane", "new version of workflow plane"]
    assert f'"{lost}"' not in json.dumps(fake.named("plane"))


@pytest.mark.parametrize("where", ["POST /api/v1/workflows", "/activate", "PUT /api/v1/workflows"])
def test_a_set_up_that_was_killed_goes_on(fake: FakeN8n, site: Site, where: str) -> None:
    fake.ends_at = where
    with pytest.raises(KeyboardInterrupt):
        n8n.ensure(site)
    fake.ends_at = ""
    n8n.ensure(site)
    assert sorted(one["name"] for one in fake.workflows.values()) == sorted(FILES)
    assert all(one["active"] for one in fake.workflows.values())
    assert n8n.ensure(site) == []


def test_a_lost_key_is_replaced_and_the_former_removed(fake: FakeN8n, site: Site) -> None:
    n8n.ensure(site)
    fake.keys["of-a-person"] = "my script"
    change(site, API_KEY="lost")
    assert n8n.ensure(site) == ["API key"]
    assert sorted(fake.keys.values()) == ["monolith", "my script"]


def test_an_owner_that_is_not_let_in_is_told_what_helps(fake: FakeN8n, site: Site) -> None:
    fake.password = "another"
    with pytest.raises(UserError) as caught:
        n8n.ensure(site)
    assert "./monolith restart n8n" in str(caught.value)
    assert PASSWORD not in str(caught.value).split()


def test_files_hold_no_ids_of_an_installation_and_no_secrets() -> None:
    known = {one.name for one in n8n.CREDENTIALS}
    for name, file in FILES.items():
        assert file["name"] == name
        for node in file["nodes"]:
            for one in node.get("credentials", {}).values():
                assert set(one) == {"name"}
                assert one["name"] in known


def test_every_webhook_asks_who_calls() -> None:
    for name, file in FILES.items():
        kinds = {node["type"].partition(".")[2]: node for node in file["nodes"]}
        assert kinds["webhook"]["parameters"]["path"] == name
        by_header = kinds["webhook"]["parameters"].get("authentication") == "headerAuth"
        assert by_header or kinds["crypto"]["parameters"]["action"] == "hmac", name


def update(fake: FakeN8n, site: Site, folder: Path, name: str) -> list[str]:
    """Bring another version of a file in, as an upgrade of the platform does."""
    file: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    file["nodes"][1]["parameters"]["path"] = "elsewhere"
    (folder / f"{name}.json").write_text(json.dumps(file))
    key = site.store.read("n8n")["API_KEY"]
    api = Api("n8n", "http://127.0.0.1:1/api/v1", {n8n.HEADER: key})
    credentials = {one["name"].rpartition(" (")[0]: key for key, one in fake.credentials.items()}
    return n8n_workflows.ensure(api, folder, credentials)
