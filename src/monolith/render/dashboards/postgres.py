"""Dashboard: PostgreSQL, as the collector and its container see it."""

from __future__ import annotations

from monolith.manifest.stack import Stack
from monolith.render.dashboards import panels
from monolith.render.dashboards.words import Board, Panel, Query, Row

_HERE = 'service="postgres"'
_BY_DATABASE = "{{postgresql_database_name}}"


def board(_: Stack) -> Board:
    """The whole dashboard."""
    return Board(
        "postgres", "PostgreSQL", "Connections, transactions and sizes of the one database server.",
        [
            Row("Now", _now()),
            Row("Work", _work()),
            Row("Container and log", [
                panels.memory(_HERE), panels.processor(_HERE, "processors"),
                panels.log_levels(_HERE), panels.lines("Log", f"{{{_HERE}}}"),
            ]),
        ],
    )  # fmt: skip


def _now() -> list[Panel]:
    share = "sum(postgres_connections) / max(postgres_max_connections)"
    longest = "max(postgres_longest_transaction_seconds)"
    slow = [(None, panels.GOOD), (300, panels.MEDIUM), (900, panels.BAD)]
    return [
        panels.number("Connections in use", Query(share), width=6, **panels.SHARE),
        panels.number("Longest transaction now", Query(longest), unit="s", steps=slow, width=6),
        panels.number("Size", Query("sum(postgresql_db_size_bytes)"), unit="bytes", width=6),
        panels.number("Databases", Query("count(postgresql_db_size_bytes)"), width=6),
        panels.graph(
            "Connections", Query("postgresql_backends", _BY_DATABASE),
            Query("max(postgres_max_connections)", "limit"), width=12,
        ),
        panels.graph("Longest transaction", Query(longest, "seconds"), unit="s", width=12),
    ]  # fmt: skip


def _work() -> list[Panel]:
    def rate(metric: str) -> str:
        return f"sum by (postgresql_database_name) (rate({metric}[{panels.RATE}]))"

    size = Query("postgresql_db_size_bytes", _BY_DATABASE)
    return [
        panels.graph("Commits per second", Query(rate("postgresql_commits_total"), _BY_DATABASE)),
        panels.graph(
            "Rollbacks per second", Query(rate("postgresql_rollbacks_total"), _BY_DATABASE)
        ),
        panels.graph("Size of databases", size, unit="bytes", stacked=True),
    ]
