"""`secrets list`, `show` and `set`. Values come from standard input or a prompt, never argv."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass

import typer

from monolith.bootstrap import secrets as step
from monolith.bootstrap.site import Site
from monolith.cli import screen
from monolith.cli.session import Session
from monolith.errors import UserError
from monolith.manifest import words
from monolith.secrets import generators, store

OWNER, STORE = "bootstrap", "s3"
"""Who keeps what applications issue, and who has keys of its own for everything."""
ISSUED = "issued"
"""What an application gave out, such as an API token; no manifest names it."""


@dataclass(frozen=True)
class Row:
    """One secret. `made` says how: a generator, `issued`, or the template it is filled into."""

    service: str
    key: str
    made: str


def show_all(session: Session, *, as_json: bool) -> None:
    """Names only."""
    site = _site(session, ["list", *["--json"] * as_json])
    found = [row for service in site.stack.services for row in rows(site, service)]
    if as_json:
        keys: dict[str, list[str]] = {}
        for row in found:
            keys.setdefault(row.service, []).append(row.key)
        shown = [{"service": service, "keys": names} for service, names in keys.items()]
        screen.out.print_json(json.dumps({"secrets": shown}))
        return
    width = max((len(row.service) for row in found), default=0)
    for row in found:
        screen.out.print(f"{row.service:<{width}}  {row.key}", markup=False)


def rows(site: Site, service: str) -> list[Row]:
    """The secrets of a service: those of its manifest, then those that were issued to it."""
    named = site.stack.service(service).monolith.secrets
    issued = sorted(site.store.read(service).keys() - named)
    return [Row(service, key, named.get(key, ISSUED)) for key in [*named, *issued]]


def show(session: Session, service: str, key: str) -> None:
    """One value as it is; without a key all of a service as lines for a shell."""
    site = _site(session, ["show", service, *[key] * bool(key)])
    # By its name: a UserError with the nearest one when there is none.
    found = _values(site, site.stack.service(service).name)
    if key:
        _row(site, service, key)
    sys.stdout.write(found.get(key, "") + "\n" if key else step.env_text(found))


def set_value(session: Session, service: str, key: str) -> None:
    """Keep a new value, write the env files anew, and say what makes it take effect."""
    _must_be_hidden()
    site = _site(session, ["set", service, key])
    row = _row(site, service, key)
    _must_be_free(site, row)
    value = _asked(f"{service} {key}")
    before = _environments(site)
    site.store.write(service, site.store.read(service) | {key: value})
    step.write_env_files(site)
    after = _environments(site)
    _tell(service, [name for name in after if after[name] != before[name]])


def _must_be_hidden() -> None:
    if sys.stdin and sys.stdin.isatty() and not sys.stdout.isatty():
        raise UserError(
            "What is typed would be seen: the prompt needs the terminal for its output, too.",
            hint="run it without a pipe, or give the value on standard input",
        )


def _must_be_free(site: Site, row: Row) -> None:
    if row.made != ISSUED and not generators.is_generated(row.made):
        raise UserError(f"{row.key} is put together from other values: {row.made}",
                        hint="set those")  # fmt: skip
    is_fixed = row.key in site.stack.service(row.service).monolith.fixed
    if is_fixed and row.key in site.store.read(row.service):
        told = f"{row.service}'s data were made with its {row.key}; another would not open them."
        raise UserError(told, hint="leave it; one that was lost can be set again")


def _tell(service: str, concerned: list[str]) -> None:
    readers = [name for name in concerned if name != OWNER]
    if not readers:
        told = "Kept. No service is given it: where an application knows it, change it there, too."
        screen.out.print(told)
        return
    restart = f"./monolith restart {' '.join(readers)}"
    # A password in a database has to change before a service uses it, the store's own behind it.
    steps = (
        [restart, "./monolith bootstrap"] if service == STORE else ["./monolith bootstrap", restart]
    )
    screen.out.print(f"Kept. It takes effect with: {' && '.join(steps)}")


def _site(session: Session, arguments: list[str]) -> Site:
    site = session.runtime.site()
    if site is None:
        raise typer.Exit(session.runtime.inside(["secrets", *arguments]))
    return site


def _row(site: Site, service: str, key: str) -> Row:
    known = {row.key: row for row in rows(site, service)}
    if key not in known:
        otherwise = f"one of: {', '.join(known)}" if known else "it has none"
        hint = words.did_you_mean(key, known, otherwise)
        raise UserError(f"{service} has no secret `{key}`.", hint=hint)
    return known[key]


def _values(site: Site, service: str) -> dict[str, str]:
    return site.store.read(service) | store.environment(site.stack, site.store, service)


def _environments(site: Site) -> dict[str, dict[str, str]]:
    names = [entry.name for entry in site.entries() if entry.monolith.secrets]
    return {name: store.environment(site.stack, site.store, name) for name in names}


def _asked(what: str) -> str:
    """The value from a hidden prompt, twice, or from standard input without its last line end."""
    if sys.stdin.isatty():
        value: str = typer.prompt(what, hide_input=True, confirmation_prompt=True)
    else:
        value = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    if not value or "\0" in value:
        raise UserError("That is no value: it is empty, or has a zero byte.",
                        hint="./monolith secrets set NAME KEY <FILE")  # fmt: skip
    return value
