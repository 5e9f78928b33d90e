"""Dashboard: what fills the disk, how long each store keeps it, and what comes in."""

from __future__ import annotations

from monolith.manifest.stack import Stack
from monolith.render.dashboards import panels
from monolith.render.dashboards.words import Board, Panel, Query, Row

_FREE = 'system_filesystem_usage_bytes{state="free"}'


def board(_: Stack) -> Board:
    """The whole dashboard."""
    return Board(
        "storage", "Storage and retention", "What fills the disk, and what each store keeps.",
        [
            Row("Disk", _disk()),
            Row("Metrics: Prometheus", _metrics()),
            Row("Logs and traces: Loki and Tempo", _logs_and_traces()),
            Row("The collector between them", _collector()),
            Row("Object store, queue, cache, logs of containers", _others()),
        ],
        since="now-24h",
    )  # fmt: skip


def _disk() -> list[Panel]:
    share = f"sum by (mountpoint) ({_FREE}) / sum by (mountpoint) (system_filesystem_usage_bytes)"
    inodes = (
        'sum by (mountpoint) (system_filesystem_inodes_usage{state="free"})'
        " / sum by (mountpoint) (system_filesystem_inodes_usage)"
    )
    forecast = f"predict_linear({_FREE}[6h], 7 * 86400)"
    room = [(None, panels.BAD), (0.1, panels.MEDIUM), (0.2, panels.GOOD)]
    return [
        panels.bars("Free", Query(share, "{{mountpoint}}"), unit="percentunit", steps=room),
        panels.bars("Inodes free", Query(inodes, "{{mountpoint}}"), unit="percentunit", steps=room),
        panels.graph(
            "Free, and in 7 days at the pace of 6 hours", Query(_FREE, "{{mountpoint}}"),
            Query(forecast, "{{mountpoint}} in 7 days"), unit="bytes",
        ),
    ]  # fmt: skip


def _metrics() -> list[Panel]:
    used, limit = "prometheus_tsdb_storage_blocks_bytes", "prometheus_tsdb_retention_limit_bytes"
    samples = f"rate(prometheus_tsdb_head_samples_appended_total[{panels.RATE}])"
    oldest = "time() - prometheus_tsdb_lowest_timestamp_seconds"
    kept = Query(oldest, "oldest")
    until = Query("prometheus_tsdb_retention_limit_seconds", "limit")
    return [
        panels.graph("Size", Query(used, "blocks"), Query(limit, "limit"), unit="bytes", width=6),
        panels.graph("Kept for", kept, until, unit="s", width=6),
        panels.graph("Series", Query("prometheus_tsdb_head_series", "series"), width=6),
        panels.graph("Samples per second", Query(f"sum({samples})", "samples"), width=6),
    ]


def _logs_and_traces() -> list[Panel]:
    lines = f"sum(rate(loki_distributor_lines_received_total[{panels.RATE}]))"
    size = f"sum(rate(loki_distributor_bytes_received_total[{panels.RATE}]))"
    spans = f"sum(rate(tempo_distributor_spans_received_total[{panels.RATE}]))"
    traces = f"sum(rate(tempo_distributor_bytes_received_total[{panels.RATE}]))"
    talkers = 'topk(10, sum by (service) (rate({service=~".+"} [$__auto])))'
    return [
        panels.graph("Lines per second", Query(lines, "lines"), width=6),
        panels.graph("Text per second", Query(size, "Loki"), unit="Bps", width=6),
        panels.graph("Spans per second", Query(spans, "spans"), width=6),
        panels.graph("Traces per second", Query(traces, "Tempo"), unit="Bps", width=6),
        panels.graph("Who logs most", Query(talkers, "{{service}}", "loki"), width=24),
    ]


def _collector() -> list[Panel]:
    share = (
        "max by (exporter) (otelcol_exporter_queue_size)"
        " / max by (exporter) (otelcol_exporter_queue_capacity)"
    )
    refused = [
        Query(
            f"sum by (receiver) (rate(otelcol_receiver_refused_{kind}_total[{panels.RATE}]))",
            f"{{{{receiver}}}}: {kind}",
        )
        for kind in ("log_records", "metric_points", "spans")
    ]
    sent = [
        Query(
            f"sum by (exporter) (rate(otelcol_exporter_sent_{kind}_total[{panels.RATE}]))",
            f"{{{{exporter}}}}: {kind}",
        )
        for kind in ("log_records", "metric_points", "spans")
    ]
    return [
        panels.graph("Queue", Query(share, "{{exporter}}"), unit="percentunit", highest=1),
        panels.graph("Sent per second", *sent),
        panels.graph("Refused per second", *refused),
    ]


def _others() -> list[Panel]:
    s3 = Query("sum(minio_cluster_usage_total_bytes)", "in buckets")
    objects = Query("sum(minio_cluster_usage_object_total)", "objects")
    valkey = Query("sum by (service) (redis_memory_used_bytes)", "{{service}}")
    waiting = Query("sum by (service) (rabbitmq_queue_messages_ready)", "{{service}}")
    logs = Query("container_log_bytes", "{{service}}")
    return [
        panels.graph("Object store", s3, unit="bytes", width=6),
        panels.graph("Objects", objects, width=6),
        panels.graph("Tasks that wait", waiting, width=6),
        panels.graph("Memory of Valkey", valkey, unit="bytes", width=6),
        panels.graph("Logs of containers", logs, unit="bytes", width=24, stacked=True),
    ]
