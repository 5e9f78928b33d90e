"""supervisord: its configuration (pure), and talking to it over its socket."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from monolith.errors import UserError
from monolith.files import private_folder, write_atomic
from monolith.runtimes.native.places import INSTANCE, Places
from monolith.runtimes.native.plan import Program

STOP_SECONDS = 30
# A process that ends sooner is restarted with growing delays, and given up after five of them.
SETTLED_SECONDS = 10
_HEAD = """\
[supervisord]
pidfile={state}/supervisord.pid
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=2
childlogdir={logs}
directory={state}
umask=077
{user}
[unix_http_server]
file={socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
_PROGRAM = """\

[program:{name}]
command={command}
directory={cwd}
environment=_MONOLITH_REVISION="{revision}"
autostart=false
autorestart=true
startsecs={settled}
startretries=5
stopsignal={signal}
stopwaitsecs={stop}
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""


@dataclass(frozen=True)
class ProcessInfo:
    """What supervisord knows of one process. `state` is its word, such as RUNNING or FATAL."""

    state: str
    pid: int
    started: float
    reason: str

    @property
    def is_alive(self) -> bool:
        """Whether the process is there, settled or not."""
        return self.state in ("STARTING", "RUNNING")


def configuration(programs: list[tuple[Program, list[str]]], places: Places) -> str:
    """The whole configuration; each program comes with the words that start it."""
    user = "user=root" if os.geteuid() == 0 else ""
    head = _HEAD.format(
        state=_escaped(places.state), logs=_escaped(places.logs),
        socket=_escaped(places.socket), user=user,
    )  # fmt: skip
    return head + "".join(_section(program, words, places) for program, words in programs)


def _section(program: Program, words: list[str], places: Places) -> str:
    return _PROGRAM.format(
        name=program.name, command=_command(words), cwd=_escaped(program.cwd),
        revision=program.revision, signal=program.stop_signal, stop=STOP_SECONDS,
        settled=SETTLED_SECONDS if program.has_check else 2,
        # supervisord expands this one value twice.
        log=_escaped(_escaped(places.log(program.name))),
    )  # fmt: skip


def _command(words: list[str]) -> str:
    # What looks like a comment is within single quotes, which may be closed and opened there.
    return _escaped(re.sub(r"(?<=\s)(?=[#;])", "''", shlex.join(words)))


def _escaped(value: object) -> str:
    text = str(value)
    if re.search(r"[\r\n]|\s[#;]", text):
        raise UserError(f"The process supervisor cannot be told this text: {text!r}",
                        hint="use another folder, or one line without ` #` and ` ;`")  # fmt: skip
    return text.replace("%", "%%")


def _own_folder(path: Path) -> None:
    """Make it; somebody else may have been there before, since it can be in /tmp."""
    if path.is_symlink() or (path.exists() and path.stat().st_uid != os.geteuid()):
        raise UserError(f"{path} belongs to somebody else.", hint=f"remove {path}")
    private_folder(path)


class Supervisor:
    """The supervisord of one data folder. Calls are short; each opens its own connection."""

    def __init__(self, places: Places) -> None:
        self.places = places

    def is_running(self) -> bool:
        """Whether it answers."""
        try:
            return bool(self._call("getPID"))
        except (OSError, Fault):
            return False

    @property
    def pid(self) -> int:
        """Its process id."""
        return int(self._call("getPID"))

    def start(self) -> None:
        """Start it in the background; it outlives this command."""
        _own_folder(self.places.socket.parent)
        command = [sys.executable, "-m", "supervisor.supervisord", "-c"]
        result = subprocess.run(
            [*command, str(self.places.configuration)],
            env={"PATH": os.defpath, INSTANCE: str(self.places.data)},
            cwd="/", capture_output=True, text=True, check=False,
        )  # fmt: skip
        if result.returncode or not self._answers_within(10):
            text = (result.stdout + result.stderr).strip()
            log = self.places.logs / "supervisord.log"
            raise UserError(f"The process supervisor did not start: {text}", hint=f"see {log}")

    def update(self, text: str) -> bool:
        """Take over a new configuration; changed programs are stopped. Returns if it changed."""
        write_atomic(self.places.configuration, text)
        # Also when the file is as it was: an update may have been interrupted behind it.
        added, altered, removed = self._reloaded()
        for name in [*altered, *removed]:
            self.stop(name)
            self._call("removeProcessGroup", name)
        for name in [*added, *altered]:
            self._call("addProcessGroup", name)
        return bool(added or altered or removed)

    def _reloaded(self) -> tuple[list[str], list[str], list[str]]:
        """Names that are new, changed and gone since the configuration was read."""
        try:
            added, altered, removed = self._call("reloadConfig")[0]
        except Fault as fault:
            raise UserError(
                f"The process supervisor cannot read its configuration: {fault.faultString}",
                hint="if the folder was moved while the platform ran: ./monolith down, then up",
            ) from fault
        return added, altered, removed

    def write_configuration(self, text: str) -> None:
        """Keep a configuration for the next start."""
        write_atomic(self.places.configuration, text)

    def processes(self) -> dict[str, ProcessInfo]:
        """Every program by name; empty when the supervisor does not run."""
        try:
            return {row["name"]: _info(row) for row in self._call("getAllProcessInfo")}
        except OSError:
            return {}

    def start_program(self, name: str) -> None:
        """Ask for a start; does not wait."""
        try:
            self._call("startProcess", name, False)
        except Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise UserError(f"{name} could not be started: {fault.faultString}") from fault

    def stop(self, name: str) -> None:
        """Stop a program and wait until it is gone."""
        try:
            self._call("stopProcess", name, True)
        except Fault as fault:
            if "NOT_RUNNING" not in fault.faultString:
                raise UserError(f"{name} could not be stopped: {fault.faultString}") from fault
        self._wait_until_gone(name)

    def _wait_until_gone(self, name: str) -> None:
        """Somebody else, who was killed, may have asked for the stop that is under way."""
        deadline = time.monotonic() + STOP_SECONDS + 10
        while self._has_process(name) and time.monotonic() < deadline:
            time.sleep(0.1)

    def _has_process(self, name: str) -> bool:
        info = self.processes().get(name)
        return info is not None and info.pid != 0

    def shut_down(self) -> None:
        """End the supervisor itself, and wait until it is gone."""
        self._call("shutdown")
        deadline = time.monotonic() + STOP_SECONDS + 10
        while self.is_running() and time.monotonic() < deadline:
            time.sleep(0.1)
        if not self.places.socket.is_relative_to(self.places.data):
            shutil.rmtree(self.places.socket.parent, ignore_errors=True)

    def _answers_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self.is_running():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def _call(self, method: str, *arguments: object) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self.places.socket}")
        try:
            with ServerProxy("http://127.0.0.1", transport=transport) as proxy:
                return getattr(proxy.supervisor, method)(*arguments)
        except PermissionError:
            owner = self.places.data.stat().st_uid
            raise UserError(
                f"The platform in {self.places.data} belongs to user {owner}.",
                hint="run ./monolith as that user, or set MONOLITH_DATA to a folder of your own",
            ) from None


def _info(row: dict[str, Any]) -> ProcessInfo:
    state = row["statename"]
    started = float(row["start"]) if row["pid"] else 0.0
    return ProcessInfo(state, int(row["pid"]), started, row["spawnerr"] or row["description"])


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a log file; none when there is no file."""
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return []
    return text.splitlines()[-lines:] if lines else []
