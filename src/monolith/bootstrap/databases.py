"""A database for each application that wants one."""

from __future__ import annotations

from monolith.bootstrap import postgres, waiting
from monolith.bootstrap.site import Site

SERVICE, PORT = "postgres", 5432


def ensure(site: Site) -> list[str]:
    """Make every role and database as the manifests say. Returns what was changed, in words."""
    host, _, port = site.address(SERVICE, PORT).rpartition(":")
    password = site.secret(SERVICE, "POSTGRES_PASSWORD")
    server = postgres.Server(host, int(port), password, waiting.SECONDS)
    return [change for wanted in _wanted(site) for change in postgres.ensure(server, wanted)]


def _wanted(site: Site) -> list[postgres.Wanted]:
    return [
        postgres.Wanted(
            entry.database,
            site.secret(entry.name, "DATABASE_PASSWORD"),
            database.extensions,
            database.roles,
        )
        for entry in site.entries()
        if (database := entry.monolith.database)
    ]
