"""Webhooks of the applications lead to n8n with a secret, once; what is changed is put back."""

from __future__ import annotations

import pytest

from monolith.bootstrap import plane, webhooks
from monolith.bootstrap.site import Site
from monolith.errors import UserError
from monolith.manifest.stack import Stack
from tests.native.steps import Memory, make_site
from tests.unit.bootstrap.conftest import Answered
from tests.unit.bootstrap.wired_fake import PORTS, TOKEN, FakeSenders

LABELS, MLFLOW, PLANE, PREFECT = 1, 2, 3, 4
CHANGES = [
    "deployment count-annotations", "webhook of Label Studio", "webhook of MLflow",
    "webhook of Plane and its secret",
]  # fmt: skip


@pytest.fixture
def fake(answered: Answered) -> FakeSenders:
    fake = FakeSenders()
    answered(fake.answer)
    return fake


@pytest.fixture
def site(whole: Stack) -> Site:
    store = Memory(
        bootstrap={"PLANE_ADMIN_PASSWORD": "p"}, label_studio={"LABEL_STUDIO_USER_TOKEN": TOKEN},
        n8n={"WEBHOOK_TOKEN": "header-secret", "MLFLOW_WEBHOOK_SECRET": "hmac-secret"},
    )  # fmt: skip
    return make_site(whole, store, PORTS)


def test_all_are_made_once(fake: FakeSenders, site: Site) -> None:
    assert webhooks.ensure(site) == CHANGES
    done = [fake.changes(port) for port in (LABELS, MLFLOW, PLANE, PREFECT)]
    assert webhooks.ensure(site) == []
    assert [fake.changes(port) for port in (LABELS, MLFLOW, PLANE, PREFECT)] == done


def test_they_go_to_dotted_names_with_a_secret_each(fake: FakeSenders, site: Site) -> None:
    webhooks.ensure(site)
    (labels,), (mlflow,), (planes,) = fake.labels, fake.mlflow, fake.plane
    urls = [hook["url"] for hook in (labels, mlflow, planes)]
    base = "http://n8n.service.consul:5678/webhook/"
    assert urls == [base + "label-studio", base + "mlflow", base + "plane"]
    assert labels["headers"] == {"X-Monolith-Token": "header-secret"}
    assert labels["is_active"]
    assert fake.secrets == ["hmac-secret"]
    assert "hmac-secret" not in str(mlflow)
    assert site.store.read("n8n")["PLANE_WEBHOOK_SECRET"].startswith("plane_wh_")


def test_a_changed_secret_reaches_those_who_send(fake: FakeSenders, site: Site) -> None:
    webhooks.ensure(site)
    site.store.write("n8n", site.store.read("n8n") | {"WEBHOOK_TOKEN": "b"})
    assert webhooks.ensure(site) == ["webhook of Label Studio"]
    site.store.write("n8n", site.store.read("n8n") | {"MLFLOW_WEBHOOK_SECRET": "c"})
    assert webhooks.ensure(site) == ["webhook of MLflow"]
    assert fake.secrets[-1] == "c"


def test_a_webhook_that_was_switched_off_is_on_again(fake: FakeSenders, site: Site) -> None:
    webhooks.ensure(site)
    fake.labels[0]["is_active"] = fake.plane[0]["is_active"] = False
    fake.mlflow[0]["status"] = "DISABLED"
    assert webhooks.ensure(site) == [
        "webhook of Label Studio", "webhook of MLflow", "webhook of Plane",
    ]  # fmt: skip
    assert webhooks.ensure(site) == []


def test_the_order_of_lists_means_nothing(fake: FakeSenders, site: Site) -> None:
    webhooks.ensure(site)
    fake.labels[0]["actions"] = fake.labels[0]["actions"][::-1]
    fake.mlflow[0]["events"] = fake.mlflow[0]["events"][::-1]
    assert webhooks.ensure(site) == []


def test_planes_lost_secret_is_made_anew(fake: FakeSenders, site: Site) -> None:
    webhooks.ensure(site)
    lost = site.store.read("n8n")
    former = lost.pop("PLANE_WEBHOOK_SECRET")
    site.store.write("n8n", lost)
    assert webhooks.ensure(site) == ["webhook of Plane and its secret"]
    assert site.store.read("n8n")["PLANE_WEBHOOK_SECRET"] != former


def test_any_secret_of_planes_stays(fake: FakeSenders, site: Site) -> None:
    webhooks.ensure(site)
    site.store.write("n8n", site.store.read("n8n") | {"PLANE_WEBHOOK_SECRET": "of another shape"})
    assert webhooks.ensure(site) == []


def test_plane_is_signed_in_to_once(fake: FakeSenders, site: Site) -> None:
    webhooks.ensure(site)
    webhooks.ensure(site)
    assert fake.changes(PLANE).count("POST /auth/sign-in/") == 1
    site.store.write("bootstrap", site.store.read("bootstrap") | {plane.SESSION: "ended"})
    assert webhooks.ensure(site) == []
    assert fake.changes(PLANE).count("POST /auth/sign-in/") == 2


def test_a_missing_webhook_of_label_studio_is_told(fake: FakeSenders, site: Site) -> None:
    fake.labels[0]["project"] = 3
    with pytest.raises(UserError, match=r"\./monolith restart label-studio"):
        webhooks.ensure(site)


def test_what_does_not_run_is_left_out(fake: FakeSenders, whole: Stack) -> None:
    site = make_site(whole, Memory(), {("n8n", 5678): 5})
    assert webhooks.ensure(site) == []
    assert fake.requests == []


def test_the_deployment_is_the_one_of_the_flows(fake: FakeSenders, site: Site) -> None:
    webhooks.ensure(site)
    (made,) = fake.deployments
    assert made["entrypoint"] == "count_annotations.py:count_annotations"
    assert made["work_pool_name"] == "default"
    assert made["flow_id"] == "f"
