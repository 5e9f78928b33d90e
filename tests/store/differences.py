"""What the stores differ in, by their nature; all else is checked alike."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Differences:
    """`bucket_cors`: whether the administrator may give a bucket rules of its own for pages of
    other origins; from both, any page may read what it has an address signed for.
    `below_an_object`: what becomes of `a/b` where `a` is an object: `hidden` from lists, `refused`.
    `empty_steps`: what becomes of `a//b`: `refused`, or kept as `a/b` (`merged`).
    `own_buckets_listed`: whether a key's list of buckets names its own.
    `tags`: whether a key may give tags to what it writes.
    """

    bucket_cors: bool
    below_an_object: str
    empty_steps: str
    own_buckets_listed: bool
    tags: bool


DIFFERENCES = {
    "minio": Differences(
        bucket_cors=False, below_an_object="hidden", empty_steps="refused",
        own_buckets_listed=True, tags=True,
    ),
    "versitygw": Differences(
        bucket_cors=True, below_an_object="refused", empty_steps="merged",
        own_buckets_listed=False, tags=False,
    ),
}  # fmt: skip
