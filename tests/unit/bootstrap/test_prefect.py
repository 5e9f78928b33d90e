"""Prefect's set-up where others were first, or there is nothing to keep results in."""

from __future__ import annotations

import httpx
import pytest

from monolith.bootstrap import prefect
from monolith.bootstrap.http import RefusedError
from monolith.manifest.stack import Stack
from tests.native.steps import Memory, make_site
from tests.unit.bootstrap.conftest import Answered

WORKER = {"S3_ACCESS_KEY": "key", "S3_SECRET_KEY": "not-to-be-told"}


def test_a_pool_that_the_worker_made_meanwhile_is_left(answered: Answered, product: Stack) -> None:
    answered(lambda request: httpx.Response(404 if request.method == "GET" else 409))
    assert prefect.ensure(make_site(product, Memory(), {("prefect", 4200): 1})) == []


def test_without_a_bucket_there_are_no_blocks(answered: Answered, product: Stack) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json={"name": "default"})

    answered(answer)
    assert prefect.ensure(make_site(product, Memory(), {("prefect", 4200): 1})) == []
    assert asked == ["/api/work_pools/default"]


def test_a_refusal_tells_no_secret(answered: Answered, product: Stack) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200 if "block_documents" not in request.url.path else 404,
                                  json={"id": "1", "name": "default"})  # fmt: skip
        if request.url.path.endswith("/filter"):
            return httpx.Response(200, json=[{"id": "2", "block_type_id": "1"}])
        # As Prefect does, the refused input is repeated.
        return httpx.Response(422, content=request.content)

    answered(answer)
    ports = {("prefect", 4200): 1, ("prefect-worker", 1): 1, ("s3", 9000): 1}
    with pytest.raises(RefusedError) as caught:
        prefect.ensure(make_site(product, Memory(prefect_worker=WORKER), ports))
    assert "422" in str(caught.value)
    assert "not-to-be-told" not in str(caught.value)
