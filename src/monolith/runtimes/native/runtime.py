"""The native runtime: the verbs, each a short list of steps."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from monolith.bootstrap.site import Site
from monolith.errors import UserError
from monolith.manifest.stack import Stack
from monolith.project import Project
from monolith.runtimes.base import Reporter, ServiceStatus
from monolith.runtimes.environments import Environments
from monolith.runtimes.flows import FlowRunner, client_variables
from monolith.runtimes.native import preflight, processes, starting, status
from monolith.runtimes.native import site as native_site
from monolith.runtimes.native.lock import hold
from monolith.runtimes.native.offers import Offers
from monolith.runtimes.native.places import Places
from monolith.runtimes.native.plan import Planner, Program
from monolith.runtimes.native.supervisor import Supervisor, tail
from monolith.secrets import store as secret_store
from monolith.secrets.store import Store


class NativeRuntime:
    """Runs one stack as processes of this machine. See `runtimes.base.Runtime` for the verbs."""

    name = "native"

    def __init__(self, stack: Stack, project: Project) -> None:
        self.stack = stack
        self.project = project
        self.places = Places(project.data)
        self.environments = Environments(project.cache)
        self.flows = FlowRunner(project, project.data / "prefect-client")
        self.supervisor = Supervisor(self.places)
        self.offers = Offers(stack, project)

    def up(self, reporter: Reporter) -> bool:
        """Start what is not running, wait until all is healthy."""
        preflight.own_data(self.project.data)
        preflight.usable_cache(self.project.cache)
        with hold(self.places.lock, "up"):
            preflight.end_leftovers(self.places, self.supervisor)
            self.offers.take(reporter)
            changed = self.environments.ensure(self._locks(), reporter)
            here = native_site.make_site(self.offers, self.supervisor)
            if not self.offers.has_vault:
                secret_store.ensure(self.stack, here.store)
            return self._start(here, reporter) or changed

    def _start(self, here: Site, reporter: Reporter) -> bool:
        planner = self._planner(here.store)
        programs, watchers = planner.programs(), self._watchers()
        preflight.free_ports(programs, self.supervisor)
        changed = starting.write_files(self.stack, programs, self.places)
        changed |= starting.configure([*programs, *watchers], self.places, self.supervisor)

        def set_up(service: str) -> None:
            if steps := native_site.DURING_UP.get(service):
                native_site.set_up(here, steps, reporter)

        starter = starting.Starter(
            self.places, self.supervisor, reporter, planner.secret_environment, set_up
        )
        changed |= starter.start_all(programs)
        changed |= native_site.set_up(here, native_site.AFTER_UP, reporter)
        self.places.ok.touch()
        return starter.start_all(watchers) or changed

    def _watchers(self) -> list[Program]:
        return [native_site.watcher(self.offers, self.places)] if self.offers.has_vault else []

    def down(self, reporter: Reporter) -> bool:
        """Stop everything in reverse order of dependence, then look that nothing is left."""
        preflight.own_data(self.project.data)
        with hold(self.places.lock, "down"):
            running = self.supervisor.is_running()
            if running:
                self._stop(self._running(), reporter)
                self.supervisor.shut_down()
            left = processes.end(processes.of_instance(str(self.places.data)))
            return running or left > 0

    def restart(self, services: list[str], reporter: Reporter) -> None:
        """Stop the named services (all: none named), then `up`."""
        names = self._offered(services)
        if self.supervisor.is_running():
            with hold(self.places.lock, "restart"):
                self._stop([n for n in self._running() if not names or n in names], reporter)
        self.up(reporter)

    def status(self) -> list[ServiceStatus]:
        """Every service of the stack, offered or not."""
        offered = {program.name: program for program in self._programs()}
        return status.rows(self.offers, offered, self.supervisor)

    def logs(self, services: list[str], lines: int, *, follow: bool) -> Iterator[tuple[str, str]]:
        """The last lines of each service, then, with `follow`, what comes."""
        names = self._offered(services) or [program.name for program in self._programs()]
        files = {name: self.places.log(name) for name in names}
        for name, path in files.items():
            yield from ((name, line) for line in tail(path, lines))
        if follow:
            yield from _follow(files)

    def client_environment(self) -> dict[str, str]:
        """What SDKs need to find the services, and the switches that keep them quiet."""
        return client_variables(self.offers.entries(), self._planner().text)

    def prepare_flows(self, reporter: Reporter) -> None:
        """Install the flows' environment where it is missing."""
        self.flows.prepare(reporter)

    def run_python(
        self, arguments: list[str], *, folder: Path | None = None, capture: bool = False
    ) -> tuple[int, str]:
        """Run `python ARGUMENTS...` with the flows' environment and the addresses of services."""
        return self.flows.run(arguments, self.client_environment(), folder, capture=capture)

    def site(self) -> Site | None:
        """The installation, on loopback."""
        return native_site.make_site(self.offers, self.supervisor)

    def inside(self, arguments: list[str]) -> int:
        """Never asked: the site is seen from here."""
        raise UserError(f"Run it here: ./monolith {' '.join(arguments)}")

    def _planner(self, store: Store | None = None) -> Planner:
        """With a store, it also gives the secrets of services."""

        def secrets(service: str) -> dict[str, str]:
            return secret_store.environment(self.stack, store, service) if store else {}

        return Planner(
            self.stack, self.project, self.environments.folder, secrets, self.offers.tool
        )

    def _programs(self) -> list[Program]:
        """All of them, without secrets; the watcher last."""
        return [*self._planner().programs(), *self._watchers()]

    def _locks(self) -> list[Path]:
        natives = [entry.monolith.native for entry in self.offers.entries()]
        locks = [native.requirements for native in natives if native]
        return [self.project.root / lock for lock in locks if lock]

    def _offered(self, services: list[str]) -> list[str]:
        """The named services; a UserError for one that does not run natively."""
        for entry in map(self.stack.service, services):
            if reason := self.offers.reason(entry):
                raise UserError(f"{entry.name} is not offered natively: {reason}.")
        return services

    def _running(self) -> list[str]:
        """Names of running programs, dependents first."""
        # The watcher before all: it would put right what is being stopped.
        watchers = [watcher.name for watcher in self._watchers()]
        order = [*starting.order(self._planner().programs()), *watchers]
        known = self.supervisor.processes()
        return [name for name in reversed(order) if name in known and known[name].pid]

    def _stop(self, names: list[str], reporter: Reporter) -> None:
        for name in names:
            reporter.step(name, "stopping")
            self.supervisor.stop(name)
            reporter.done(name, "stopped")


def _follow(files: dict[str, Path]) -> Iterator[tuple[str, str]]:
    streams = {name: path.open(errors="replace") for name, path in files.items() if path.exists()}
    for stream in streams.values():
        stream.seek(0, os.SEEK_END)
    while True:
        for name, stream in streams.items():
            yield from ((name, line.rstrip("\n")) for line in stream)
        time.sleep(0.3)
