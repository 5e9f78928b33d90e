"""The steps in their order. Each looks before it acts, and may be run, or killed, at any time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Literal

from filelock import FileLock, Timeout

from monolith.bootstrap.site import Site
from monolith.errors import UserError
from monolith.files import private_folder
from monolith.manifest import words
from monolith.runtimes.base import Reporter

_QUIET_SECONDS = 2


@dataclass(frozen=True)
class Step:
    """One system that is set up, by `ensure(site)` of the module of the same name.

    `needs` is the service without which there is nothing to do; when a step fails that
    `stands_under` the others, these are not tried.
    """

    name: str
    needs: str = ""
    stands_under: bool = False

    def ensure(self, site: Site) -> list[str]:
        """Set it up. Returns the changes in words."""
        # Imported here: each brings a library of its own, and few are wanted at a time.
        changes: list[str] = import_module(f"monolith.bootstrap.{self.name}").ensure(site)
        return changes


@dataclass(frozen=True)
class Outcome:
    """What a step did: its changes in words, none when all was as wanted; or why it failed."""

    step: str
    changes: list[str] = field(default_factory=list)
    reason: str = ""

    @property
    def state(self) -> Literal["changed", "unchanged", "failed"]:
        """One word for it."""
        if self.reason:
            return "failed"
        return "changed" if self.changes else "unchanged"


STEPS = [
    Step("folders", stands_under=True),
    Step("vault", "vault", stands_under=True),
    Step("secrets", stands_under=True),
    Step("databases", "postgres"),
    Step("consul", "consul"),
    Step("probes", "blackbox-exporter"),
    Step("prefect", "prefect"),
    Step("s3", "s3"),
    Step("artifacts", "s3"),
    Step("plane", "plane-api"),
    Step("label_studio", "label-studio"),
    Step("webhooks", "n8n"),
    Step("n8n", "n8n"),
]


def run(site: Site, names: Sequence[str], reporter: Reporter) -> list[Outcome]:
    """Run the named steps, or all, in order. Raises UserError only for an unknown name."""
    return list(_run(site, chosen(names), reporter))


def chosen(names: Sequence[str]) -> list[Step]:
    """The named steps in their order; all when none is named."""
    known = [step.name for step in STEPS]
    for name in names:
        if name not in known:
            hint = words.did_you_mean(name, known, f"one of: {', '.join(known)}")
            raise UserError(f"There is no bootstrap step `{name}`.", hint=hint)
    return [step for step in STEPS if not names or step.name in names]


def _run(site: Site, steps: list[Step], reporter: Reporter) -> Iterator[Outcome]:
    for step in steps:
        if step.needs and not site.has(step.needs):
            continue
        outcome = _outcome(step, site, reporter)
        yield outcome
        if outcome.reason and step.stands_under:
            return


def _outcome(step: Step, site: Site, reporter: Reporter) -> Outcome:
    reporter.step(step.name, "looking")
    try:
        with _alone(step, site, reporter):
            outcome = Outcome(step.name, step.ensure(site))
    except UserError as error:
        outcome = Outcome(step.name, reason=str(error))
    told = outcome.reason.partition("\n")[0] or words.cut("; ".join(outcome.changes))
    reporter.done(step.name, told or "unchanged")
    return outcome


@contextlib.contextmanager
def _alone(step: Step, site: Site, reporter: Reporter) -> Iterator[None]:
    """One at a time sets a system up, from whichever container or shell.

    Not one for all steps: what one waits for may need another.
    """
    folder = private_folder(site.data / "bootstrap")
    lock = FileLock(folder / f"{step.name}.lock")
    try:
        lock.acquire(timeout=_QUIET_SECONDS)
    except Timeout:
        reporter.step(step.name, "waiting: another bootstrap is at it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
