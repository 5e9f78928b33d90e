"""Looking at this machine's processes: memory, ports they listen on, what was left behind."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

import psutil

from monolith.runtimes.native.places import INSTANCE, PREPARE

_GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess)


def tree_memory(pid: int) -> int:
    """Bytes that a process and all below it really take (PSS; shared pages counted once)."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(_memory(process) for process in family)


def _memory(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.uss))
    except _GONE:
        return 0


def listening(pid: int) -> set[int]:
    """Ports on which a process or one below it listens."""
    try:
        root = psutil.Process(pid)
        connections = [
            connection
            for process in [root, *root.children(recursive=True)]
            for connection in process.net_connections("tcp")
        ]
    except _GONE:
        return set()
    listen = [one.laddr for one in connections if one.status == psutil.CONN_LISTEN]
    return {address[1] for address in listen if len(address) > 1}


def of_instance(instance: str, *, prepare_only: bool = False) -> list[psutil.Process]:
    """The processes that carry the mark of an installation, without the one that asks."""
    others = (process for process in psutil.process_iter() if process.pid != os.getpid())
    return [
        process
        for process in others
        if _mark(process, INSTANCE) == instance and (not prepare_only or _mark(process, PREPARE))
    ]


def _mark(process: psutil.Process, name: str) -> str:
    try:
        return process.environ().get(name, "")
    except (*_GONE, OSError):
        return ""


def end(processes: Iterable[psutil.Process], patience: float = 10) -> int:
    """End processes, politely first. Returns how many there were."""
    found = list(processes)
    for process in found:
        with contextlib.suppress(*_GONE):
            process.terminate()
    _, stubborn = psutil.wait_procs(found, timeout=patience)
    for process in stubborn:
        with contextlib.suppress(*_GONE):
            process.kill()
    psutil.wait_procs(stubborn, timeout=patience)
    return len(found)
