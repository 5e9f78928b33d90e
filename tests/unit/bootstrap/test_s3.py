"""The policy of a key: what is in its own buckets, nothing else, nothing about the buckets."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from monolith.bootstrap import s3
from monolith.store import versitygw
from monolith.store.minio import _sorted, policy
from monolith.store.model import Wanted, by_bucket


def test_a_policy_names_its_own_buckets_only() -> None:
    resources = [name for one in policy(["b", "a"])["Statement"] for name in one["Resource"]]
    assert resources == ["arn:aws:s3:::a", "arn:aws:s3:::b", "arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]


def test_a_policy_opens_nothing_but_objects() -> None:
    statements = policy(["a"])["Statement"] + versitygw.policy("a", ["k"])["Statement"]
    actions = {name for one in statements for name in one["Action"]}
    assert not {name for name in actions if "*" in name or "Policy" in name}
    assert not actions & {"s3:CreateBucket", "s3:DeleteBucket", "s3:ListAllMyBuckets"}


def test_the_order_of_a_policy_means_nothing() -> None:
    both = policy(["a", "b"])
    turned = {
        **both,
        "Statement": [
            {key: value[::-1] if isinstance(value, list) else value for key, value in one.items()}
            for one in both["Statement"][::-1]
        ],
    }
    assert turned != both
    assert _sorted(turned) == _sorted(both)
    assert _sorted(policy(["a"])) != _sorted(both)
    assert _sorted(None) is None


def test_a_bucket_is_opened_to_the_keys_of_its_applications() -> None:
    wanted = [Wanted("x", ["a", "b"], "k1", "s1"), Wanted("y", ["b"], "k0", "s0")]
    assert by_bucket(wanted) == {"a": ["k1"], "b": ["k0", "k1"]}
    found = versitygw.policy("b", ["k0", "k1"])
    assert versitygw._keys_in(found) == {"k0", "k1"}
    assert {name for one in found["Statement"] for name in one["Resource"]} == {
        "arn:aws:s3:::b", "arn:aws:s3:::b/*",
    }  # fmt: skip


def test_a_bucket_of_two_applications_is_made_once() -> None:
    made: list[str] = []
    there = [SimpleNamespace(name="c")]
    objects = SimpleNamespace(list_buckets=lambda: there, make_bucket=made.append)
    server: Any = SimpleNamespace(objects=objects)
    wanted = [Wanted("x", ["a", "b"], "k1", "s1"), Wanted("y", ["b", "c"], "k0", "s0")]
    assert s3._buckets(server, wanted) == ["bucket a", "bucket b"]
    assert made == ["a", "b"]


def test_a_refusal_is_told_by_its_code_only() -> None:
    assert versitygw._code(b"<Error><Code>No</Code><Message>key k</Message></Error>") == "No"
    assert versitygw._code(b"not xml") == ""
    assert "secret" not in repr(Wanted("x", ["a"], "secret-a", "secret-b"))
