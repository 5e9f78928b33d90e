"""Asking a service for its health: by its own command, over HTTP, or by connecting."""

from __future__ import annotations

import os
import socket
import subprocess

import httpx

from monolith.runtimes.names import LOOPBACK
from monolith.runtimes.native.plan import Program

TIMEOUT = 3.0


def is_healthy(program: Program, *, settled: bool) -> bool:
    """Whether the service works now; one without a check does when its process has settled."""
    if program.check_command:
        return _command_succeeds(program)
    if program.check_path:
        return _answers(f"http://{LOOPBACK}:{program.check_port}{program.check_path}")
    return _accepts(program.check_port) if program.check_port else settled


def _command_succeeds(program: Program) -> bool:
    environment = {"PATH": program.environment.get("PATH", os.defpath)}
    try:
        result = subprocess.run(
            program.check_command,
            env=environment,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=TIMEOUT, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), TIMEOUT):
            return True
    except OSError:
        return False
