"""What the portal takes from the manifests."""

from __future__ import annotations

import pytest

from monolith.manifest.stack import Stack
from monolith.portal import catalogue


def test_the_shipped_stacks_are_on_the_page_whole(product: Stack, whole: Stack) -> None:
    for name, stack in (("minimal", product), ("full", whole)):
        found = catalogue.of(stack, name, str)
        assert [card.name for card in found.cards] == list(stack.services)
        assert all(card.version and card.memory_limit for card in found.cards)
        assert found.address("portal") == f"http://{stack.domain}:{stack.http_port}"
        assert found.sources["consul"] == "http://consul.service.consul:8500"
        assert catalogue.parse(found.text()) == found


def test_an_address_only_for_programs_is_no_link(product: Stack) -> None:
    found = catalogue.of(product, "minimal", str)
    assert found.address("s3") == ""
    assert found.address("mlflow") and not found.address("no-such-service")


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("ghcr.io/mlflow/mlflow:v3.17.2-full", "3.17.2"),
        ("docker.io/prefecthq/prefect:3.8.8-python3.13", "3.8.8"),
        ("docker.io/pgsty/minio:RELEASE.2026-08-04T00-00-00Z", "2026-08-04"),
        ("localhost:5000/x:1.0@sha256:" + "0" * 64, "1.0"),
        ("x@sha256:" + "0" * 64, ""),
        ("x:20260804", "20260804"),
    ],
)
def test_the_version_is_what_people_call_it(image: str, version: str) -> None:
    assert catalogue.version(image) == version
