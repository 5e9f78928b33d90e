"""Ports of this machine: whether one is free, and who holds it."""

from __future__ import annotations

import contextlib
import socket

import psutil

from monolith.errors import Problem
from monolith.runtimes.names import LOOPBACK

SOMEBODY = "a program of another user"


def is_port_free(port: int, *, published: bool = False) -> bool:
    """Whether a server could listen on the loopback port now. Published: the engine listens, which
    may do so below 1024, too.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except PermissionError:
            return published
        except OSError:
            return False
    return True


def port_holder(port: int) -> str:
    """Why a port is not free: who listens on it, in words."""
    with contextlib.suppress(psutil.AccessDenied):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,):
                return _described(connection.pid)
        if port < 1024:
            return "the system: ports below 1024 are for root"
    return SOMEBODY


def _described(pid: int | None) -> str:
    if pid is None:
        return SOMEBODY
    try:
        process = psutil.Process(pid)
        return f"{process.name()} (pid {process.pid}, user {process.username()})"
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return SOMEBODY


def taken(service: str, port: int, variable: str, holder: str) -> Problem:
    """The problem of a service whose port is held by `holder`; `variable` would change it."""
    other = port + 10000 if port < 55536 else port - 10000
    setting = f"{variable}={other} in docker-compose/.env" if variable else "in its compose.yaml"
    fix = f"end it, or choose another port: {setting}"
    return Problem(f"port {port} free for {service}", f"held by {holder}", fix)
