"""Where the native runtime keeps its own state, and how its processes are told from others."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

INSTANCE = "_MONOLITH_INSTANCE"
"""Variable in every process of an installation; its value is the data folder."""
PREPARE = "_MONOLITH_PREPARE"
"""Variable in the short-lived processes that `up` itself starts."""
_SOCKET_LIMIT = 100


@dataclass(frozen=True)
class Places:
    """Files of the native runtime below one data folder."""

    data: Path

    @property
    def state(self) -> Path:
        """Everything that `up` writes anew."""
        return self.data / "native"

    @property
    def logs(self) -> Path:
        """One log per service."""
        return self.data / "logs"

    @property
    def secrets(self) -> Path:
        """The file store of secrets."""
        return self.data / "secrets"

    @property
    def temporary(self) -> Path:
        """Temporary files of the services."""
        return self.state / "tmp"

    @property
    def lock(self) -> Path:
        """Held by the one command that changes the platform."""
        return self.state / "lock"

    @property
    def configuration(self) -> Path:
        """supervisord's configuration."""
        return self.state / "supervisord.conf"

    @property
    def routes(self) -> Path:
        """Traefik's dynamic configuration."""
        return self.state / "routes" / "routes.yaml"

    @property
    def socket(self) -> Path:
        """supervisord's socket; kept short, because the kernel takes 107 bytes."""
        path = self.state / "supervisor.sock"
        if len(os.fsencode(path)) <= _SOCKET_LIMIT:
            return path
        # Not TMPDIR: every command has to find it, whatever its shell has set.
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        return Path("/tmp") / f"monolith-{os.geteuid()}-{digest}" / "supervisor.sock"  # noqa: S108

    @property
    def loopback(self) -> str:
        """A loopback address that no other installation uses, for ports that nobody chooses."""
        digest = hashlib.sha256(os.fsencode(self.data)).digest()
        return f"127.{64 + digest[0] % 128}.{digest[1]}.{1 + digest[2] % 254}"

    @property
    def ok(self) -> Path:
        """There while the installation is set up as it should be."""
        return self.state / "bootstrap.ok"

    def env_file(self, service: str) -> Path:
        """The whole environment of one service."""
        return self.state / "env" / service

    def log(self, service: str) -> Path:
        """The log of one service."""
        return self.logs / f"{service}.log"
