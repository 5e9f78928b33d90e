"""Databases and buckets are asked of the stack; what is missing in the secret store is told."""

from __future__ import annotations

from types import SimpleNamespace, TracebackType

import psycopg
import pytest

from monolith.bootstrap import databases, postgres, s3
from monolith.errors import UserError
from monolith.manifest.stack import Stack
from monolith.store.model import Wanted
from tests.native.steps import Memory, make_site

POSTGRES = {"POSTGRES_PASSWORD": "p"}


class RefusedError(psycopg.Error):
    diag = SimpleNamespace(message_primary='role name "pg_web" is reserved')  # type: ignore[assignment]


class Refusing:
    """A connection to a server that does nothing of what it is told."""

    def __init__(self, error: psycopg.Error) -> None:
        self.error = error

    def __enter__(self) -> Refusing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        pass

    def execute(self, *_: object) -> None:
        raise self.error


def test_only_what_runs_here_gets_a_database(product: Stack) -> None:
    store = Memory(postgres=POSTGRES, mlflow={"DATABASE_PASSWORD": "m"})
    site = make_site(product, store, {("postgres", 5432): 1, ("mlflow", 5000): 1})
    (wanted,) = databases._wanted(site)
    assert (wanted.role, wanted.password, wanted.extensions) == ("mlflow", "m", [])


def test_a_secret_that_was_not_made_is_told(product: Stack) -> None:
    site = make_site(product, Memory(), {("postgres", 5432): 1, ("s3", 9000): 1})
    for step, key in ((databases, "POSTGRES_PASSWORD"), (s3, "ROOT_ACCESS_KEY")):
        with pytest.raises(UserError, match=key):
            step.ensure(site)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RefusedError("the-verifier"), 'role name "pg_web" is reserved'),
        (psycopg.OperationalError("the-verifier"), "OperationalError"),
    ],
)
def test_what_postgres_refuses_is_told_without_the_statement(
    error: psycopg.Error, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres.Server, "connect", lambda *_: Refusing(error))
    with pytest.raises(UserError) as caught:
        postgres.ensure(postgres.Server("h", 1, "p"), postgres.Wanted("pg_web", "w"))
    assert caught.value.message == f"PostgreSQL refused: {reason}."
    assert caught.value.hint == "./monolith logs postgres"


def test_secrets_are_not_shown_by_accident() -> None:
    texts = [repr(Wanted("web", ["b"], "the-key", "the-secret"))]
    texts.append(repr(postgres.Server("h", 1, "the-password")))
    assert not [text for text in texts if "the-" in text]
