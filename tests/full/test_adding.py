"""A service that nobody prepared for: the example of docs/adding-a-service.md, as it stands.

One folder and one line bring all of it; taking the line out removes it, and the data is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.common.platform import ROOT, eventually
from tests.compose import test_stack as generic
from tests.compose.conftest import ComposePlatform, docker

NAME = "guestbook"
LINE = f"  - ../config/{NAME}/compose.yaml\n"
_FENCE = re.compile(r"```\w+\n# (config/\S+)\n(.*?)```", re.DOTALL)
_APPLY = ("up", "-d", "--wait", "--remove-orphans")


def write_example(root: Path) -> None:
    """The files that the page tells people to write."""
    files = dict(_FENCE.findall((ROOT / "docs" / "adding-a-service.md").read_text()))
    assert {Path(path).name for path in files} == {"compose.yaml", "Dockerfile", "server.py"}
    for path, text in files.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)


def apply(full: ComposePlatform) -> None:
    """What the page tells people to type."""
    full.run("validate")
    full.run("render")
    full.compose(*_APPLY)


@pytest.fixture(scope="module")
def line(shared: ComposePlatform) -> Iterator[Path]:
    """The stack file, which has the line only while the tests of this module run."""
    file = shared.root / "docker-compose" / "docker-compose.full.yaml"
    before = file.read_text()
    write_example(shared.root)
    file.write_text(before + LINE)
    try:
        apply(shared)
        yield file
    finally:
        file.write_text(before)
        apply(shared)
        docker("image", "rm", "--force", "example/guestbook:1.0.0")


@pytest.fixture
def added(full: ComposePlatform, line: Path) -> ComposePlatform:
    """The stack with the service in it, reached through the front door."""
    assert eventually(lambda: page(full).status_code == 200), page(full).text
    return full


def page(full: ComposePlatform) -> httpx.Response:
    return full.through_front_door(NAME, "/")


def write(full: ComposePlatform, text: str) -> None:
    address = f"http://127.0.0.1:{full.ports['HTTP']}/"
    httpx.post(address, content=text, headers={"Host": full.host(NAME)}).raise_for_status()


def prometheus(full: ComposePlatform, path: str, **query: str) -> Any:
    """The data of an answer of Prometheus' API."""
    answer = full.through_front_door("prometheus", f"/api/v1/{path}?{httpx.QueryParams(query)}")
    return answer.raise_for_status().json()["data"]


def rule_groups(full: ComposePlatform) -> str:
    return str([one for one in prometheus(full, "rules")["groups"] if NAME in str(one)])


def rendered(full: ComposePlatform) -> dict[str, bool]:
    """Whether the files that people look at name it."""
    files = {
        "dashboard": "config/grafana/dashboards/overview.json",
        "reference": "docs/reference/services.md",
        "targets": "config/prometheus/targets.yaml",
        "rules": "config/prometheus/rules/services.yaml",
    }
    return {what: NAME in (full.root / path).read_text() for what, path in files.items()}


def test_it_has_a_route_a_database_and_a_bucket(added: ComposePlatform) -> None:
    write(added, "Good evening")
    assert "Good evening" in page(added).text
    files = [*(added.data / "minio" / NAME).iterdir()]
    assert files


def test_its_secrets_are_its_own(added: ComposePlatform) -> None:
    keys = {key for key in added.secrets() if key.startswith(f"{NAME}.")}
    assert {f"{NAME}.DATABASE_PASSWORD", f"{NAME}.S3_SECRET_KEY"} <= keys
    assert (added.data / "secrets" / NAME / "env").stat().st_mode & 0o777 == 0o600


def test_it_is_scraped_and_its_metrics_are_closed_outside(added: ComposePlatform) -> None:
    query = f'up{{service="{NAME}"}} == 1'
    assert eventually(lambda: prometheus(added, "query", query=query)["result"], 90)
    assert prometheus(added, "query", query="guestbook_entries")["result"]
    assert added.through_front_door(NAME, "/metrics").status_code == 404


def test_it_has_an_alert(added: ComposePlatform) -> None:
    assert eventually(lambda: NAME in rule_groups(added), 90)


def test_it_is_in_dashboard_reference_targets_and_rules(added: ComposePlatform) -> None:
    assert all(rendered(added).values()), rendered(added)


def test_the_portal_shows_it_healthy(added: ComposePlatform) -> None:
    def shown() -> list[str]:
        services = added.through_front_door("", "/status.json").json()["services"]
        return [one["state"] for one in services if one["name"] == NAME]

    assert eventually(lambda: shown() == ["healthy"], 60), shown()


@pytest.mark.parametrize("promise", generic.PROMISES)
def test_it_promises_what_all_do(added: ComposePlatform, promise: str) -> None:
    assert generic.PROMISES[promise](added.running()[NAME])


GENERIC = [
    generic.test_no_container_has_the_socket_of_the_engine,
    generic.test_every_name_is_found_by_every_other,
    generic.test_env_files_are_closed,
    generic.test_a_second_up_changes_nothing,
    generic.test_settings_of_the_command_line_reach_no_container,
]


@pytest.mark.parametrize("test", GENERIC, ids=lambda test: test.__name__)
def test_generic_tests_pass_for_it(added: ComposePlatform, test: Any) -> None:
    assert NAME in added.running()
    test(added)


def test_without_the_line_all_of_it_is_gone_and_its_data_is_kept(
    added: ComposePlatform, line: Path
) -> None:
    write(added, "I come again")
    before = line.read_text()
    line.write_text(before.replace(LINE, ""))
    apply(added)
    assert NAME not in added.containers()
    assert not any(rendered(added).values()), rendered(added)
    assert eventually(lambda: page(added).status_code == 404)
    assert eventually(lambda: NAME not in rule_groups(added), 90)
    assert NAME not in added.through_front_door("", "/status.json").text
    targets = prometheus(added, "targets", state="active")["activeTargets"]
    assert NAME not in {one["labels"]["service"] for one in targets}
    line.write_text(before)
    apply(added)
    assert eventually(lambda: page(added).status_code == 200)
    assert "I come again" in page(added).text
