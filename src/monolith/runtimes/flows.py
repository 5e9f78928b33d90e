"""The user's own programs: how they find the services, and the environment flows run in."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from monolith.manifest.stack import Entry
from monolith.project import Project
from monolith.runtimes.base import Reporter
from monolith.runtimes.environments import Environments
from monolith.runtimes.passing import past_the_proxy

INTERRUPT_SECONDS = 15
_QUIET = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}


def client_variables(
    entries: Iterable[Entry], text: Callable[[Entry, str], str | None]
) -> dict[str, str]:
    """The `client` variables of services, and the switches that keep SDKs quiet.

    `text` makes a value one for this machine; None: the service is not reached from here.
    """
    found = {
        name: value
        for entry in entries
        for name, template in entry.monolith.client.items()
        if (value := text(entry, template)) is not None
    }
    return found | _QUIET | past_the_proxy(os.environ)


class FlowRunner:
    """Runs Python where flows run. `home` is the folder of their settings and temporary files."""

    def __init__(self, project: Project, home: Path) -> None:
        self.environments = Environments(project.cache)
        self.lock = project.flows / "requirements.lock"
        self.home = home

    def prepare(self, reporter: Reporter) -> None:
        """Install the environment where it is missing."""
        self.environments.ensure([self.lock], reporter)

    def run(
        self, arguments: list[str], client: Mapping[str, str], folder: Path | None, *, capture: bool
    ) -> tuple[int, str]:
        """Run `python ARGUMENTS...`. See `runtimes.base.Runtime.run_python`."""
        programs = self.environments.folder(self.lock) / "bin"
        process = subprocess.Popen(
            [str(programs / "python"), *arguments],
            env={**os.environ, **client, **self._own(programs)}, cwd=folder, text=True,
            stdout=subprocess.PIPE if capture else None,
        )  # fmt: skip
        try:
            out, _ = process.communicate()
        except KeyboardInterrupt:
            # It was interrupted, too, and tells Prefect that its run has ended.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(INTERRUPT_SECONDS)
            process.kill()
            raise
        return process.returncode, out or ""

    def _own(self, programs: Path) -> dict[str, str]:
        path = f"{programs}:{os.environ.get('PATH', os.defpath)}"
        return {"PREFECT_HOME": str(self.home), "MPLCONFIGDIR": str(self.home), "PATH": path}
