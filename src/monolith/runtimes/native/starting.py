"""Starting programs: files first, then each one as soon as what it depends on is healthy."""

from __future__ import annotations

import os
import shlex
import subprocess
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter

from monolith.bootstrap import postgres
from monolith.errors import UserError
from monolith.files import private_folder, write_atomic
from monolith.manifest.stack import Stack
from monolith.project import ROOT
from monolith.render import traefik
from monolith.runtimes.base import Reporter
from monolith.runtimes.names import LOOPBACK
from monolith.runtimes.native import health, identity
from monolith.runtimes.native.places import INSTANCE, PREPARE, Places
from monolith.runtimes.native.plan import Program, offered
from monolith.runtimes.native.supervisor import Supervisor, configuration, tail
from monolith.runtimes.passing import passed_on

START_SECONDS = 180
_WRAPPER = ROOT / "config" / "shared" / "with-secrets"


def order(stack: Stack) -> list[str]:
    """Names of the offered services, each behind what it depends on."""
    names = {entry.name for entry in offered(stack)}
    graph = {name: set(stack.services[name].model.depends_on) & names for name in names}
    return list(TopologicalSorter(graph).static_order())


def write_files(stack: Stack, programs: list[Program], places: Places) -> bool:
    """Folders, environment files and routes. Returns whether a file changed."""
    own = (places.state / "env", places.temporary, places.routes.parent)
    for folder in (places.state, places.logs, *own):
        private_folder(folder)
    changed = False
    for program in programs:
        for folder in program.folders:
            private_folder(folder)
            identity.own(folder, program.user)
        changed |= _write_environment(program, places)
    return changed | write_atomic(places.routes, _routes(stack))


def _write_environment(program: Program, places: Places) -> bool:
    path = places.env_file(program.name)
    values = {"HOME": str(program.folders[0] if program.folders else places.state)}
    # Prefect's worker keeps a folder there that only the first user of a machine could write.
    values["TMPDIR"] = str(places.temporary)
    values |= passed_on(os.environ) | program.environment
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in sorted(values.items())]
    return write_atomic(path, "".join(lines))


def _routes(stack: Stack) -> str:
    entries = offered(stack)
    return traefik.routes(
        stack, entries, lambda entry, port: f"http://{LOOPBACK}:{entry.published().get(port, port)}"
    )


def configure(programs: list[Program], places: Places, supervisor: Supervisor) -> bool:
    """Bring the supervisor up with the configuration of now. Returns whether that was a change."""
    rows = [(program, _words(program, program.command, places)) for program in programs]
    text = configuration(rows, places)
    if supervisor.is_running():
        return supervisor.update(text)
    supervisor.write_configuration(text)
    supervisor.start()
    return True


def _words(program: Program, command: list[str], places: Places) -> list[str]:
    """The command behind its environment file; that is read before the user changes."""
    file = f"SECRETS_FILE={places.env_file(program.name)}"
    user = identity.prefix(program.user, [_WRAPPER, program.installed, *program.folders])
    return ["/usr/bin/env", file, "/bin/sh", str(_WRAPPER), *user, *command]


class Starter:
    """One run over all programs; each is prepared, started and waited for in its own thread."""

    def __init__(
        self,
        stack: Stack,
        programs: list[Program],
        places: Places,
        supervisor: Supervisor,
        reporter: Reporter,
    ) -> None:
        self.stack = stack
        self.programs = {program.name: program for program in programs}
        self.places = places
        self.supervisor = supervisor
        self.reporter = reporter
        self.cancelled = threading.Event()

    def start_all(self) -> bool:
        """Start in the order of dependence. Returns whether anything was started."""
        graph = {name: program.depends_on for name, program in self.programs.items()}
        sorter = TopologicalSorter(graph)
        sorter.prepare()
        with ThreadPoolExecutor(max_workers=len(self.programs)) as pool:
            try:
                return self._run(sorter, pool)
            finally:
                self.cancelled.set()

    def _run(self, sorter: TopologicalSorter[str], pool: ThreadPoolExecutor) -> bool:
        waiting: dict[Future[bool], str] = {}
        started = False
        while sorter.is_active():
            waiting |= {pool.submit(self._start, name): name for name in sorter.get_ready()}
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                started |= future.result()
                sorter.done(waiting.pop(future))
        return started

    def _start(self, name: str) -> bool:
        """One program: prepared, started, healthy. Returns whether it had to be started."""
        program = self.programs[name]
        info = self.supervisor.processes().get(name)
        running = info is not None and info.is_alive
        if not running:
            self.reporter.step(name, "starting")
            self._prepare(program)
            self._prepare_database(program)
            self.supervisor.start_program(name)
        if self._becomes_healthy(program):
            self.reporter.done(name, "healthy")
        return not running

    def _prepare(self, program: Program) -> None:
        if not program.prepare:
            return
        result = subprocess.run(
            _words(program, program.prepare, self.places),
            env={"PATH": os.defpath, INSTANCE: str(self.places.data), PREPARE: "1"},
            cwd="/", umask=0o077, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if result.returncode:
            text = (result.stdout + result.stderr).strip()
            raise UserError(f"{program.name} could not be prepared:\n{text}")

    def _prepare_database(self, program: Program) -> None:
        if not program.database:
            return
        server = self.programs["postgres"]
        password = server.environment["POSTGRES_PASSWORD"]
        address = postgres.Server(LOOPBACK, server.check_port, password)
        own = program.environment["DATABASE_PASSWORD"]
        postgres.ensure(address, postgres.Wanted(program.database, own, program.extensions))

    def _becomes_healthy(self, program: Program) -> bool:
        """Waits for it. False: another program has failed, and nobody waits any more."""
        deadline = time.monotonic() + START_SECONDS
        while not self.cancelled.is_set():
            info = self.supervisor.processes().get(program.name)
            if info is None or info.state in ("FATAL", "EXITED", "STOPPED", "UNKNOWN"):
                raise self._failed(program, info.reason if info else "its supervisor is gone")
            if health.is_healthy(program, settled=info.state == "RUNNING"):
                return True
            if time.monotonic() > deadline:
                raise self._failed(program, f"not healthy after {START_SECONDS} seconds")
            time.sleep(0.2)
        return False

    def _failed(self, program: Program, reason: str) -> UserError:
        self.cancelled.set()
        lines = tail(self.places.log(program.name), 15)
        quoted = "\n".join(f"  | {line}" for line in lines)
        return UserError(
            f"{program.name} did not start: {reason}\n{quoted}".rstrip(),
            hint=f"./monolith logs {program.name}",
        )
