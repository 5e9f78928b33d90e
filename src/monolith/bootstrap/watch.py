"""The watcher: keeps an installation as it should be, and is next to nothing while it is.

It asks every few seconds whether Vault is sealed, whether Consul forgot its services, and whether a
manifest was changed. All work is done by `monolith bootstrap` in a process of its own, whose memory
is given back. So nothing but this file and the standard library is imported here.

Usage: python -m monolith.bootstrap.watch OK_FILE VAULT_URL CONSUL_URL (an empty text: not there)
"""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PAUSE_SECONDS = 3.0
# Nothing says so when somebody has changed something by hand.
FULL_SECONDS = 1800.0
SILENT_ROUNDS = 3
RETRY_SECONDS = (5.0, 10.0, 30.0, 60.0)
_TIMEOUT = 3.0


class Watcher:
    """Decides what is run when. `start` starts bootstrap with some steps; `ok` is a file that is
    there while all is well; what `written` returns is another value when a manifest has changed.
    """

    def __init__(
        self,
        ok: Path,
        sealed: Callable[[], bool | None],
        empty: Callable[[], bool],
        written: Callable[[], object],
        start: Callable[[list[str]], subprocess.Popen[bytes]],
        now: float,
    ) -> None:
        self.ok, self.sealed, self.empty, self.start = ok, sealed, empty, start
        self.written = written
        self.known = written()
        self.failures = self.silent = 0
        # What has just been found well need not be looked at at once.
        self.due = now + FULL_SECONDS if ok.exists() else now
        self.unseal_due = now
        self.full: subprocess.Popen[bytes] | None = None

    def look(self, now: float) -> None:
        """One round at `now` (seconds of a clock that never goes back)."""
        sealed = self.sealed()
        self.silent = self.silent + 1 if sealed is None else 0
        if self.silent == SILENT_ROUNDS:
            self.ok.unlink(missing_ok=True)
            self.due = now
        if sealed:
            self.ok.unlink(missing_ok=True)
            self._unseal(now)
        elif not self.failures and self.empty():
            self.due = now
        if self.full is None:
            self._start_when_due(now)
        if self.full is not None and self.full.poll() is not None:
            self._conclude(now, well=self.full.returncode == 0)
            self.full = None

    def _start_when_due(self, now: float) -> None:
        written = self.written()
        if written != self.known:
            # Whoever waits for this service to be healthy waits for what was changed.
            self.ok.unlink(missing_ok=True)
        if written != self.known or now >= self.due:
            self.known = written
            self.full = self.start([])

    def end(self) -> None:
        """End what runs; every step may be ended."""
        if self.full is not None:
            self.full.terminate()
            self.full.wait()

    def _unseal(self, now: float) -> None:
        """At once, also while a full run waits for a server that is slow to start."""
        if now >= self.unseal_due:
            well = self.start(["vault"]).wait() == 0
            self.unseal_due = now if well else now + RETRY_SECONDS[1]
            self.due = now if well else self.due

    def _conclude(self, now: float, *, well: bool) -> None:
        if well:
            self.failures = 0
            self.due = now + FULL_SECONDS
            self.ok.touch()
        else:
            self.ok.unlink(missing_ok=True)
            self.due = now + RETRY_SECONDS[min(self.failures, len(RETRY_SECONDS) - 1)]
            self.failures += 1


def ask(url: str, path: str) -> bytes:
    """The body of the answer to GET; empty when there is none, or no server."""
    address = url.removeprefix("http://")
    connection = http.client.HTTPConnection(address, timeout=_TIMEOUT)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()


def is_sealed(vault: str) -> bool | None:
    """Whether Vault answers that it is sealed; a new one is. None: it does not answer."""
    answer = ask(vault, "/v1/sys/seal-status") if vault else b"not there"
    return b'"sealed":true' in answer if answer else None


def is_empty(consul: str) -> bool:
    """Whether Consul answers that it knows no service."""
    return bool(consul) and ask(consul, "/v1/agent/services").strip() == b"{}"


def manifests(root: Path) -> list[tuple[str, int]]:
    """The stack files and fragments of a project, and when each was written."""
    files = [*root.glob("docker-compose/*.yaml"), *root.glob("config/*/compose*.yaml")]
    return sorted((str(file), _written(file)) for file in files)


def _written(file: Path) -> int:
    """When it was written, in nanoseconds; 0 when it has just gone."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def bootstrap(steps: list[str]) -> subprocess.Popen[bytes]:
    """Start `monolith bootstrap STEPS...`."""
    return subprocess.Popen([sys.executable, "-I", "-m", "monolith", "bootstrap", *steps])


def main(ok: str, vault: str, consul: str) -> None:
    """Watch until a signal says otherwise."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    root = Path(__file__).parents[3]
    watcher = Watcher(
        Path(ok), lambda: is_sealed(vault), lambda: is_empty(consul), lambda: manifests(root),
        bootstrap, time.monotonic(),
    )  # fmt: skip
    try:
        while True:
            watcher.look(time.monotonic())
            time.sleep(PAUSE_SECONDS)
    finally:
        watcher.end()


if __name__ == "__main__":
    main(*sys.argv[1:])
