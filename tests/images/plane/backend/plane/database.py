"""STAND-IN. The real PostgreSQL: connections, and rows as JSON has them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import DictRow, dict_row

Db = psycopg.Connection[DictRow]
Row = dict[str, Any]


def connect() -> Db:
    """One connection of its own; whoever opens it closes it."""
    return psycopg.connect(os.environ["DATABASE_URL"], row_factory=dict_row, connect_timeout=5)


def one(db: Db, query: str, *values: object) -> Row | None:
    """The first row, or nothing."""
    return db.execute(query, values).fetchone()


def every(db: Db, query: str, *values: object) -> list[Row]:
    """All rows."""
    return db.execute(query, values).fetchall()


def insert(db: Db, table: str, **values: object) -> Row:
    """A new row, as it was stored."""
    names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    row = one(db, f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING *", *values.values())
    assert row is not None
    return row


def update(db: Db, table: str, key: UUID, **values: object) -> Row:
    """A row with new values, as it was stored."""
    names = ", ".join(f"{name} = %s" for name in values)
    query = f"UPDATE {table} SET {names}, updated_at = now() WHERE id = %s RETURNING *"
    row = one(db, query, *values.values(), key)
    assert row is not None
    return row


def as_json(value: object) -> str:
    """Times and ids in the form that Plane gives them."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)
