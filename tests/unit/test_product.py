"""What the shipped manifests promise: nothing calls home, nothing grows without end, and nothing
listens beyond this machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from monolith.manifest.stack import Stack
from monolith.project import Project
from monolith.runtimes.native.plan import Planner, Program
from tests.unit.conftest import ROOT

QUIET = {
    "prefect": {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "true"},
    "prefect-worker": {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"},
    "mlflow": {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"},
    "traefik": {
        "TRAEFIK_GLOBAL_SENDANONYMOUSUSAGE": "false",
        "TRAEFIK_GLOBAL_CHECKNEWVERSION": "false",
    },
    **{
        name: {"OTLP_ENDPOINT": "http://127.0.0.1:9"}
        for name in ("plane-api", "plane-worker", "plane-migrator")
    },
}


def plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.fixture(scope="session")
def programs(product: Stack) -> dict[str, Program]:
    project = Project(ROOT, ROOT / "data", Path("/cache"))
    planner = Planner(
        product, project, lambda lock: Path("/cache") / lock.parent.name, lambda _: {},
        lambda name: Path("/cache") / "tools" / name,
    )  # fmt: skip
    return {program.name: program for program in planner.programs()}


@pytest.mark.parametrize("name", QUIET)
def test_nothing_calls_home(name: str, product: Stack, programs: dict[str, Program]) -> None:
    environment = product.services[name].model.environment
    assert {key: plain(environment.get(key)) for key in QUIET[name]} == QUIET[name]
    if name in programs:
        assert programs[name].environment.items() >= QUIET[name].items()


def test_programs_of_the_vendors_are_all_looked_at(product: Stack) -> None:
    """A new application has to be thought about here."""
    silent = {
        "bootstrap-secrets", "bootstrap-stores", "bootstrap", "vault", "consul", "postgres",
        "portal", "s3", "plane-valkey", "plane-mq",
        "plane-live", "plane-space", "plane-admin", "plane-web",
    }  # fmt: skip
    assert set(product.services) == silent | set(QUIET)


def test_plane_never_asks_for_news(product: Stack) -> None:
    assert product.services["plane-api"].model.environment["INSTANCE_CHANGELOG_URL"] == ""


def test_what_prefect_keeps_ends(product: Stack) -> None:
    environment = product.services["prefect"].model.environment
    for name in ("EVENTS_RETENTION_PERIOD", "SERVICES_DB_VACUUM_RETENTION_PERIOD"):
        assert re.fullmatch(r"P[0-9]+D", str(environment[f"PREFECT_SERVER_{name}"]))
    vacuumed = str(environment["PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED"]).split(",")
    assert {"events", "flow_runs"} <= set(vacuumed)


def test_no_service_is_published_beyond_loopback(product: Stack) -> None:
    published = [port for entry in product.services.values() for port in entry.model.ports]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def addresses(program: Program) -> Iterator[str]:
    yield from program.command
    for name, value in program.environment.items():
        if re.search(r"HOST$|ADDRESS$|BIND|LISTEN", name):
            yield value


def test_no_process_listens_beyond_loopback(programs: dict[str, Program]) -> None:
    assert programs
    for program in programs.values():
        texts = list(addresses(program))
        wide = [t for t in texts if re.search(r"0\.0\.0\.0|\[?::\]?(:|$)|^:[0-9]|=\*|^\*", t)]
        assert wide == [], program.name
        if program.ports:
            assert any("127.0.0.1" in text for text in texts), program.name


def test_every_log_and_every_memory_has_an_end(product: Stack) -> None:
    for entry in product.services.values():
        assert entry.model.logging is not None, entry.name
        assert 0 < entry.memory_limit <= 2**30, entry.name


def test_no_name_of_a_container_is_left_in_a_process(programs: dict[str, Program]) -> None:
    for program in programs.values():
        texts = [*program.command, *program.prepare, *program.check_command]
        texts += program.environment.values()
        left = [t for t in texts if re.search(r"service\.consul|\{(port:|site|state)", t)]
        assert left == [value for value in left if "ALLOWED_HOSTS" in value], program.name


def test_every_environment_is_locked_with_hashes() -> None:
    locks = [*ROOT.glob("config/*/requirements.lock"), ROOT / "prefect_flows/requirements.lock"]
    made_of = {lock.with_suffix(".in") for lock in locks}
    assert made_of >= set(ROOT.glob("config/*/requirements.in"))
    assert len(locks) >= 5
    for lock in locks:
        packages = re.findall(r"^[a-z][\w.-]*==", lock.read_text(), re.MULTILINE)
        assert len(packages) <= lock.read_text().count("--hash=sha256:"), lock
        assert "://" not in lock.read_text(), lock
