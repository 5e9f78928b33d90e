"""All buckets from one store to the other. Killed at any time, it goes on where it was.

Each round lists both, copies what differs, removes what only the target has, and reads back every
copy that was not read back in this run: what arrives there is compared with what left here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

import urllib3
from minio.commonconfig import ENABLED
from minio.error import MinioException, S3Error

from monolith.errors import Problem, UserError
from monolith.runtimes.base import Reporter
from monolith.store import objects
from monolith.store.ledger import Copied, Ledger, Side, Thing
from monolith.store.model import Server

_WORKERS, _AT_ONCE = 4, 200
_TELL_EVERY = 2.0
_SHOWN = 10
_MOST_ROUNDS = 5
Item = TypeVar("Item", Thing, Copied)


@dataclass
class Copier:
    """One run between two stores."""

    source: Server
    target: Server
    ledger: Ledger
    reporter: Reporter
    buckets: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def round(self) -> bool:
        """Copy and check what differs now. Returns whether anything did."""
        self.buckets = [bucket.name for bucket in self.source.objects.list_buckets()]
        self._make_buckets()
        self._look("source", self.source)
        self._look("target", self.target)
        differs = [
            self._each("copied", "missing", self.ledger.missing(), self._copy),
            self._each("removed", "more", self.ledger.more(), self._remove),
            self._each("checked", "unsure", self.ledger.unsure(), self._check),
        ]
        self._raise_problems()
        return any(differs)

    def settle(self) -> None:
        """Rounds until nothing differs; nobody may write in the meantime."""
        for _ in range(_MOST_ROUNDS):
            if not self.round():
                self._tell_totals()
                return
        told = "The source goes on changing: somebody writes to it past the applications."
        raise UserError(told, hint="stop what writes, then run it again")

    def _make_buckets(self) -> None:
        there = {bucket.name for bucket in self.target.objects.list_buckets()}
        for name in self.buckets:
            if name not in there:
                self.target.objects.make_bucket(name)
            if self.source.objects.get_bucket_versioning(name).status == ENABLED:
                self.reporter.step(name, "has versions: the newest of each object is copied")

    def _look(self, side: Side, server: Server) -> None:
        every = (objects.listed(server.objects, name) for name in self.buckets)
        self.ledger.look(side, (thing for found in every for thing in found))

    def _each(
        self, verb: str, what: str, items: Iterator[Item],
        work: Callable[[Item], Callable[[], None]],
    ) -> bool:  # fmt: skip
        """Work on all, a few at a time; what each gives is done here, since the ledger has one
        thread. Returns whether there was any.
        """
        number, bytes_of_all = self.ledger.count(what)
        count, size, told = 0, 0, time.monotonic()
        total = _amount(number, bytes_of_all)
        for item, keep in _worked(work, items):
            keep()
            count, size = count + 1, size + item.size
            if time.monotonic() - told > _TELL_EVERY:
                self.reporter.step("objects", f"{verb} {_amount(count, size)} of {total}")
                told = time.monotonic()
        if number:
            self.reporter.step("objects", f"{verb} {total}")
        return bool(number)

    def _copy(self, thing: Thing) -> Callable[[], None]:
        try:
            copied = objects.copy(self.source.objects, self.target.objects, thing)
        except S3Error as error:
            if error.code == "NoSuchKey":
                # Gone since it was listed: the next round will see.
                return lambda: None
            found = f"refused: {error.code}"
            return lambda: self._note(thing, "a copy of it", found, "give it another name")
        return lambda: self.ledger.arrived(copied)

    def _remove(self, thing: Thing) -> Callable[[], None]:
        self.target.objects.remove_object(thing.bucket, thing.name)
        return lambda: None

    def _check(self, copied: Copied) -> Callable[[], None]:
        try:
            found = objects.sum_of(self.target.objects, copied.bucket, copied.name)
        except (MinioException, urllib3.exceptions.HTTPError) as error:
            found = f"unreadable: {getattr(error, 'code', type(error).__name__)}"
        if found == copied.sum:
            return lambda: self.ledger.checked(copied)
        return lambda: self._corrupt(copied, found)

    def _corrupt(self, copied: Copied, found: str) -> None:
        self.ledger.forget(copied)
        self._note(copied, copied.sum, found, "run it again: this object is copied anew")

    def _note(self, item: Thing | Copied, expected: str, found: str, fix: str) -> None:
        self.problems.append(Problem(expected, found, fix, f"{item.bucket}/{item.name}"))

    def _raise_problems(self) -> None:
        if not self.problems:
            return
        rest = f", the first {_SHOWN}" if len(self.problems) > _SHOWN else ""
        text = f"Not all copies are what they should be ({len(self.problems)}{rest})."
        raise UserError(text, self.problems[:_SHOWN])

    def _tell_totals(self) -> None:
        for name in self.buckets:
            here, there = (self.ledger.count(side, name) for side in ("source", "target"))
            if here != there:
                told = f"Bucket {name} holds {_amount(*here)} here and {_amount(*there)} there."
                raise UserError(told, hint="run it again")
            self.reporter.done(name, f"{_amount(*there)}, all checked")


def _worked(
    work: Callable[[Item], Callable[[], None]], items: Iterator[Item]
) -> Iterator[tuple[Item, Callable[[], None]]]:
    """What each item gives, as it comes; only so many are waited for at once."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        while chunk := list(islice(items, _AT_ONCE)):
            futures = {pool.submit(work, item): item for item in chunk}
            for done in as_completed(futures):
                yield futures[done], done.result()


def _amount(count: int, size: int) -> str:
    return f"{count:,} objects, {size / 2**20:,.1f} MB"
