"""`portal`: the catalogue of the manifests, or the server in place of this program."""

from __future__ import annotations

import os
import sys

from monolith.cli.session import Session
from monolith.portal import catalogue as catalogues

ADDRESS, PORT = "0.0.0.0", "8000"  # noqa: S104
CGROUPS, CONTAINERS = "/host/cgroup", "/host/containers"


def portal(session: Session, *, catalogue: bool) -> None:
    """Serve, or print the catalogue."""
    if catalogue:
        sys.stdout.write(catalogues.of(session.stack, session.stack_name, str).text())
        return
    # Another program takes the place of this one, without all that is imported here.
    command = [sys.executable, "-I", "-m", "monolith.portal.server"]
    os.execv(sys.executable, [*command, ADDRESS, PORT, CGROUPS, CONTAINERS])  # noqa: S606
