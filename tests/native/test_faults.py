"""What goes wrong: killed services, supervisors and commands, taken ports, two at once."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import threading
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from monolith import project
from monolith.runtimes.native import processes
from monolith.runtimes.native.lock import hold
from monolith.secrets.store import FileStore
from tests.native.conftest import OFFERED, ROOT, Platform, eventually


@pytest.mark.parametrize("service", sorted(OFFERED))
def test_a_killed_service_comes_back_by_itself(platform: Platform, service: str) -> None:
    before = platform.pids()
    psutil.Process(before[service]).kill()
    assert eventually(lambda: platform.pids()[service] not in (0, before[service]))
    assert eventually(platform.healthy), platform.status()
    others = OFFERED - {service}
    assert {name: platform.pids()[name] for name in others} == {n: before[n] for n in others}


class Writer(threading.Thread):
    """Inserts numbers one by one and remembers the last that PostgreSQL has acknowledged."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(daemon=True)
        self.password = FileStore(platform.places.secrets).read("mlflow")["DATABASE_PASSWORD"]
        self.port = platform.ports["POSTGRES"]
        self.acknowledged = 0
        with self.connect() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS written (number int PRIMARY KEY)")
            connection.execute("TRUNCATE written")

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="mlflow", dbname="mlflow",
            password=self.password, autocommit=True,
        )  # fmt: skip

    def run(self) -> None:
        with self.connect() as connection:
            for number in range(1, 1_000_000):
                try:
                    connection.execute("INSERT INTO written VALUES (%s)", [number])
                except psycopg.Error:
                    return
                self.acknowledged = number

    def found(self) -> int:
        with self.connect() as connection:
            row = connection.execute("SELECT count(*) FROM written").fetchone()
            return int(row[0]) if row else 0


@pytest.mark.parametrize("attempt", range(3))
def test_acknowledged_writes_survive_a_killed_database(platform: Platform, attempt: int) -> None:
    writer = Writer(platform)
    writer.start()
    time.sleep(0.5 + random.random())
    server = psutil.Process(platform.pids()["postgres"])
    for process in [server, *server.children(recursive=True)]:
        process.kill()
    writer.join(timeout=20)
    assert eventually(platform.healthy), platform.status()
    assert writer.acknowledged > 50
    assert writer.found() >= writer.acknowledged


def supervisor_of(platform: Platform) -> psutil.Process:
    return psutil.Process(int((platform.places.state / "supervisord.pid").read_text()))


def test_after_a_killed_supervisor_the_next_up_makes_it_right(platform: Platform) -> None:
    before = platform.pids()
    supervisor_of(platform).kill()
    assert "./monolith up" in platform.run("status", code=1)
    platform.run("up")
    after = platform.pids()
    assert set(before.values()).isdisjoint(after.values())
    assert not any(psutil.pid_exists(pid) for pid in before.values())
    assert platform.healthy()


def test_down_after_a_killed_supervisor_leaves_nothing(platform: Platform) -> None:
    supervisor_of(platform).kill()
    platform.run("down")
    assert platform.processes() == []
    platform.run("up")


def test_down_leaves_no_process_and_may_be_repeated(platform: Platform) -> None:
    platform.run("down")
    assert platform.processes() == []
    assert "Nothing was running" in platform.run("down")
    assert "Nothing runs" in platform.run("status", code=1)
    assert "./monolith up" in platform.run("run", "prefect_flows/train_digits.py", code=1)
    platform.run("up")


@pytest.mark.parametrize("seconds", [0.6, 1.0, 1.5, 2.5, 4.0])
def test_a_killed_first_up_is_completed_by_the_next(fresh: Platform, seconds: float) -> None:
    process = fresh.start("up", start_new_session=True)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    fresh.run("up")
    assert fresh.healthy()
    assert not list(fresh.data.rglob("docker.new"))


@pytest.mark.parametrize("seconds", [0.7, 1.2, 2.0])
def test_a_killed_installation_is_completed_by_the_next_up(fresh: Platform, seconds: float) -> None:
    """Environments in an empty cache; the downloads are the machine's own, for speed."""
    cache = fresh.data.parent.with_name("cache") / str(seconds)
    fresh.extra |= {"MONOLITH_CACHE": str(cache), "UV_CACHE_DIR": str(project.find().cache / "uv")}
    process = fresh.start("up", start_new_session=True)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    fresh.run("up")
    assert fresh.healthy()
    assert not list(cache.glob("envs/*.new"))


