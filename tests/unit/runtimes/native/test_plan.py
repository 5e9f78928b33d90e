"""From the container's world to this machine's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monolith.errors import UserError
from monolith.manifest.stack import Stack
from monolith.project import Project
from monolith.runtimes.native.plan import Planner, Program, offered
from tests.unit.conftest import MakeStack, service

MEANINGS = {"MONOLITH_STORE_PORT": "Port of the store.", "MONOLITH_WEB_PORT": "Port of web."}
ENVIRONMENT = {
    "FLAG": True, "OFF": False, "NUMBER": 65, "FRACTION": 0.5, "TEXT": "text",
    "REMOVED": "container only", "LAID_OVER": "container",
}  # fmt: skip


def web(**native: Any) -> dict[str, Any]:
    block = {"requirements": "config/web/requirements.lock", "command": ["web"], **native}
    data = "${MONOLITH_DATA:-../../data}"
    return service(
        "web",
        {"native": block, "check": {"port": 80, "path": "/health"}, "database": {}},
        environment=ENVIRONMENT,
        ports=["127.0.0.1:${MONOLITH_WEB_PORT:-8081}:80"],
        volumes=[f"{data}/web:/data", f"{data}/secrets/web:/secrets", ".:/config:ro"],
        depends_on={
            "store": {"condition": "service_healthy"},
            "engine-only": {"condition": "service_healthy"},
        },
    )


def store() -> dict[str, Any]:
    native = {"requirements": "config/store/requirements.lock", "command": ["store", "{port:9000}"]}
    return service(
        "store",
        {"native": native, "check": {"port": 9000}},
        ports=["127.0.0.1:${MONOLITH_STORE_PORT:-9000}:9000"],
    )


class Setup:
    """A stack of two offered services and one that needs an engine."""

    def __init__(self, make: MakeStack, base: Path) -> None:
        self.make = make
        self.base = base
        self.data = base / "data"
        self.secrets: dict[str, str] = {}

    def stack(self, **native: Any) -> Stack:
        services = {"web": web(**native), "store": store(), "engine-only": service("engine-only")}
        settings = {"MONOLITH_STORE_PORT": "19000"}
        if self.data != self.base / "data":
            settings["MONOLITH_DATA"] = str(self.data)
        return self.make(services, MEANINGS, **settings)

    def planner(self, stack: Stack) -> Planner:
        project = Project(self.base, self.data, self.base / "cache")
        return Planner(stack, project, self.environment, lambda _: self.secrets)

    def environment(self, lock: Path) -> Path:
        return self.base / "envs" / lock.parent.name

    def program(self, **native: Any) -> Program:
        stack = self.stack(**native)
        return self.planner(stack).program(stack.services["web"])

    def text(self, text: str) -> str:
        return self.program(command=[text]).command[0]


@pytest.fixture
def setup(make_stack: MakeStack, tmp_path: Path) -> Setup:
    return Setup(make_stack, tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{port:80}", "8081"),
        ("127.0.0.1:{port:80}", "127.0.0.1:8081"),
        ("{port:7000}", "7000"),
        ("{state}/x", "BASE/data/native/x"),
        ("http://store.service.consul:9000/x", "http://127.0.0.1:19000/x"),
        ("store.service.consul", "127.0.0.1"),
        ("store.service.consul:9001", "127.0.0.1:9001"),
        ("engine-only.service.consul:70", "127.0.0.1:70"),
        ("a.example.org:9000", "a.example.org:9000"),
        ("/data", "BASE/data/web"),
        ("/data/a/b", "BASE/data/web/a/b"),
        ("--folder=/data/a", "--folder=BASE/data/web/a"),
        ("file=/config/x.conf", "file=BASE/config/web/x.conf"),
        ("/database", "/database"),
        ("/data-2", "/data-2"),
        ("/other/data", "/other/data"),
        ("../data", "../data"),
        ("mail/data", "mail/data"),
        ("http://host/data/x", "http://host/data/x"),
        ("http://host:80/data", "http://host:80/data"),
        ("http://store.service.consul:9000/data", "http://127.0.0.1:19000/data"),
        ("http://store.service.consul/data", "http://127.0.0.1/data"),
        ("http://localhost:{port:80}/data", "http://localhost:8081/data"),
        ("file:///data/x", "file:///data/x"),
    ],
)
def test_a_text_reads_on_this_machine_as_it_has_to(setup: Setup, text: str, expected: str) -> None:
    assert setup.text(text) == expected.replace("BASE", str(setup.base))


@pytest.mark.parametrize("name", ["a\\1b", "with space", "ไทย", "data"])
def test_a_path_is_put_in_as_it_is(setup: Setup, name: str) -> None:
    setup.data = setup.base / name
    assert setup.text("/data/x") == f"{setup.data}/web/x"
    assert setup.text("{state}") == f"{setup.data}/native"


def test_a_path_of_this_machine_is_not_taken_for_one_in_the_container(setup: Setup) -> None:
    setup.data = Path("/data/config")
    assert setup.text("{state}/x") == "/data/config/native/x"
    assert setup.text("/data/x") == "/data/config/web/x"


def test_site_is_the_folder_of_packages_of_its_own_environment(setup: Setup) -> None:
    packages = setup.base / "envs" / "web" / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    assert setup.text("{site}/bin") == f"{packages}/bin"


def test_the_environment_is_as_compose_writes_it(setup: Setup) -> None:
    found = setup.program().environment
    expected = {"FLAG": "true", "OFF": "false", "NUMBER": "65", "FRACTION": "0.5", "TEXT": "text"}
    assert found.items() >= expected.items()


def test_native_values_are_laid_over_and_an_empty_one_removes(setup: Setup) -> None:
    found = setup.program(environment={"LAID_OVER": "native", "REMOVED": None, "NEW": "/data"})
    assert found.environment["LAID_OVER"] == "native"
    assert found.environment["NEW"] == f"{setup.base}/data/web"
    assert "REMOVED" not in found.environment


def test_only_names_are_changed_in_secrets(setup: Setup) -> None:
    setup.secrets = {"TEXT": "/data", "ADDRESS": "db://u:{state}@store.service.consul:9000/data"}
    found = setup.planner(setup.stack()).secret_environment("web")
    assert found["TEXT"] == "/data"
    assert found["ADDRESS"] == "db://u:{state}@127.0.0.1:19000/data"


def test_its_own_programs_come_before_the_systems(setup: Setup) -> None:
    path = setup.program(path=["{site}/bin", "/config/bin"]).environment["PATH"].split(":")
    own = f"{setup.base}/envs/web"
    assert path[:3] == [own + "/bin", f"{setup.base}/config/web/bin", own + "/bin"]
    assert path[3:] == ["/usr/local/bin", "/usr/bin", "/bin"]


def test_everything_else_comes_from_the_manifest(setup: Setup) -> None:
    program = setup.program(
        user="somebody", cwd="flows", stop_signal="INT", prepare=["/config/prepare"],
        check=["check", "{port:80}"],
    )  # fmt: skip
    assert (program.user, program.stop_signal) == ("somebody", "INT")
    assert program.cwd == setup.base / "flows"
    assert program.prepare == [f"{setup.base}/config/web/prepare"]
    assert program.check_command == ["check", "8081"]
    assert (program.check_port, program.check_path) == (8081, "/health")
    assert program.ports == {8081: "MONOLITH_WEB_PORT"}
    assert program.installed == setup.base / "envs" / "web"
    assert program.database == "web"


def test_it_works_in_the_data_folder_unless_said_otherwise(setup: Setup) -> None:
    assert setup.program().cwd == setup.data


def test_its_folders_are_the_writable_ones_without_secrets(setup: Setup) -> None:
    assert setup.program().folders == [setup.data / "web"]


def test_it_waits_only_for_services_that_are_offered(setup: Setup) -> None:
    assert setup.program().depends_on == ["store"]
    assert [entry.name for entry in offered(setup.stack(), lambda _: None)] == ["web", "store"]


@pytest.mark.parametrize("found", [None, Path("/opt/tools/web")])
def test_a_service_whose_program_is_a_tool_is_offered_when_that_is_there(
    setup: Setup, found: Path | None
) -> None:
    (setup.base / "tools" / "web").mkdir(parents=True)
    (setup.base / "tools" / "web" / "tool.toml").touch()
    stack = setup.stack(tool="web", requirements=None)
    names = [entry.name for entry in offered(stack, lambda _: found)]
    assert names == (["web", "store"] if found else ["store"])


def test_a_tool_is_found_by_the_folder_it_is_in(setup: Setup) -> None:
    (setup.base / "tools" / "web").mkdir(parents=True)
    (setup.base / "tools" / "web" / "tool.toml").touch()
    planner = setup.planner(setup.stack(tool="web", requirements=None))
    planner.tool = lambda _: Path("/opt/tools/web")
    program = planner.program(planner.stack.services["web"])
    assert program.environment["PATH"].split(":")[0] == "/opt/tools"


def test_who_has_secrets_waits_for_vault_where_it_is_offered(make_stack: MakeStack) -> None:
    native = {"requirements": "config/web/requirements.lock", "command": ["x"]}
    services = {
        "vault": service("vault", {"native": native}),
        "web": service("web", {"native": native, "secrets": {"KEY": "hex16"}}),
        "plain": service("plain", {"native": native}),
    }
    stack = make_stack(services)
    project = Project(stack.file.parents[1], Path("/data"), Path("/cache"))
    planner = Planner(stack, project, lambda lock: lock, lambda _: {})
    found = {program.name: program.depends_on for program in planner.programs()}
    assert found == {"vault": [], "web": ["vault"], "plain": []}


def test_what_is_not_offered_cannot_be_planned(setup: Setup) -> None:
    stack = setup.stack()
    with pytest.raises(UserError, match="not offered natively"):
        setup.planner(stack).program(stack.services["engine-only"])


@pytest.mark.parametrize(
    ("native", "restarts"),
    [
        ({"command": ["web", "--new"]}, True),
        ({"environment": {"TEXT": "new"}}, True),
        ({"user": "somebody"}, True),
        ({"cwd": "flows"}, True),
        ({"stop_signal": "INT"}, True),
        ({"path": ["/opt/new"]}, True),
        ({"requirements": "config/other/requirements.lock"}, True),
        ({"check": ["another", "check"]}, False),
        ({"prepare": ["another", "preparation"]}, False),
        ({"memory": "32m"}, False),
        ({}, False),
    ],
)
def test_a_program_is_restarted_when_what_its_process_is_made_of_has_changed(
    setup: Setup, native: dict[str, Any], restarts: bool
) -> None:
    assert (setup.program(**native).revision != setup.program().revision) == restarts


def test_the_plan_is_made_without_any_secret(setup: Setup) -> None:
    before = setup.program()
    setup.secrets = {"TOKEN": "new"}
    assert setup.program() == before


def test_a_changed_configuration_file_restarts_and_a_changed_manifest_does_not(
    setup: Setup,
) -> None:
    before = setup.program().revision
    folder = setup.base / "config" / "web"
    (folder / "requirements.in").write_text("web==2")
    (folder / "compose.full.yaml").write_text("services: {}")
    # What Python leaves beside a module that it has read.
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "web.cpython-311.pyc").write_text("web")
    assert setup.program().revision == before
    (folder / "web.conf").write_text("colour = red")
    changed = setup.program().revision
    assert changed != before
    (folder / "web.conf").write_text("colour = blue")
    assert setup.program().revision not in (before, changed)
