"""The installation that bootstrap sets up, natively: everything is on loopback."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from monolith.bootstrap.site import Site
from monolith.errors import UserError
from monolith.runtimes.base import Reporter
from monolith.runtimes.names import on_loopback
from monolith.runtimes.native.offers import Offers
from monolith.runtimes.native.places import Places
from monolith.runtimes.native.plan import VAULT, WATCHER, Program
from monolith.runtimes.native.supervisor import Supervisor
from monolith.secrets import keys
from monolith.secrets.store import FileStore, Store

VAULT_PORT = 8200
CONSUL, CONSUL_PORT = "consul", 8500
DURING_UP = {VAULT: ("vault", "secrets")}
"""Steps behind the start of a service, before what depends on it starts."""
AFTER_UP = ("consul", "prefect")
"""Steps when all runs. Databases are made before the program that has one starts."""


def make_store(offers: Offers) -> Store:
    """Vault where it runs, else files. Refuses files when the secrets are in Vault already."""
    data = offers.project.data
    if offers.has_vault:
        # Imported here: a platform of files needs no HTTP client for its secrets.
        from monolith.secrets.vault_store import VaultStore

        return VaultStore(_url(offers, VAULT, VAULT_PORT), keys.FileKeys(data))
    if keys.FileKeys(data).keys() is not None:
        raise UserError(
            "The secrets are in Vault, and its program is not there.",
            hint="./monolith tools build vault (or put it into the folder MONOLITH_TOOLS)",
        )
    return FileStore(Places(data).secrets)


def make_site(offers: Offers, supervisor: Supervisor) -> Site:
    """The installation as this machine sees it."""

    def restart(service: str) -> None:
        supervisor.stop(service)
        supervisor.start_program(service)

    return Site(
        stack=offers.stack,
        data=offers.project.data,
        store=make_store(offers),
        locate=lambda text: _locate(offers, text),
        restart=restart,
        offered=offers.has,
        in_containers=False,
    )


def _url(offers: Offers, service: str, port: int) -> str:
    return _locate(offers, f"http://{offers.stack.service(service).alias}:{port}")


def _locate(offers: Offers, text: str) -> str:
    def port(service: str, inner: int) -> int:
        return offers.stack.services[service].published().get(inner, inner)

    return on_loopback(text, port)


def watcher(offers: Offers, places: Places) -> Program:
    """Unseals Vault again after a crash, and looks after the rest."""
    settings = {**offers.stack.values, "MONOLITH_STACK": str(offers.stack.file),
                "MONOLITH_RUNTIME": "native", "MONOLITH_DATA": str(places.data)}  # fmt: skip
    urls = [
        _url(offers, name, port) if offers.has(offers.stack.service(name)) else ""
        for name, port in ((VAULT, VAULT_PORT), (CONSUL, CONSUL_PORT))
    ]
    return Program(
        name=WATCHER,
        command=[sys.executable, "-I", "-m", "monolith.bootstrap.watch", str(places.ok), *urls],
        environment=settings | {"PATH": os.defpath},
        cwd=places.data,
        check_command=["test", "-f", str(places.ok)],
        installed=Path(sys.prefix),
        depends_on=[], user="", prepare=[], check_port=0, check_path="", ports={}, folders=[],
        configuration="", stop_signal="TERM", database="", extensions=[],
    )  # fmt: skip


def set_up(site: Site, steps: tuple[str, ...], reporter: Reporter) -> bool:
    """Run bootstrap steps; tells only what changes. Raises the first failure as UserError."""
    from monolith.bootstrap import reconcile

    outcomes = reconcile.run(site, steps, _Quiet(reporter))
    for outcome in outcomes:
        if outcome.reason:
            raise UserError(f"{outcome.step} could not be set up: {outcome.reason}")
    return any(outcome.changes for outcome in outcomes)


class _Quiet:
    """Tells of a step when it has changed something, in a row of its own."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def step(self, subject: str, text: str) -> None:
        """See Reporter."""

    def done(self, subject: str, text: str) -> None:
        """See Reporter."""
        if text != "unchanged":
            self._reporter.done(f"setup {subject}", text)
