"""What the stand-in keeps in PostgreSQL: who it was set up with, and the stars of dashboards."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

import psycopg2

_TABLES = """
CREATE TABLE IF NOT EXISTS stand_in_setup (name text PRIMARY KEY, value text NOT NULL);
CREATE TABLE IF NOT EXISTS stand_in_star (dashboard text PRIMARY KEY);
"""


class RefusedError(Exception):
    """The database does not fit what Grafana was started with."""


def _connect() -> psycopg2.extensions.connection:
    host, _, port = os.environ["GF_DATABASE_HOST"].partition(":")
    return psycopg2.connect(
        host=host, port=port or "5432", dbname=os.environ["GF_DATABASE_NAME"],
        user=os.environ["GF_DATABASE_USER"], password=os.environ["GF_DATABASE_PASSWORD"],
        sslmode=os.environ.get("GF_DATABASE_SSL_MODE", "disable"), connect_timeout=5,
    )  # fmt: skip


def _do(statement: str, *values: str) -> list[tuple[str, ...]]:
    connection = _connect()
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def set_up(environment: Mapping[str, str]) -> None:
    """Makes the tables; refuses a database whose content another key has encrypted."""
    _do(_TABLES)
    key = hashlib.sha256(environment["GF_SECURITY_SECRET_KEY"].encode()).hexdigest()
    _do("INSERT INTO stand_in_setup VALUES ('key', %s) ON CONFLICT DO NOTHING", key)
    # As in Grafana, the first start's password stays, whatever the environment says later.
    password = environment["GF_SECURITY_ADMIN_PASSWORD"]
    digest = hashlib.sha256(password.encode()).hexdigest()
    _do("INSERT INTO stand_in_setup VALUES ('password', %s) ON CONFLICT DO NOTHING", digest)
    if setup("key") != key:
        raise RefusedError("GF_SECURITY_SECRET_KEY is not the one that the database was made with")


def setup(name: str) -> str:
    """One value of the set-up."""
    return _do("SELECT value FROM stand_in_setup WHERE name = %s", name)[0][0]


def knows(password: str) -> bool:
    """Whether it is the administrator's."""
    return hashlib.sha256(password.encode()).hexdigest() == setup("password")


def star(dashboard: str) -> None:
    """Marks a dashboard."""
    _do("INSERT INTO stand_in_star VALUES (%s) ON CONFLICT DO NOTHING", dashboard)


def stars() -> list[str]:
    """The marked dashboards."""
    return [row[0] for row in _do("SELECT dashboard FROM stand_in_star ORDER BY 1")]
