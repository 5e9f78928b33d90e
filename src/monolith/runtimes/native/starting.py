"""Starting programs: files first, then each one as soon as what it depends on is healthy."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter

from monolith.bootstrap import postgres
from monolith.errors import UserError
from monolith.files import private_folder, write_atomic
from monolith.manifest.stack import Entry, Stack
from monolith.project import ROOT
from monolith.render import traefik
from monolith.runtimes.base import Reporter
from monolith.runtimes.names import LOOPBACK
from monolith.runtimes.native import envfiles, health, identity
from monolith.runtimes.native.places import INSTANCE, PREPARE, Places
from monolith.runtimes.native.plan import Program
from monolith.runtimes.native.supervisor import Supervisor, configuration, tail

START_SECONDS = 180
_WRAPPER = ROOT / "config" / "shared" / "with-secrets"


def order(programs: list[Program]) -> list[str]:
    """Names of the programs, each behind what it depends on."""
    graph = {program.name: program.depends_on for program in programs}
    return list(TopologicalSorter(graph).static_order())


def write_files(stack: Stack, programs: list[Program], places: Places) -> bool:
    """Folders and routes. Returns whether a file changed."""
    own = (places.state / "env", places.temporary, places.routes.parent)
    for folder in (places.state, places.logs, *own):
        private_folder(folder)
    for program in programs:
        for folder in program.folders:
            private_folder(folder)
            identity.own(folder, program.user)
    entries = [stack.services[program.name] for program in programs]
    return write_atomic(places.routes, _routes(stack, entries))


def _routes(stack: Stack, entries: list[Entry]) -> str:
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
    """One run over all programs; each is prepared, started and waited for in its own thread.

    `secrets` gives the secret variables of a service, when what it depends on is healthy; `set_up`
    is called with each service that has started, before it is expected to be healthy.
    """

    def __init__(
        self,
        places: Places,
        supervisor: Supervisor,
        reporter: Reporter,
        secrets: Callable[[str], dict[str, str]],
        set_up: Callable[[str], None],
    ) -> None:
        self.programs: dict[str, Program] = {}
        self.places = places
        self.supervisor = supervisor
        self.reporter = reporter
        self.secrets = secrets
        self.set_up = set_up
        self.cancelled = threading.Event()

    def start_all(self, programs: list[Program]) -> bool:
        """Start in the order of dependence. Returns whether anything was started."""
        self.programs = {program.name: program for program in programs}
        self.cancelled.clear()
        sorter = TopologicalSorter({one.name: one.depends_on for one in programs})
        sorter.prepare()
        with ThreadPoolExecutor(max_workers=len(programs) or 1) as pool:
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
        secrets = self.secrets(name)
        running = self._runs_with(program, secrets)
        if not running:
            self.reporter.step(name, "starting")
            self._prepare(program)
            self._prepare_database(program, secrets)
            self.supervisor.start_program(name)
        self.set_up(name)
        if self._becomes_healthy(program):
            self.reporter.done(name, "healthy")
        return not running

    def _runs_with(self, program: Program, secrets: dict[str, str]) -> bool:
        """Whether it runs with these secrets; they are in its environment file from now on."""
        info = self.supervisor.processes().get(program.name)
        running = info is not None and info.is_alive
        path = self.places.env_file(program.name)
        text = envfiles.text(program, secrets, self.places)
        if running and not envfiles.has_same_secrets(path, text):
            # Before the file is new: when this is interrupted, it is seen that it has to start.
            self.supervisor.stop(program.name)
            running = False
        write_atomic(path, text)
        return running

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

    def _prepare_database(self, program: Program, secrets: dict[str, str]) -> None:
        if not program.database:
            return
        server = self.programs["postgres"]
        password = self.secrets(server.name)["POSTGRES_PASSWORD"]
        address = postgres.Server(LOOPBACK, server.check_port, password)
        own = secrets["DATABASE_PASSWORD"]
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
