"""Dashboard: PostgreSQL, as its exporter and its container see it."""

from __future__ import annotations

from monolith.manifest.stack import Stack
from monolith.render.dashboards import panels
from monolith.render.dashboards.words import Board, Panel, Query, Row

_HERE = 'service="postgres"'
_APPLICATIONS = 'datname!~"template.*"'
_BY_DATABASE = "{{datname}}"


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
    share = "sum(pg_stat_activity_count) / max(pg_settings_max_connections)"
    longest = "max(pg_long_running_transactions_oldest_timestamp_seconds)"
    slow = [(None, panels.GOOD), (300, panels.MEDIUM), (900, panels.BAD)]
    connections = f"sum by (datname) (pg_stat_activity_count{{{_APPLICATIONS}}})"
    return [
        panels.number("Connections in use", Query(share), width=6, **panels.SHARE),
        panels.number("Longest transaction now", Query(longest), unit="s", steps=slow, width=6),
        panels.number("Size", Query("sum(pg_database_size_bytes)"), unit="bytes", width=6),
        panels.number("Databases", Query("count(pg_database_size_bytes)"), width=6),
        panels.graph(
            "Connections", Query(connections, _BY_DATABASE),
            Query("max(pg_settings_max_connections)", "limit"), width=12,
        ),
        panels.graph("Longest transaction", Query(longest, "seconds"), unit="s", width=12),
    ]  # fmt: skip


def _work() -> list[Panel]:
    def rate(metric: str) -> str:
        return f"sum by (datname) (rate({metric}{{{_APPLICATIONS}}}[{panels.RATE}]))"

    hit, read = rate("pg_stat_database_blks_hit"), rate("pg_stat_database_blks_read")
    cached = Query(f"{hit} / ({hit} + {read})", _BY_DATABASE)
    commits = Query(rate("pg_stat_database_xact_commit"), _BY_DATABASE)
    rollbacks = Query(rate("pg_stat_database_xact_rollback"), _BY_DATABASE)
    size = Query(f"pg_database_size_bytes{{{_APPLICATIONS}}}", _BY_DATABASE)
    return [
        panels.graph("Commits per second", commits, width=6),
        panels.graph("Rollbacks per second", rollbacks, width=6),
        panels.graph("Read from memory", cached, unit="percentunit", highest=1, width=6),
        panels.graph("Size of databases", size, unit="bytes", stacked=True, width=6),
    ]
