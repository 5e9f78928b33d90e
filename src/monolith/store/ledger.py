"""What was copied already, in a file that outlives the copying; and what differs still.

A row is written when its object has arrived. It says what was copied (the source's mark: when that
has changed, the object is copied again) and what the copy was (the target's etag, and the sum of
what was read at the source). Lists are in the file, too: they may be longer than memory is large.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Literal

Side = Literal["source", "target"]
_TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS copied (
  bucket TEXT, name TEXT, mark TEXT, size INTEGER, sum TEXT, etag TEXT, run TEXT,
  PRIMARY KEY (bucket, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS listed (
  side TEXT, bucket TEXT, name TEXT, size INTEGER, mark TEXT, etag TEXT,
  PRIMARY KEY (side, bucket, name)
) WITHOUT ROWID;
CREATE TEMP VIEW source AS SELECT * FROM listed WHERE side = 'source';
CREATE TEMP VIEW target AS SELECT * FROM listed WHERE side = 'target';
CREATE TEMP VIEW missing AS
  SELECT source.bucket, source.name, source.size, source.mark, source.etag FROM source
  LEFT JOIN copied USING (bucket, name) LEFT JOIN target USING (bucket, name)
  WHERE copied.mark IS NOT source.mark OR target.etag IS NOT copied.etag;
CREATE TEMP VIEW more AS
  SELECT target.bucket, target.name, target.size, target.mark, target.etag FROM target
  LEFT JOIN source USING (bucket, name) WHERE source.name IS NULL;
CREATE TEMP VIEW unsure AS
  SELECT copied.bucket, copied.name, copied.mark, copied.size, copied.sum, copied.etag FROM copied
  JOIN source USING (bucket, name) WHERE copied.run != (SELECT name FROM run);
CREATE TEMP TABLE run (name TEXT);
"""
_COUNTS = {
    what: f"SELECT count(*), coalesce(sum(size), 0) FROM {what}"  # noqa: S608
    for what in ("missing", "more", "unsure", "source", "target")
}
_PAGES = {
    what: f"SELECT * FROM {what} WHERE (bucket, name) > (?, ?) ORDER BY bucket, name LIMIT 500"  # noqa: S608
    for what in ("missing", "more", "unsure")
}


@dataclass(frozen=True)
class Thing:
    """An object as a list tells it. `mark` changes whenever the object does."""

    bucket: str
    name: str
    size: int
    mark: str
    etag: str


@dataclass(frozen=True)
class Copied:
    """An object that has arrived: its mark at the source, its etag at the target."""

    bucket: str
    name: str
    mark: str
    size: int
    sum: str
    etag: str


class Ledger:
    """One file for one way between two stores. Used by one thread.

    `run` names what is done now: what was read back under it is not read back again.
    """

    def __init__(self, path: Path, run: str) -> None:
        self._base = sqlite3.connect(path)
        self._base.executescript(_TABLES)
        self._base.execute("INSERT INTO run VALUES (?)", (run,))
        self._run = run

    def close(self) -> None:
        """Keep what was written."""
        self._base.commit()
        self._base.close()

    def look(self, side: Side, things: Iterable[Thing]) -> None:
        """Keep the list of one side as it is now."""
        self._base.execute("DELETE FROM listed WHERE side = ?", (side,))
        rows = ((side, *astuple(thing)) for thing in things)
        self._base.executemany("INSERT INTO listed VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._base.commit()

    def count(self, what: str, bucket: str = "") -> tuple[int, int]:
        """Number and bytes of what is `missing`, `more`, `unsure`, or on a side."""
        where, values = (" WHERE bucket = ?", (bucket,)) if bucket else ("", ())
        count, size = self._base.execute(_COUNTS[what] + where, values).fetchone()
        return int(count), int(size)

    def missing(self) -> Iterator[Thing]:
        """Objects of the source that are not at the target as they are now."""
        return (Thing(*row) for row in self._rows("missing"))

    def more(self) -> Iterator[Thing]:
        """Objects that only the target has."""
        return (Thing(*row) for row in self._rows("more"))

    def unsure(self) -> Iterator[Copied]:
        """Copies that were not read back in this run."""
        return (Copied(*row) for row in self._rows("unsure"))

    def _rows(self, what: str) -> Iterator[tuple[Any, ...]]:
        """In pages: rows that were given may be changed in the meantime."""
        after: tuple[str, str] = ("", "")
        while rows := self._base.execute(_PAGES[what], after).fetchall():
            yield from rows
            after = rows[-1][:2]

    def arrived(self, copied: Copied) -> None:
        """An object was copied."""
        words = "INSERT OR REPLACE INTO copied VALUES (?, ?, ?, ?, ?, ?, '')"
        self._base.execute(words, astuple(copied))
        self._base.commit()

    def checked(self, copied: Copied) -> None:
        """A copy was read back, and is what was read at the source."""
        words = "UPDATE copied SET run = ? WHERE bucket = ? AND name = ?"
        self._base.execute(words, (self._run, copied.bucket, copied.name))
        self._base.commit()

    def forget(self, copied: Copied) -> None:
        """A copy is not what it should be."""
        words = "DELETE FROM copied WHERE bucket = ? AND name = ?"
        self._base.execute(words, (copied.bucket, copied.name))
        self._base.commit()
