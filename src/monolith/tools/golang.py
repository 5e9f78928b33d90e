"""Building with Go: the command and its environment are data, one function executes them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from monolith.errors import UserError
from monolith.tools.model import Tool, machine

_TELL_EVERY = 30.0
_LAST_LINES = 12
_READY = "or set MONOLITH_TOOLS to a folder that has the program ready"


def command(tool: Tool, output: Path, go: str = "go") -> list[str]:
    """The words that build `tool` into `output`."""
    tags = ["-tags", ",".join(tool.tags)] if tool.tags else []
    return [go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w",
            *tags, "-o", str(output), tool.package]  # fmt: skip


def environment(tool: Tool, base: Mapping[str, str]) -> dict[str, str]:
    """`base`, with what would change the program's bytes pinned."""
    pinned = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOEXPERIMENT": "",
              "GOOS": sys.platform, "GOARCH": machine(), "GOAMD64": "v1"}  # fmt: skip
    return {**base, **pinned, **tool.environment}


def find_go(tool: Tool, variables: Mapping[str, str]) -> tuple[str, str]:
    """Path and version of a Go that can build `tool`."""
    go = shutil.which("go", path=variables.get("PATH"))
    if not go:
        hint = f"install Go {tool.oldest_go} or newer (https://go.dev/dl) on PATH, {_READY}"
        raise UserError(f"{tool.name} is built by Go, and there is no `go` on PATH.", hint=hint)
    found = _run([go, "env", "GOVERSION"], tool, variables, lambda _: None).strip()
    if _numbers(found) < _numbers(tool.oldest_go):
        told = f"{tool.name} needs Go {tool.oldest_go} or newer; {go} is {found}."
        raise UserError(told, hint=f"install a newer Go (https://go.dev/dl), {_READY}")
    return go, found


def build(tool: Tool, output: Path, base: Mapping[str, str], tell: Callable[[float], None]) -> str:
    """Build `tool` into `output`; `tell` is given the seconds from time to time. Returns which Go
    built it.
    """
    variables = environment(tool, base)
    go, version = find_go(tool, variables)
    _run(command(tool, output, go), tool, variables, tell)
    return version


def _numbers(version: str) -> list[int]:
    """`go1.26.8` or `1.26` -> its numbers; without any (a Go of one's own) it is the newest."""
    found = re.search(r"\d+(\.\d+)*", version)
    return [int(part) for part in found[0].split(".")] if found else [sys.maxsize]


def _run(
    words: list[str], tool: Tool, variables: Mapping[str, str], tell: Callable[[float], None]
) -> str:
    with subprocess.Popen(
        words, cwd=tool.folder, env=variables, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            out, err = _wait(process, tell)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise _failed(tool, err, process.returncode)
    return out


def _wait(process: subprocess.Popen[str], tell: Callable[[float], None]) -> tuple[str, str]:
    began = time.monotonic()
    while True:
        try:
            return process.communicate(timeout=_TELL_EVERY)
        except subprocess.TimeoutExpired:
            tell(time.monotonic() - began)


def _failed(tool: Tool, err: str, code: int) -> UserError:
    lines = [line for line in err.splitlines() if not line.startswith("go: downloading ")]
    text = "\n".join(lines[-_LAST_LINES:]) or f"go ended with exit code {code}"
    hint = "check the network or the module proxy (GOPROXY) and the space on the disk, "
    return UserError(f"{tool.name} could not be built:\n{text}", hint=hint + _READY)
