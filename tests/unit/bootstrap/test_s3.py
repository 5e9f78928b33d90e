"""The policy of a key: what is in its own buckets, nothing else, nothing about the buckets."""

from __future__ import annotations

from monolith.bootstrap.s3 import _policy, _sorted


def test_a_policy_names_its_own_buckets_only() -> None:
    resources = [name for one in _policy(["b", "a"])["Statement"] for name in one["Resource"]]
    assert resources == ["arn:aws:s3:::a", "arn:aws:s3:::b", "arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]


def test_a_policy_opens_nothing_but_objects() -> None:
    actions = {name for one in _policy(["a"])["Statement"] for name in one["Action"]}
    assert not {name for name in actions if "*" in name or "Policy" in name}
    assert not actions & {"s3:CreateBucket", "s3:DeleteBucket", "s3:ListAllMyBuckets"}


def test_the_order_of_a_policy_means_nothing() -> None:
    policy = _policy(["a", "b"])
    turned = {
        **policy,
        "Statement": [
            {key: value[::-1] if isinstance(value, list) else value for key, value in one.items()}
            for one in policy["Statement"][::-1]
        ],
    }
    assert turned != policy
    assert _sorted(turned) == _sorted(policy)
    assert _sorted(_policy(["a"])) != _sorted(policy)
    assert _sorted(None) is None
