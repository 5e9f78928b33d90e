"""The verbs, with an engine that answers what a test says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monolith.errors import UserError
from monolith.manifest.stack import Stack
from monolith.project import Project
from monolith.runtimes.compose import preflight, starting
from monolith.runtimes.compose import runtime as module
from monolith.runtimes.compose.runtime import ComposeRuntime
from tests.unit.runtimes.compose.conftest import FakeDocker, answers_of, recorded
from tests.unit.runtimes.compose.test_images import Told

MakeRuntime = Callable[..., ComposeRuntime]
STARTED = "2026-11-24T13:00:00Z"


@pytest.fixture
def runtime(
    make: Callable[..., Stack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> MakeRuntime:
    """A runtime of the named services; nobody holds their ports, and nothing is waited for long."""
    monkeypatch.setattr(starting, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(starting, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(starting, "WAIT_SECONDS", 20)
    monkeypatch.setattr(module, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr("monolith.runtimes.ports.is_port_free", lambda _, **__: True)
    project = Project(tmp_path, tmp_path / "data", tmp_path / "cache")
    return lambda *names: ComposeRuntime(make(*names), project)


def row(name: str, runtime: ComposeRuntime, **state: Any) -> dict[str, Any]:
    return recorded(name, runtime.engine.folder, **state)


def test_up_starts_what_is_not_there(runtime: MakeRuntime, docker: FakeDocker) -> None:
    own, told = runtime("web", "job"), Told()
    rows = [row("web", own), row("job", own)]
    docker.answer(up={"sets": answers_of(rows)})
    assert own.up(told)
    assert told.lines == ["web healthy", "job done"]
    assert docker.calls("up")[0][-4:] == ["up", "--detach", "--remove-orphans", "--quiet-pull"]


def test_up_changes_nothing_where_only_what_ends_by_itself_runs_again(
    runtime: MakeRuntime, docker: FakeDocker
) -> None:
    own = runtime("web", "job")
    docker.has([row("web", own), row("job", own)])
    again = [row("web", own), row("job", own, StartedAt=STARTED)]
    docker.answer(up={"sets": answers_of(again)})
    assert not own.up(Told())


@pytest.mark.parametrize("before", ["another start", "an orphan"])
def test_up_has_changed_something(runtime: MakeRuntime, docker: FakeDocker, before: str) -> None:
    own = runtime("web")
    old = {"another start": [row("web", own, StartedAt=STARTED)],
           "an orphan": [row("web", own), row("hog", own)]}  # fmt: skip
    docker.has(old[before])
    docker.answer(up={"sets": answers_of([row("web", own)])})
    assert own.up(Told())


def test_up_tells_every_failing_service_its_reason_and_its_last_lines(
    runtime: MakeRuntime, docker: FakeDocker
) -> None:
    own = runtime("web", "sick", "badjob")
    docker.answer(
        up={"sets": answers_of([row(name, own) for name in ("web", "sick", "badjob")])},
        logs={"out": "feeling ill\n", "err": "very ill\n"},
    )
    with pytest.raises(UserError) as caught:
        own.up(Told())
    assert str(caught.value) == (
        "sick did not start: its check fails: no pulse\n  | feeling ill\n  | very ill\n"
        "badjob did not start: exit code 3\n  | feeling ill\n  | very ill\n"
        "next: ./monolith logs sick"
    )
    assert docker.calls("logs")[0][1:4] == ["logs", "--tail", "15"]


def test_a_service_that_was_ill_before_has_time_to_recover(
    runtime: MakeRuntime, docker: FakeDocker
) -> None:
    own = runtime("sick")
    ill = answers_of([row("sick", own)])
    well = answers_of([row("sick", own, Health={"Status": "healthy"})])
    docker.has([row("sick", own)])
    # Once before `up`, then while it runs; it is well at the fourth look.
    docker.answer(inspect=ill["inspect"] | {"sets": {"inspect": ill["inspect"] | {"sets": well}}})
    assert not own.up(Told())


def test_a_service_that_stays_ill_is_told_in_the_end(
    runtime: MakeRuntime, docker: FakeDocker
) -> None:
    own = runtime("sick")
    docker.has([row("sick", own)])
    with pytest.raises(UserError, match="its check fails: no pulse"):
        own.up(Told())


@pytest.mark.parametrize(
    "said",
    ['service "crash" didn\'t complete successfully: exit 7',
     "dependency failed to start: container test-crash-1 is unhealthy"],
)  # fmt: skip
def test_a_service_that_compose_names_is_told_although_it_starts_again(
    runtime: MakeRuntime, docker: FakeDocker, said: str
) -> None:
    own = runtime("web", "crash")
    crash = row("crash", own)
    crash["RestartCount"] = 1
    rows = [row("web", own, Health={"Status": "starting"}), crash]
    docker.answer(up={"sets": answers_of(rows), "err": f"{said}\n", "code": 1})
    with pytest.raises(UserError) as caught:
        own.up(Told())
    assert caught.value.message == "crash did not start: exit code 7, is started again"


def test_what_compose_says_itself_is_told_where_no_service_fails(
    runtime: MakeRuntime, docker: FakeDocker
) -> None:
    own = runtime("web")
    docker.answer(up={"err": "all predefined address pools have been subnetted\n", "code": 1})
    with pytest.raises(UserError, match=r"up` failed:\n  \| all predefined address pools"):
        own.up(Told())


def test_waiting_ends(
    runtime: MakeRuntime, docker: FakeDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "WAIT_SECONDS", 0.1)
    own = runtime("web")
    slow = [row("web", own, Health={"Status": "starting"})]
    docker.answer(up={"sets": answers_of(slow)})
    with pytest.raises(UserError, match="web did not start: not healthy after"):
        own.up(Told())


@pytest.mark.parametrize("verb", ["up", "down", "restart"])
def test_another_clones_containers_are_left(
    runtime: MakeRuntime, docker: FakeDocker, verb: str
) -> None:
    own = runtime("web")
    docker.has([recorded("web")])
    act: dict[str, Callable[[], object]] = {
        "up": lambda: own.up(Told()),
        "down": lambda: own.down(Told()),
        "restart": lambda: own.restart([], Told()),
    }
    with pytest.raises(UserError, match="Another clone"):
        act[verb]()
    assert not [call for name in ("up", "down", "stop") for call in docker.calls(name)]
    assert own.status()[0].state == "stopped"


@pytest.mark.parametrize("verb", ["up", "restart"])
def test_what_only_another_stack_has_is_left(
    runtime: MakeRuntime, docker: FakeDocker, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    own, larger = runtime("web"), runtime("web", "job").stack
    docker.has([row("web", own), row("job", own, Status="running")])
    monkeypatch.setattr(preflight, "shipped", lambda *_: [larger])
    with pytest.raises(UserError, match="has no job"):
        own.up(Told()) if verb == "up" else own.restart([], Told())
    assert not [call for name in ("up", "stop") for call in docker.calls(name)]


def test_down_tells_what_ends(runtime: MakeRuntime, docker: FakeDocker) -> None:
    own, told = runtime("web", "job"), Told()
    docker.has([row("web", own), row("job", own)])
    docker.answer(down={"sets": answers_of([])})
    assert own.down(told)
    assert told.lines == ["web stopping", "web stopped"]
    assert not own.down(told)


def test_down_that_fails_is_told(runtime: MakeRuntime, docker: FakeDocker) -> None:
    docker.answer(down={"err": "network has active endpoints\n", "code": 1})
    with pytest.raises(UserError, match="active endpoints"):
        runtime("web").down(Told())


def test_restart_stops_the_named_ones_only(runtime: MakeRuntime, docker: FakeDocker) -> None:
    own, told = runtime("web", "hog"), Told()
    docker.has([row("web", own), row("hog", own)])
    docker.answer(
        stop={"sets": answers_of([row("web", own, Status="exited"), row("hog", own)])},
        up={"sets": answers_of([row("web", own, StartedAt=STARTED), row("hog", own)])},
    )
    own.restart(["web"], told)
    assert docker.calls("stop")[0][-2:] == ["stop", "web"]
    assert told.lines[:2] == ["web stopping", "web stopped"]
    assert len(docker.calls("up")) == 1


def test_an_unknown_service_is_told_with_the_nearest(
    runtime: MakeRuntime, docker: FakeDocker
) -> None:
    own = runtime("web")
    with pytest.raises(UserError, match="There is no service `wed`"):
        own.restart(["wed"], Told())
    with pytest.raises(UserError, match="There is no service `wed`"):
        list(own.logs(["wed"], 5, follow=False))


def test_logs_are_those_of_each_service_in_order(runtime: MakeRuntime, docker: FakeDocker) -> None:
    own = runtime("web", "job", "new")
    docker.has([row("job", own), row("web", own)])
    docker.answer(logs={"out": "one\n", "err": "two\n"})
    found = list(own.logs([], 5, follow=False))
    assert found == [("web", "one"), ("web", "two"), ("job", "one"), ("job", "two")]


def test_followed_logs_are_told_apart(runtime: MakeRuntime, docker: FakeDocker) -> None:
    own = runtime("web", "job")
    docker.has([row("web", own), row("job", own)])
    text = ("web-1  | a | b\njob-1  | \n     \n\x1b[Kweb-1 exited with code 137\n"
            "plane-api-1  | up-1\nlost the engine\n")  # fmt: skip
    docker.answer(logs={"out": text})
    assert list(own.logs(["web"], 5, follow=True)) == [
        ("web", "a | b"), ("job", ""), ("web", "exited with code 137"), ("plane-api", "up-1"),
        ("", "lost the engine"),
    ]  # fmt: skip
    assert docker.calls("logs")[0][-4:] == ["--follow", "--tail", "5", "web"]


def test_clients_find_what_is_published(runtime: MakeRuntime) -> None:
    variables = runtime("web").client_environment()
    assert variables["WEB_URL"] == "http://127.0.0.1:18080/"
    assert variables["WEB_NAME"] == "web"
    assert "WEB_INNER" not in variables
    assert variables["DO_NOT_TRACK"] == "true"


def test_each_installation_has_its_own_home_of_flows(
    make: Callable[..., Stack], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    data = [tmp_path / "one", tmp_path / "two"]
    homes = {ComposeRuntime(make("web"), Project(tmp_path, one, cache)).flows.home for one in data}
    assert len(homes) == 2
    assert {home.parent for home in homes} == {cache / "prefect-client"}


def test_inside_is_refused_where_bootstrap_does_not_run(
    runtime: MakeRuntime, docker: FakeDocker
) -> None:
    own = runtime("web")
    docker.has([row("web", own)])
    with pytest.raises(UserError, match="bootstrap container does not run"):
        own.inside(["secrets", "list"])
    assert own.site() is None


def test_inside_passes_the_exit_code_on(
    runtime: MakeRuntime, docker: FakeDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = runtime("web")
    monkeypatch.setattr("monolith.runtimes.compose.commands.BOOTSTRAP", "web")
    docker.has([row("web", own)])
    docker.answer(exec={"code": 3})
    assert own.inside(["secrets", "list"]) == 3
    assert docker.calls("exec")[0][-6:] == ["exec", "-T", "web", "monolith", "secrets", "list"]
