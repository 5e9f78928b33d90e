"""Time and memory of the native runtime, and in the same run of the stock way.

Stock: `prefect server start` and `mlflow server` with their defaults, on SQLite. Both ways start
from an empty cache, run the same flow and rest as long before memory is read. Run it with

    .venv/bin/python bench/native.py [--json]
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from monolith.runtimes.environments import uv_program
from monolith.runtimes.native.processes import end, tree_memory

ROOT = Path(__file__).resolve().parents[1]
FLOW = ROOT / "prefect_flows" / "train_digits.py"
REST_SECONDS = 30
PORTS = ("POSTGRES", "PREFECT", "MLFLOW", "HTTP", "TRAEFIK")
STOCK = {"prefect": ["prefect==3.8.8", "fastapi<0.140"], "mlflow": ["mlflow==3.17.2"]}
ALL = "idle, everything that was started (MB)"
FOUR = ("postgres", "prefect", "mlflow", "traefik")
Numbers = dict[str, float]


def timed(action: Callable[[], Any]) -> float:
    """Seconds that an action takes."""
    began = time.monotonic()
    action()
    return time.monotonic() - began


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def call(command: list[str], environment: dict[str, str]) -> str:
    """Run to the end; standard output. A failure ends the benchmark with its output."""
    result = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if result.returncode:
        sys.exit(f"{command}: {result.stdout}{result.stderr}")
    return result.stdout


def ours(folder: Path) -> Numbers:
    """The platform, from an empty cache to a finished flow."""
    environment = {f"MONOLITH_{name}_PORT": str(free_port()) for name in PORTS}
    environment |= {"MONOLITH_DATA": str(folder / "data"), "MONOLITH_CACHE": str(folder / "cache")}

    def monolith(*words: str) -> str:
        return call([str(ROOT / "monolith"), *words], environment)

    numbers = {"start, empty cache (s)": timed(lambda: monolith("up"))}
    monolith("down")
    numbers["start, warm (s)"] = timed(lambda: monolith("up"))
    time.sleep(REST_SECONDS)
    numbers |= memory(json.loads(monolith("status", "--json"))["services"], folder / "data")
    numbers["flow (s)"] = min(timed(lambda: monolith("run", str(FLOW))) for _ in range(2))
    for words in (["--help"], ["validate"], ["status"]):
        best = min(timed(lambda: monolith(*words)) for _ in range(5))  # noqa: B023
        numbers[f"monolith {words[0]} (s)"] = best
    monolith("down")
    return numbers


def memory(rows: list[dict[str, Any]], data: Path) -> Numbers:
    """PSS in MB per service, and sums."""
    numbers = {f"idle {row['name']} (MB)": row["memory"] / 2**20 for row in rows if row["memory"]}
    supervisor = int((data / "native" / "supervisord.pid").read_text())
    everything = tree_memory(supervisor) / 2**20
    numbers["idle, the four servers (MB)"] = sum(numbers[f"idle {name} (MB)"] for name in FOUR)
    return numbers | {ALL: everything}


def stock(folder: Path) -> Numbers:
    """`prefect server start` and `mlflow server` as their first pages tell."""
    began = time.monotonic()
    programs = {name: install(folder, name) for name in STOCK}
    installed = time.monotonic() - began
    ports = {name: free_port() for name in STOCK}
    home = {"PREFECT_HOME": str(folder / "home"), "DO_NOT_TRACK": "true"}
    with ExitStack() as stack:
        servers: dict[str, subprocess.Popen[bytes]] = {}
        first = timed(lambda: servers.update(start(programs, ports, home, folder)))
        for server in servers.values():
            stack.callback(stop, server.pid)
        time.sleep(REST_SECONDS)
        numbers = {f"idle {n} (MB)": tree_memory(s.pid) / 2**20 for n, s in servers.items()}
        flow = min(timed(lambda: stock_flow(ports, home)) for _ in range(2))
    with ExitStack() as stack:
        warm = timed(lambda: servers.update(start(programs, ports, home, folder)))
        for server in servers.values():
            stack.callback(stop, server.pid)
    return {
        "start, empty cache (s)": installed + first,
        "start, warm (s)": warm,
        **numbers,
        ALL: sum(numbers.values()),
        "flow (s)": flow,
    }


def install(folder: Path, name: str) -> Path:
    """A program in an environment of its own, as its documentation says."""
    target = folder / "stock" / name
    cache = {"UV_CACHE_DIR": str(folder / "stock-cache")}
    call([uv_program(), "venv", "--quiet", "--python", sys.executable, str(target)], cache)
    python = str(target / "bin" / "python")
    call([uv_program(), "pip", "install", "--quiet", "--python", python, *STOCK[name]], cache)
    return target / "bin" / name


def start(
    programs: dict[str, Path], ports: dict[str, int], home: dict[str, str], folder: Path
) -> dict[str, subprocess.Popen[bytes]]:
    """Start both servers and wait until both answer."""
    commands = {
        "prefect": ["server", "start", "--port", str(ports["prefect"])],
        "mlflow": ["server", "--port", str(ports["mlflow"])],
    }
    servers = {
        name: subprocess.Popen(
            [str(programs[name]), *words], cwd=folder, env={**os.environ, **home},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for name, words in commands.items()
    }  # fmt: skip
    wait_for(f"http://127.0.0.1:{ports['prefect']}/api/ready")
    wait_for(f"http://127.0.0.1:{ports['mlflow']}/api/2.0/mlflow/experiments/search?max_results=1")
    return servers


def wait_for(url: str, seconds: float = 180) -> None:
    """Until the address answers."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=5).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    sys.exit(f"{url} does not answer")


def stock_flow(ports: dict[str, int], home: dict[str, str]) -> None:
    """The same flow in the same locked environment, against the stock servers."""
    python = next((Path(os.environ["BENCH_CACHE"]) / "envs").glob("prefect_flows-*/bin/python"))
    addresses = {
        "PREFECT_API_URL": f"http://127.0.0.1:{ports['prefect']}/api",
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{ports['mlflow']}",
    }
    call([str(python), str(FLOW)], home | addresses)


def stop(pid: int) -> None:
    """End a server and all it has started."""
    import psutil

    process = psutil.Process(pid)
    end([process, *process.children(recursive=True)])


def show(mine: Numbers, theirs: Numbers) -> None:
    """Both side by side, with the ratio where both have the number."""
    table = Table("", "platform", "stock", "stock / platform", box=None)
    for name in [*mine, *(name for name in theirs if name not in mine)]:
        one, other = mine.get(name), theirs.get(name)
        ratio = f"{other / one:.1f} x" if one and other else ""
        table.add_row(name, *(f"{n:.2f}" if n is not None else "" for n in (one, other)), ratio)
    Console().print(table)


def main() -> None:
    """Measure both ways in one temporary folder."""
    with tempfile.TemporaryDirectory(prefix="monolith-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        os.environ["BENCH_CACHE"] = str(folder / "cache")
        mine, theirs = ours(folder), stock(folder)
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps({"platform": mine, "stock": theirs}, indent=1) + "\n")
    else:
        show(mine, theirs)


if __name__ == "__main__":
    main()
