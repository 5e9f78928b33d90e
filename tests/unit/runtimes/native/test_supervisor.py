"""supervisord's own parser understands what is written for it."""

from __future__ import annotations

import os
import shlex
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from supervisor.options import ServerOptions

from monolith.errors import UserError
from monolith.files import private_folder
from monolith.runtimes.native.places import INSTANCE, Places
from monolith.runtimes.native.supervisor import Supervisor, configuration, tail
from tests.unit.conftest import as_root
from tests.unit.runtimes.native.conftest import MakeProgram

FOLDERS = ["plain", "100%d %(here)s", "two words", 'it\'s "quoted"', "a;b#c", "back\\slash", "ไทย"]
WORDS = ["/bin/x y", "it's", '"q"', "100%", "%(here)s", "a # b", "a ; b", "#x", ";", "\\", "", "ไ"]


@pytest.fixture(autouse=True)
def _parser_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """supervisord expands variables of its own environment, too."""
    monkeypatch.setenv("here", "wrong")


def places_in(folder: Path) -> Places:
    places = Places(folder)
    for made in (places.state, places.logs):
        private_folder(made)
    return places


def parsed(text: str, places: Places) -> ServerOptions:
    places.configuration.write_text(text)
    options = ServerOptions()
    options.realize(["-n", "-c", str(places.configuration)], doc="")
    return options


def only_program(options: ServerOptions) -> Any:
    (group,) = options.process_group_configs
    (process,) = group.process_configs
    return process


@pytest.mark.parametrize("name", FOLDERS)
def test_paths_survive_whatever_is_in_them(
    tmp_path: Path, name: str, make_program: MakeProgram
) -> None:
    places = places_in(tmp_path / name)
    program = make_program(cwd=places.data)
    options = parsed(configuration([(program, ["true"])], places), places)
    process = only_program(options)
    assert options.pidfile == str(places.state / "supervisord.pid")
    assert options.logfile == str(places.logs / "supervisord.log")
    assert options.directory == str(places.state)
    assert options.server_configs[0]["file"] == str(places.socket)
    assert process.directory == str(places.data)
    assert process.stdout_logfile == str(places.log("web"))


def test_commands_survive_whatever_is_in_them(tmp_path: Path, make_program: MakeProgram) -> None:
    places = places_in(tmp_path)
    process = only_program(parsed(configuration([(make_program(), WORDS)], places), places))
    assert shlex.split(process.command) == WORDS


def test_only_the_socket_of_its_owner_is_opened(tmp_path: Path, make_program: MakeProgram) -> None:
    places = places_in(tmp_path)
    options = parsed(configuration([(make_program(), ["true"])], places), places)
    (server,) = options.server_configs
    assert server["section"] == "unix_http_server"
    assert server["chmod"] == 0o700


def test_a_program_starts_when_asked_and_is_stopped_with_its_children(
    tmp_path: Path, make_program: MakeProgram
) -> None:
    places = places_in(tmp_path)
    program = make_program(stop_signal="INT")
    process = only_program(parsed(configuration([(program, ["true"])], places), places))
    assert (process.name, process.autostart) == ("web", False)
    assert process.stopsignal == 2
    assert process.killasgroup
    assert process.redirect_stderr


def test_the_configuration_holds_no_secret_and_tells_when_something_changed(
    tmp_path: Path, make_program: MakeProgram
) -> None:
    places = places_in(tmp_path)
    text, other = (
        configuration([(make_program(environment={"TOKEN": value}), ["true"])], places)
        for value in ("first-secret", "other-secret")
    )
    assert "secret" not in text
    assert text != other


@pytest.mark.parametrize("folder", ["two\nlines", "a #b", "a ;b", "a\t#b"])
def test_a_path_that_cannot_be_written_down_is_refused(
    tmp_path: Path, folder: str, make_program: MakeProgram
) -> None:
    with pytest.raises(UserError, match="cannot be told"):
        configuration([(make_program(cwd=tmp_path / folder), ["true"])], Places(tmp_path))


def test_a_command_of_several_lines_is_refused(tmp_path: Path, make_program: MakeProgram) -> None:
    with pytest.raises(UserError, match="cannot be told"):
        configuration([(make_program(), ["sh", "-c", "one\ntwo"])], Places(tmp_path))


def test_nothing_answers_where_nothing_runs(tmp_path: Path) -> None:
    supervisor = Supervisor(Places(tmp_path))
    assert not supervisor.is_running()
    assert supervisor.processes() == {}


@pytest.fixture
def running(tmp_path: Path, make_program: MakeProgram) -> Iterator[Supervisor]:
    """A supervisord with one program, and with its socket in /tmp."""
    places = places_in(tmp_path / ("it's my 100% data " * 5).strip())
    supervisor = Supervisor(places)
    sleeper = [(make_program(cwd=places.data), ["sleep", "600"])]
    supervisor.write_configuration(configuration(sleeper, places))
    supervisor.start()
    yield supervisor
    if supervisor.is_running():
        supervisor.shut_down()


def test_every_process_carries_the_mark_of_its_installation(running: Supervisor) -> None:
    running.start_program("web")
    process = Path("/proc", str(running.processes()["web"].pid))
    # Until then it is a copy of supervisord, or half of a program.
    while not (process / "cmdline").read_text().startswith("sleep"):
        time.sleep(0.01)
    environment = (process / "environ").read_text().split("\0")
    assert f"{INSTANCE}={running.places.data}" in environment
    running.stop("web")
    running.stop("web")
    assert running.processes()["web"].pid == 0


def test_it_leaves_nothing_in_tmp(running: Supervisor) -> None:
    folder = running.places.socket.parent
    assert folder.parent == Path("/tmp")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    running.shut_down()
    assert not running.is_running()
    assert not folder.exists()


@as_root
def test_a_folder_that_somebody_else_has_made_in_tmp_is_not_used(tmp_path: Path) -> None:
    long = Places(tmp_path / ("long-" * 30))
    assert not long.socket.parent.exists()
    long.socket.parent.mkdir()
    try:
        os.chown(long.socket.parent, 12345, -1)
        with pytest.raises(UserError, match="belongs to somebody else"):
            Supervisor(long).start()
    finally:
        long.socket.parent.rmdir()


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert tail(log, 5) == []
    log.write_bytes(b"one\ntwo\n\xff\n")
    assert tail(log, 2) == ["two", "\ufffd"]
    assert tail(log, 0) == []
    assert len(tail(log, 99)) == 3
