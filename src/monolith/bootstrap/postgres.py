"""A role and a database for each application, and nobody in the database of another."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from monolith.bootstrap import waiting
from monolith.errors import UserError

_LOCK = 0x6D6F6E6F


@dataclass(frozen=True)
class Wanted:
    """A role with its password, the database it owns, extensions in it, and PostgreSQL's own roles
    that it is a member of.
    """

    role: str
    password: str = field(repr=False)
    extensions: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Server:
    """Where the server is, the superuser's password, and for how many seconds it is waited for."""

    host: str
    port: int
    password: str = field(repr=False)
    patience: float = 20

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection of the superuser, each statement its own transaction."""
        return waiting.until(lambda: self._try(database), "PostgreSQL answers", self.patience)

    def _try(self, database: str) -> psycopg.Connection | None:
        try:
            return psycopg.connect(
                host=self.host, port=self.port, user="postgres", password=self.password,
                dbname=database, autocommit=True, connect_timeout=5,
            )  # fmt: skip
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise _other_password() from error
            if "no pg_hba.conf entry" in str(error):
                raise _not_let_in() from error
            return None


def _other_password() -> UserError:
    return UserError(
        "PostgreSQL does not take the superuser's password of the secret store: the data and the "
        "secrets are not of one installation.",
        hint="restore the secrets that belong to this data from a backup",
    )


def _not_let_in() -> UserError:
    return UserError(
        "PostgreSQL lets nobody in from here: it does not read config/postgres/pg_hba.conf.",
        hint="./monolith restart postgres",
    )


def ensure(server: Server, wanted: Wanted) -> list[str]:
    """Make role and database as wanted. Returns what was changed, in words."""
    with told(), server.connect() as connection:
        # Applications are set up side by side, and catalogue rows are shared.
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        changes = _role(connection, wanted) + _memberships(connection, wanted)
        changes += _database(connection, wanted)
    with told(), server.connect(wanted.role) as connection:
        return changes + _extensions(connection, wanted)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What PostgreSQL refuses, as a UserError."""
    try:
        yield
    except psycopg.Error as error:
        # The whole text may quote the statement, with the password's verifier.
        reason = error.diag.message_primary or type(error).__name__
        text = f"PostgreSQL refused: {reason}."
        raise UserError(text, hint="./monolith logs postgres") from error


def _role(connection: psycopg.Connection, wanted: Wanted) -> list[str]:
    name = sql.Identifier(wanted.role)
    exists = _one(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", wanted.role)
    if exists and _can_log_in(connection, wanted):
        return []
    verb = sql.SQL("ALTER" if exists else "CREATE")
    options = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD")
    # The server logs statements that fail; the password must not be in one.
    statement = sql.SQL("{} ROLE {} {} {}").format(verb, name, options, _scram(connection, wanted))
    connection.execute(statement)
    return [f"role {wanted.role}"]


def _memberships(connection: psycopg.Connection, wanted: Wanted) -> list[str]:
    query = """
        SELECT 1 FROM pg_auth_members
        WHERE roleid = to_regrole(%s) AND member = to_regrole(%s)
    """
    missing = [
        role
        for role in wanted.roles
        if not connection.execute(query, [role, wanted.role]).fetchone()
    ]
    for role in missing:
        grant = sql.SQL("GRANT {} TO {}")
        connection.execute(grant.format(sql.Identifier(role), sql.Identifier(wanted.role)))
    return [f"role {wanted.role} is in {role}" for role in missing]


def _scram(connection: psycopg.Connection, wanted: Wanted) -> sql.Literal:
    """The password as its SCRAM verifier, made on this side."""
    encrypted = connection.pgconn.encrypt_password(
        wanted.password.encode(), wanted.role.encode(), b"scram-sha-256"
    )
    return sql.Literal(encrypted.decode())


def _can_log_in(connection: psycopg.Connection, wanted: Wanted) -> bool:
    info = connection.info
    try:
        psycopg.connect(
            host=info.host, port=info.port, user=wanted.role, password=wanted.password,
            dbname=wanted.role, connect_timeout=5,
        ).close()  # fmt: skip
    except psycopg.OperationalError as error:
        return "password" not in str(error) and "authentication" not in str(error)
    return True


def _database(connection: psycopg.Connection, wanted: Wanted) -> list[str]:
    name, changes = sql.Identifier(wanted.role), []
    if not _one(connection, "SELECT 1 FROM pg_database WHERE datname = %s", wanted.role):
        connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(name))
        changes.append(f"database {wanted.role}")
    for database in (wanted.role, "postgres", "template1"):
        if _public_may_connect(connection, database):
            revoke = sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC")
            connection.execute(revoke.format(sql.Identifier(database)))
            changes.append(f"database {database} closed to others")
    return changes


def _public_may_connect(connection: psycopg.Connection, database: str) -> bool:
    query = """
        SELECT 1 FROM pg_database d,
               aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
        WHERE d.datname = %s AND a.grantee = 0 AND a.privilege_type = 'CONNECT'
    """
    return bool(_one(connection, query, database))


def _extensions(connection: psycopg.Connection, wanted: Wanted) -> list[str]:
    changes = []
    for extension in wanted.extensions:
        if not _one(connection, "SELECT 1 FROM pg_extension WHERE extname = %s", extension):
            create = sql.SQL("CREATE EXTENSION IF NOT EXISTS {}")
            connection.execute(create.format(sql.Identifier(extension)))
            changes.append(f"extension {extension} in {wanted.role}")
    return changes


def _one(connection: psycopg.Connection, query: str, value: str) -> object:
    return connection.execute(query.encode(), [value]).fetchone()
