"""Runs inside the container of bootstrap, read from standard input: each step in a child process
that is killed right behind its first effect, again and again until nothing is left to do.

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


class Silent:
    """A reporter that tells nobody."""

    def step(self, subject: str, text: str) -> None:
        """See Reporter."""

    def done(self, subject: str, text: str) -> None:
        """See Reporter."""


def die_behind(owner: Any, name: str, counts: Callable[..., bool]) -> None:
    """Let `owner.name` do its work once more, then end the process as a power cut would."""
    work = getattr(owner, name)

    def last_work(*words: Any, **options: Any) -> Any:
        result = work(*words, **options)
        if counts(*words, **options):
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, last_work)


def is_change(method: str) -> bool:
    return method.upper() not in ("GET", "HEAD", "LIST")


def arm() -> None:
    """Every kind of effect is the last thing the process does."""
    die_behind(httpx.HTTPTransport, "handle_request", lambda _, r, **__: is_change(r.method))
    die_behind(http.client.HTTPConnection, "getresponse", lambda c, **_: is_change(c._method))
    die_behind(psycopg.Connection, "execute", lambda _, query, *__, **___: not is_query(query))
    for name in ("replace", "rename", "mkdir", "chown", "chmod", "unlink"):
        die_behind(os, name, lambda *_, **__: True)


def is_query(statement: Any) -> bool:
    text = statement if isinstance(statement, str | bytes) else statement.as_string(None)
    text = text.decode() if isinstance(text, bytes) else text
    return text.lstrip().upper().startswith(("SELECT", "SET", "WITH"))


def killed(step: str) -> bool:
    """Run a step in a child. Whether it was killed; when it failed by itself, so does this."""
    child = os.fork()
    if child == 0:
        try:
            site = Session("", "").runtime.site()
            arm()
            reconcile.run(site, [step], Silent())
        except BaseException as error:
            sys.stderr.write(f"{step}: {error}\n")
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status):
        sys.exit(1)
    return False


def kills(step: str) -> int:
    """How often a step had to be started until it was done."""
    for count in range(LIMIT):
        if not killed(step):
            return count
    sys.exit(f"{step} never ends")


print(json.dumps({step: kills(step) for step in sys.argv[1:]}))  # noqa: T201
