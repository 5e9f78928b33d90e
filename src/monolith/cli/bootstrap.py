"""`bootstrap`: one row for each step, and the watcher."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from typing import NoReturn

import typer

from monolith.bootstrap import consul, reconcile, vault
from monolith.bootstrap.reconcile import Outcome
from monolith.bootstrap.site import Site
from monolith.cli import screen
from monolith.cli.session import Session

OK_FILE = "/run/monolith/bootstrap.ok"
_WIDTH = 80
_FAILED = 1


def bootstrap(session: Session, steps: list[str], *, as_json: bool, watch: bool) -> None:
    """Run steps and print what each did; exit code 1 when one has failed."""
    reconcile.chosen(steps)
    site = session.runtime.site()
    if site is None:
        words = ["bootstrap", *steps, *["--json"] * as_json, *["--watch"] * watch]
        raise typer.Exit(session.runtime.inside(words))
    if watch:
        _become_watcher(site)
    with screen.Progress() as progress:
        outcomes = reconcile.run(site, steps, progress)
    if as_json:
        screen.out.print_json(json.dumps({"steps": [_row(outcome) for outcome in outcomes]}))
    else:
        screen.out.print("\n".join(map(lines, outcomes)), markup=False)
    if any(outcome.reason for outcome in outcomes):
        raise typer.Exit(_FAILED)


def _row(outcome: Outcome) -> dict[str, object]:
    return {
        "name": outcome.step, "state": outcome.state,
        "changes": outcome.changes, "reason": outcome.reason,
    }  # fmt: skip


def lines(outcome: Outcome) -> str:
    """`name  state  changes`, within 80 columns; a reason keeps its own lines."""
    head = f"{outcome.step:<10} {outcome.state:<10} "
    if outcome.reason:
        return head + textwrap.indent(outcome.reason, " " * 4).lstrip()
    text = head + "; ".join(outcome.changes)
    wrapped = textwrap.wrap(
        text, _WIDTH, subsequent_indent=" " * len(head),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return "\n".join(wrapped)


def _become_watcher(site: Site) -> NoReturn:
    """Another program takes the place of this one, without all that is imported here."""
    urls = [_url(site, vault.SERVICE, vault.PORT), _url(site, consul.SERVICE, consul.PORT)]
    command = [sys.executable, "-I", "-m", "monolith.bootstrap.watch", OK_FILE, *urls]
    os.execv(sys.executable, command)  # noqa: S606


def _url(site: Site, service: str, port: int) -> str:
    return site.url(service, port) if site.has(service) else ""
