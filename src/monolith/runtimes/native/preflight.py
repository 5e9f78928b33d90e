"""What is looked at before anything starts. Nothing of it has an effect on services that run."""

from __future__ import annotations

import os
from pathlib import Path

from monolith.errors import Problem, UserError
from monolith.runtimes import ports
from monolith.runtimes.native import processes
from monolith.runtimes.native.places import Places
from monolith.runtimes.native.plan import Program
from monolith.runtimes.native.supervisor import Supervisor


def own_data(data: Path) -> None:
    """The data folder can be written, and belongs to whoever runs the platform."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        owner = data.stat().st_uid
    except OSError as error:
        problem = Problem("a folder that can be made", str(error), "choose another MONOLITH_DATA")
        raise UserError(f"The data folder {data} cannot be used.", [problem]) from error
    if owner != os.geteuid():
        found = f"it belongs to user {owner}, you are user {os.geteuid()}"
        fix = "run as that user, or set MONOLITH_DATA to a folder of your own"
        problem = Problem("a data folder of your own", found, fix, str(data))
        raise UserError("The data folder belongs to somebody else.", [problem])


def usable_cache(cache: Path) -> None:
    """The cache is where every application can live: MLflow's migrations fail below a `%`."""
    if "%" in str(cache):
        fix = "set MONOLITH_CACHE=/var/tmp/monolith, for example"
        problem = Problem("a cache folder without % in its path", str(cache), fix)
        raise UserError("MLflow cannot be installed there.", [problem])


def end_leftovers(places: Places, supervisor: Supervisor) -> None:
    """End what a killed supervisor or a killed `up` has left behind."""
    alone = not supervisor.is_running()
    processes.end(processes.of_instance(str(places.data), prepare_only=not alone))


def free_ports(programs: list[Program], supervisor: Supervisor) -> None:
    """Every port is free, or it is the service itself that listens there."""
    pids = {name: info.pid for name, info in supervisor.processes().items()}
    own = {name: processes.listening(pid) if pid else set() for name, pid in pids.items()}
    problems = [
        ports.taken(program.name, port, variable, ports.port_holder(port))
        for program in programs
        for port, variable in program.ports.items()
        if port not in own.get(program.name, ()) and not ports.is_port_free(port)
    ]
    if problems:
        raise UserError("Nothing was started: a port is taken.", problems)
