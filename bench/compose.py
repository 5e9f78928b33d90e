"""Time to healthy and idle memory of a stack on the container engine, images present.

Starts an installation of its own (project, ports and data are temporary) with plain Compose, lets
it rest, reads each container's memory without page cache, and removes it. Run it with

    .venv/bin/python bench/compose.py [--stack full] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
REST_SECONDS = 60
PORTS = ("POSTGRES", "PREFECT", "MLFLOW", "HTTP", "VAULT", "CONSUL", "S3", "PLANE", "LABELS", "N8N")
PLANES_OWN = {"plane-api", "plane-worker", "plane-live", "plane-space", "plane-admin", "plane-web"}


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def settings(stack: str, data: str) -> dict[str, str]:
    """Environment of a temporary installation."""
    ports = {f"MONOLITH_{name}_PORT": str(free_port()) for name in PORTS}
    own = {
        "MONOLITH_DATA": data, "MONOLITH_STACK": stack, "COMPOSE_PROJECT_NAME": "monolith-bench",
    }  # fmt: skip
    return {**os.environ, **own, **ports}


def compose(environment: dict[str, str], *words: str) -> float:
    """Run `docker compose`; the seconds it took. A failure ends the benchmark with its output."""
    began = time.monotonic()
    file = f"docker-compose.{environment['MONOLITH_STACK']}.yaml"
    result = subprocess.run(
        ["docker", "compose", "-f", file, *words], cwd=ROOT / "docker-compose", env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if result.returncode:
        sys.exit(f"{words}: {result.stdout}{result.stderr}")
    return time.monotonic() - began


def rows(environment: dict[str, str]) -> list[dict[str, Any]]:
    """What `status --json` says of every service."""
    result = subprocess.run(
        [str(ROOT / "monolith"), "--runtime", "compose", "status", "--json"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return list(json.loads(result.stdout)["services"])


def measure(stack: str) -> dict[str, float]:
    """Seconds of both starts and megabytes of each service."""
    with tempfile.TemporaryDirectory(prefix="monolith-bench-", ignore_cleanup_errors=True) as data:
        environment = settings(stack, data)
        try:
            first = compose(environment, "up", "-d", "--wait")
            compose(environment, "down")
            again = compose(environment, "up", "-d", "--wait")
            time.sleep(REST_SECONDS)
            found = {row["name"]: row["memory"] / 2**20 for row in rows(environment)}
        finally:
            compose(environment, "down", "--timeout", "5")
    return {"start, no data (s)": first, "start, data kept (s)": again} | summed(found)


def summed(found: dict[str, float]) -> dict[str, float]:
    """Memory by service, and the two sums."""
    memory = {f"idle {name} (MB)": value for name, value in found.items() if value}
    without = sum(value for name, value in found.items() if name not in PLANES_OWN)
    return memory | {
        "idle, all (MB)": sum(found.values()),
        "idle, without Plane's own processes (MB)": without,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stack", choices=["minimal", "full"], default="minimal")
    parser.add_argument("--json", action="store_true", help="for scripts")
    options = parser.parse_args()
    numbers = measure(options.stack)
    if options.json:
        sys.stdout.write(json.dumps(numbers, indent=1) + "\n")
        return
    table = Table("", "", box=None, show_header=False)
    for name, value in numbers.items():
        table.add_row(name, f"{value:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
