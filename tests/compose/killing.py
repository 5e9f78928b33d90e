"""Runs inside the container of bootstrap, read from standard input: each step in a child process
that is killed right behind one of its first effects, again and again until nothing is left to do.

An effect is what changes something outside the process: a request that is no GET, a statement that
is no SELECT, a file made or given away. Prints how often each step was killed, as JSON.
"""

import http.client
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import httpx
import psycopg

from monolith.bootstrap import reconcile
from monolith.cli.session import Session

LIMIT = 300
PATIENCE = {"plane": 1, "n8n": 1}
"""So many children (else 3) live for one effect, then so many for two, and so on: what several
effects make together (Vault's keys, a root token from them) is cut off everywhere, and then comes
about. Plane takes ten sign-ins a minute, n8n five.
"""


class Silent:
    """A reporter that tells nobody."""

    def step(self, subject: str, text: str) -> None:
        """See Reporter."""

    def done(self, subject: str, text: str) -> None:
        """See Reporter."""


class Life:
    """Ends the process behind so many effects, as a power cut would."""

    def __init__(self, effects: int) -> None:
        self.left = effects

    def spend(self) -> None:
        """One effect has happened."""
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)


def count(life: Life, owner: Any, name: str, counts: Callable[..., bool]) -> None:
    """Let `owner.name` cost life, where it is an effect."""
    work = getattr(owner, name)

    def counted(*words: Any, **options: Any) -> Any:
        result = work(*words, **options)
        if counts(*words, **options):
            life.spend()
        return result

    setattr(owner, name, counted)


def is_change(method: str) -> bool:
    return method.upper() not in ("GET", "HEAD", "LIST")


def arm(life: Life) -> None:
    """Every kind of effect costs life."""
    count(life, httpx.HTTPTransport, "handle_request", lambda _, r, **__: is_change(r.method))
    count(life, http.client.HTTPConnection, "getresponse", lambda c, **_: is_change(c._method))
    count(life, psycopg.Connection, "execute", lambda _, query, *__, **___: not is_query(query))
    for name in ("replace", "rename", "mkdir", "chown", "chmod", "unlink"):
        count(life, os, name, lambda *_, **__: True)


def is_query(statement: Any) -> bool:
    text = statement if isinstance(statement, str | bytes) else statement.as_string(None)
    text = text.decode() if isinstance(text, bytes) else text
    return text.lstrip().upper().startswith(("SELECT", "SET", "WITH"))


def killed(step: str, effects: int) -> bool:
    """Run a step in a child. Whether it was killed; when it failed by itself, so does this."""
    child = os.fork()
    if child == 0:
        try:
            site = Session("", "").runtime.site()
            assert site
            arm(Life(effects))
            failed = [one.reason for one in reconcile.run(site, [step], Silent()) if one.reason]
            sys.stderr.writelines(failed)
            os._exit(len(failed))
        except BaseException as error:
            sys.stderr.write(f"{step}: {error}\n")
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status):
        sys.exit(1)
    return False


def kills(step: str) -> int:
    """How often a step had to be started until it was done."""
    for tries in range(LIMIT):
        if not killed(step, tries // PATIENCE.get(step, 3) + 1):
            return tries
    sys.exit(f"{step} never ends")


print(json.dumps({step: kills(step) for step in sys.argv[1:]}))  # noqa: T201