def heeds_ctrl_c() -> None:
    """Programs in the background of a script ignore Ctrl-C, and so would all below them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_ends_up_tidily(fresh: Platform) -> None:
    process = fresh.start("up", preexec_fn=heeds_ctrl_c)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Stopped by Ctrl-C" in err
    assert "Traceback" not in err
    fresh.run("up")


def test_of_two_ups_one_works_and_the_other_names_it(fresh: Platform) -> None:
    first, second = fresh.start("up"), fresh.start("up")
    outputs = [process.communicate(timeout=240) for process in (first, second)]
    codes = [first.returncode, second.returncode]
    assert sorted(codes) == [0, 1], outputs
    loser = outputs[codes.index(1)][1]
    winner = (first, second)[codes.index(0)]
    assert f"pid {winner.pid}" in loser
    assert "user " in loser
    assert "since " in loser
    assert fresh.healthy()


def test_the_lock_ends_with_its_holder(platform: Platform) -> None:
    with hold(platform.places.lock, "up"):
        assert "being changed by" in platform.run("down", code=1)
    platform.run("up")


def test_a_taken_port_is_named_with_its_holder_before_anything_starts(fresh: Platform) -> None:
    with socket.create_server(("127.0.0.1", fresh.ports["MLFLOW"])):
        text = fresh.run("up", code=1)
    assert f"port {fresh.ports['MLFLOW']} free for mlflow" in text
    assert f"pid {psutil.Process().pid}" in text
    assert "MONOLITH_MLFLOW_PORT=" in text
    assert fresh.processes() == []


def test_a_service_that_cannot_start_is_told_with_reason_and_last_lines(fresh: Platform) -> None:
    stack = write_stack(fresh, "import sys; sys.exit('the disk is on fire')")
    text = fresh.run("--stack", str(stack), "up", code=1)
    assert "broken did not start" in text
    assert "the disk is on fire" in text
    assert "./monolith logs broken" in text


def test_a_service_that_hangs_is_unhealthy_in_status(fresh: Platform) -> None:
    code = (
        "import http.server as h;"
        "h.test(h.SimpleHTTPRequestHandler, port={port:80}, bind='127.0.0.1')"
    )
    stack = str(write_stack(fresh, code))
    fresh.run("--stack", stack, "up")
    pid = json.loads(fresh.run("--stack", stack, "status", "--json"))["services"][0]["pid"]
    psutil.Process(pid).suspend()
    try:
        assert eventually(
            lambda: "its check fails" in fresh.run("--stack", stack, "status", code=1)
        )
    finally:
        psutil.Process(pid).resume()
    assert eventually(lambda: "healthy" in fresh.run("--stack", stack, "status"))


def write_stack(platform: Platform, code: str) -> Path:
    """A stack of one small service, `python -c code`."""
    folder = platform.data.parent / f"{platform.data.name}-stack"
    folder.mkdir()
    (folder / "compose.yaml").write_text(FRAGMENT.format(port=platform.ports["MLFLOW"], code=code))
    (folder / "docker-compose.one.yaml").write_text("name: one\ninclude: [compose.yaml]\n")
    return folder / "docker-compose.one.yaml"


FRAGMENT = """
services:
  broken:
    image: local/broken:1.0.0
    networks: {{default: {{aliases: [broken.service.consul]}}}}
    ports: ["127.0.0.1:{port}:80"]
    healthcheck: {{test: [CMD, "true"]}}
    restart: unless-stopped
    deploy: {{resources: {{limits: {{memory: 64m}}}}}}
    logging: {{options: {{max-size: 1m, max-file: "1"}}}}
    x-monolith:
      title: Broken
      about: A service for tests
      access: users
      check: {{port: 80, path: /}}
      native:
        requirements: config/traefik/requirements.lock
        command: [python, -c, "{code}"]
"""


def test_an_installation_has_secrets_of_its_own(platform: Platform, fresh: Platform) -> None:
    fresh.run("up")
    one, two = (FileStore(p.places.secrets) for p in (platform, fresh))
    for service in ("postgres", "prefect", "mlflow"):
        assert set(one.read(service)) == set(two.read(service))
        assert set(one.read(service).values()).isdisjoint(two.read(service).values())


def test_nothing_of_a_test_is_left(platform: Platform) -> None:
    """The mark finds processes of this data folder only."""
    mine = {process.pid for process in platform.processes()}
    other = {process.pid for process in processes.of_instance(str(ROOT / "data"))}
    assert mine
    assert mine.isdisjoint(other)


def test_data_of_another_installation_is_told_and_left_alone(fresh: Platform) -> None:
    fresh.run("up")
    fresh.run("down")
    FileStore(fresh.places.secrets).write("postgres", {"POSTGRES_PASSWORD": "0" * 64})
    text = fresh.run("up", code=1)
    assert "not of one installation" in text
    (fresh.places.secrets / "postgres.json").unlink()
    assert "is gone" in fresh.run("up", code=1)


def test_a_proxy_does_not_stand_between_the_services(fresh: Platform) -> None:
    fresh.extra |= {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    fresh.run("demo")
    fresh.run("run", "--deployed", "train-digits")


def test_a_changed_port_that_is_taken_is_named_and_the_service_goes_on(platform: Platform) -> None:
    before = platform.pids()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        changed = Platform(platform.data)
        changed.ports = platform.ports | {"TRAEFIK": port}
        text = changed.run("up", code=1)
    assert f"port {port} free for traefik" in text
    assert "MONOLITH_TRAEFIK_PORT=" in text
    assert platform.pids() == before


def test_an_interrupted_change_is_completed_by_the_next_up(platform: Platform) -> None:
    before = platform.pids()["mlflow"]
    platform.extra["MONOLITH_DOMAIN"] = "other.localhost"
    process = platform.start("up", start_new_session=True)
    assert eventually(lambda: platform.supervised().get("mlflow") != before, 30)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    platform.run("up")
    assert platform.healthy()
    assert platform.status()["mlflow"]["address"].startswith("http://mlflow.other.localhost")
    del platform.extra["MONOLITH_DOMAIN"]
    platform.run("up")


def test_the_language_of_the_caller_does_not_matter(fresh: Platform) -> None:
    fresh.extra |= {"LANG": "th_TH.UTF-8", "LC_ALL": "de_DE.UTF-8"}
    fresh.run("up")
