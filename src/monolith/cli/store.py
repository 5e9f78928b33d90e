"""`store status` and `store migrate`; `store copy` is what the platform's container runs for it."""

from __future__ import annotations

import json

import typer
from filelock import FileLock, Timeout

from monolith.bootstrap import s3, waiting
from monolith.bootstrap.site import Site
from monolith.cli import project, screen
from monolith.cli.session import Session
from monolith.errors import UserError
from monolith.files import private_folder
from monolith.manifest import words
from monolith.runtimes.compose.runtime import ComposeRuntime
from monolith.store import beside
from monolith.store.copying import Copier
from monolith.store.ledger import Ledger
from monolith.store.migrate import Migration, holders
from monolith.store.model import Server

# The last step of a large upload is put together there.
_PATIENCE = 600.0


def status(session: Session, *, as_json: bool) -> None:
    """Which program the store is, what may take its place, and which data folders there are."""
    found = [
        {
            "store": kind,
            "in_use": kind == _kind(session),
            "data": str(folder) if (folder := session.project.data / kind).exists() else "",
        }
        for kind in _offered(session)
    ]
    if as_json:
        screen.out.print_json(json.dumps({"stores": found}))
        return
    for one in found:
        use = "in use" if one["in_use"] else "offered"
        screen.out.print(f"{one['store']:<10}  {use:<7}  {one['data'] or 'no data'}", markup=False)


def migrate(session: Session, other: str) -> None:
    """Copy everything to the other store, check it, and switch the stack files to it."""
    kind = _kind(session)
    if other not in (offered := _offered(session)):
        hint = words.did_you_mean(other, offered, f"one of: {', '.join(offered)}")
        raise UserError(f"There is no store `{other}`.", hint=hint)
    if other == kind:
        screen.out.print(f"The object store is {kind} already.")
        return
    runtime = session.runtime_alone()
    if not isinstance(runtime, ComposeRuntime):
        raise UserError("Natively there is no object store.", hint="use --runtime compose")
    entry = beside.load(session.project.root, other, session.settings)
    with screen.Progress() as progress:
        migration = Migration(
            runtime.engine, session.stack, session.project.root, kind, other, entry, progress
        )
        code = migration.run()
    if not code:
        # What is watched of a store differs; it is rendered from the stack files as they are now.
        project.render(session, check=False)
    _conclude(session, kind, other, code)


def _conclude(session: Session, kind: str, other: str, code: int) -> None:
    if code:
        told = "Nothing was switched. ./monolith up starts what was stopped; or run it again."
        screen.err.print(told)
        raise typer.Exit(code)
    names = ", ".join(holders(session.stack))
    screen.out.print(f"All objects are in {other}, and the stack files include it.", markup=False)
    screen.out.print(f"What has a key is stopped: {names}", markup=False)
    screen.out.print(f"The former data stay in {session.project.data / kind}.", markup=False)
    screen.out.print("next: ./monolith up", markup=False)


def copy(session: Session, other: str, run: str, *, final: bool) -> None:
    """Copy from the store that runs to the one beside it."""
    site = session.runtime.site()
    if site is None:
        raise UserError("Only for the platform's container.", hint="./monolith store migrate")
    source = _server(site, site.address(s3.SERVICE, s3.PORT))
    target = _server(site, f"{beside.ALIAS}:{beside.PORT}")
    path = private_folder(site.data / "store") / f"{_kind(session)}-to-{other}.sqlite"
    try:
        with FileLock(f"{path}.lock", timeout=0), s3.told(), screen.Progress() as progress:
            ledger = Ledger(path, run)
            copier = Copier(source, target, ledger, progress)
            try:
                copier.settle() if final else copier.round()
            finally:
                ledger.close()
    except Timeout:
        told = "Another copying is under way, perhaps of a command that was killed."
        raise UserError(told, hint="wait for its end, then run it again") from None


def _server(site: Site, address: str) -> Server:
    keys = (site.secret(s3.SERVICE, key) for key in (s3.USER, s3.PASSWORD))
    server = Server(address, *keys, patience=_PATIENCE)
    waiting.until(server.ready, f"{address} answers")
    return server


def _kind(session: Session) -> str:
    return session.stack.service(s3.SERVICE).monolith.store or ""


def _offered(session: Session) -> list[str]:
    folder = session.project.root / "config"
    return [kind for kind in s3.KEYS if (folder / kind / "compose.yaml").is_file()]
