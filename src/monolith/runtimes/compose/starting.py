"""`docker compose up`, watched: progress per service, and what is wrong with the ones that fail."""

from __future__ import annotations

import time
from collections.abc import Iterable

from monolith.errors import UserError
from monolith.manifest.stack import Stack
from monolith.runtimes.base import Reporter
from monolith.runtimes.compose import commands, status
from monolith.runtimes.compose.containers import Container
from monolith.runtimes.compose.engine import Engine, Task

WAIT_SECONDS = 1200
"""So long nothing may change while services are waited for; longer than any `start_period`."""
PATIENCE_SECONDS = 30
"""So long a service may stay unhealthy that was so before: what it needs has only now come."""
_POLL_SECONDS = 0.5
_LOG_LINES = 15


class Watch:
    """Follows the containers while they start. `before` are those that were there already."""

    def __init__(
        self, stack: Stack, engine: Engine, reporter: Reporter, before: Iterable[Container]
    ) -> None:
        self.stack = stack
        self.engine = engine
        self.reporter = reporter
        self.before = {container.id: container for container in before}
        self.marks = {container.mark for container in before}
        self.told: dict[str, str] = {}
        self.changed = time.monotonic()

    def start_all(self, lock: int) -> None:
        """Run `docker compose up`, return when all is well. UserError with every service that
        fails, its reason and its last lines.

        Not `--wait`: that fails where a service that ends by itself has ended well, and gives up
        for all when one was unhealthy for a moment.
        """
        with self.engine.task(commands.up(self.engine.file), lock) as task:
            while task.wait(_POLL_SECONDS) is None:
                self._look(patient=True)
            if task.code:
                raise self._not_completed(task)
        self._wait_until_well()

    def _wait_until_well(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._look(patient=time.monotonic() < deadline):
            time.sleep(_POLL_SECONDS)

    def _look(self, *, patient: bool) -> bool:
        """Tell what is new; whether all is well. UserError when waiting longer is of no use."""
        found = self.engine.containers()
        self._tell(found)
        failures = self._failures(found, patient=patient)
        if failures:
            raise self._failed(failures, found)
        rows = status.rows(self.stack, found, {}, 0.0)
        if time.monotonic() > self.changed + WAIT_SECONDS:
            late = f"not healthy after {WAIT_SECONDS} seconds"
            raise self._failed({row.name: late for row in rows if not row.is_well}, found)
        return all(row.is_well for row in rows)

    def _tell(self, found: list[Container]) -> None:
        for container in found:
            entry = self.stack.services.get(container.service)
            if entry:
                self._say(entry.name, *status.progress(entry, container))
            elif container.is_running:
                self._say(container.service, "stopping: not in this stack any more", False)
        for service in self.told.keys() - {container.service for container in found}:
            if service not in self.stack.services:
                self._say(service, "removed", True)

    def _say(self, service: str, text: str, ended: bool) -> None:
        if self.told.get(service) != text:
            self.told[service], self.changed = text, time.monotonic()
            (self.reporter.done if ended else self.reporter.step)(service, text)

    def _failures(self, found: list[Container], *, patient: bool) -> dict[str, str]:
        """Reasons by service. Patient: not of what was so before `up` began."""
        judged = [one for one in found if not (patient and one.mark in self.marks)]
        reasons = {one.service: self._reason(one) for one in judged}
        return {service: reason for service, reason in reasons.items() if reason}

    def _reason(self, container: Container) -> str:
        entry = self.stack.services.get(container.service)
        before = self.before.get(container.id)
        return status.failure(entry, container, before.restarts if before else 0) if entry else ""

    def _not_completed(self, task: Task) -> UserError:
        """Compose gave up: because of services that fail, or it says itself what is wrong."""
        found = self.engine.containers()
        self._tell(found)
        failures = self._failures(found, patient=False) or self._named(task.lines, found)
        if failures:
            return self._failed(failures, found)
        text = "\n".join(f"  | {line}" for line in task.lines[-_LOG_LINES:])
        return UserError(f"`docker compose up` failed:\n{text}", hint="./monolith status")

    def _named(self, lines: list[str], found: list[Container]) -> dict[str, str]:
        """Services that Compose's last line names; they may be starting again by now."""
        said = lines[-1].strip() if lines else ""
        words = said.replace('"', " ").split()
        own = [one for one in found if one.service in self.stack.services]
        named = [one for one in own if {one.service, self.engine.container(one.service)} & {*words}]
        return {
            one.service: status.state_of(self.stack.services[one.service], one)[1] or said
            for one in named
        }

    def _failed(self, reasons: dict[str, str], found: list[Container]) -> UserError:
        ids = {container.service: container.id for container in found}
        told = [_told(name, why, self._log(ids.get(name))) for name, why in reasons.items()]
        return UserError("\n".join(told), hint=f"./monolith logs {next(iter(reasons))}")

    def _log(self, container: str | None) -> list[str]:
        return self.engine.log(container, _LOG_LINES) if container else []


def _told(service: str, reason: str, lines: list[str]) -> str:
    quoted = "\n".join(f"  | {line}" for line in lines)
    return f"{service} did not start: {reason}\n{quoted}".rstrip()
