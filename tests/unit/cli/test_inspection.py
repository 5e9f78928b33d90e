"""`status` and `logs`: what is printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from monolith.cli import inspection, screen
from monolith.runtimes.base import ServiceStatus
from tests.unit.cli.fakes import FakeRuntime, FakeSession
from tests.unit.conftest import MakeStack, service

MakeSession = Callable[..., FakeSession]
WIDE = ServiceStatus(
    "plane-api-of-the-stack", "unhealthy", "http://plane.monolith.localhost:8080",
    3600.0 * 23 + 59, 1023 << 20, 1024 << 20, 7, "its check fails: [503]", 12, True,
)  # fmt: skip


@pytest.fixture
def session(make_stack: MakeStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeSession:
    monkeypatch.setattr(screen.out, "width", 80)
    stack = make_stack({"web": service("web"), "postgres": service("postgres")})
    return lambda runtime: FakeSession(runtime, stack, tmp_path)


def test_a_healthy_platform_has_no_notes(
    session: MakeSession, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [ServiceStatus("web", "healthy", "http://web.localhost", 61.0, 5 << 20, 64 << 20),
            ServiceStatus("job", "done")]  # fmt: skip
    inspection.status(session(FakeRuntime(rows=rows)), as_json=False)
    out, err = capsys.readouterr()
    assert [line.split() for line in out.splitlines()] == [
        ["service", "state", "address", "uptime", "memory/cap"],
        ["web", "healthy", "web.localhost", "1m", "1s", "5/64", "MB"],
        ["job", "done"],
        [],
        ["5", "MB", "in", "all,", "compose", "runtime."],
    ]
    assert err == "Runtime: compose (a test).\n"


def test_what_is_unusual_is_told_below_the_table(
    session: MakeSession, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [WIDE, ServiceStatus("web", "healthy", restarts=2)]
    with pytest.raises(typer.Exit) as caught:
        inspection.status(session(FakeRuntime(rows=rows)), as_json=False)
    assert caught.value.exit_code == 1
    out = capsys.readouterr().out
    assert (
        "plane-api-of-the-stack: its check fails: [503]. See ./monolith logs "
        "plane-api-of-the-stack\n"
        "plane-api-of-the-stack: restarted by itself: 12, out of memory since its start\n"
        "web: restarted by itself: 2\n"
    ) in out


def test_the_table_fits_into_eighty_columns(
    session: MakeSession, capsys: pytest.CaptureFixture[str]
) -> None:
    row = ServiceStatus("bootstrap-databases", "unhealthy", "http://plane.monolith.localhost:8080",
                        86399.0, 1023 << 20, 1024 << 20)  # fmt: skip
    with pytest.raises(typer.Exit):
        inspection.status(session(FakeRuntime(rows=[row])), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert "1023/1024 MB" in lines[1]
    assert max(map(len, lines)) <= 80


def test_services_that_are_not_offered_are_told_by_their_reason(
    session: MakeSession, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [ServiceStatus("a", "not offered", reason="no engine"),
            ServiceStatus("b", "not offered", reason="no program"),
            ServiceStatus("c", "not offered", reason="no engine"),
            ServiceStatus("web", "healthy", uptime=5.0)]  # fmt: skip
    inspection.status(session(FakeRuntime("native", rows)), as_json=False)
    out = capsys.readouterr().out
    assert "Not offered by the native runtime (no engine): a, c\n" in out
    assert "Not offered by the native runtime (no program): b\n" in out
    assert "Nothing runs" not in out


def test_json_has_every_field_and_nothing_beside_it(
    session: MakeSession, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        inspection.status(session(FakeRuntime(rows=[WIDE])), as_json=True)
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert (answer["runtime"], answer["healthy"]) == ("compose", False)
    (row,) = answer["services"]
    assert (row["restarts"], row["oom_killed"], row["reason"]) == (12, True, WIDE.reason)
    assert err == ""


@pytest.mark.parametrize(
    ("services", "text"),
    [([], "web      one\npostgres two\n"), (["web"], "one\ntwo\n"),
     (["web", "postgres"], "web      one\npostgres two\n")],
)  # fmt: skip
def test_lines_stand_behind_their_service_where_there_are_several(
    session: MakeSession, capsys: pytest.CaptureFixture[str], services: list[str], text: str
) -> None:
    lines = [("web", "one"), ("postgres", "two")]
    inspection.logs(session(FakeRuntime(lines=lines)), services, 5, follow=False)
    assert capsys.readouterr().out == text
