"""The environment of each program, in a file that `config/shared/with-secrets` reads.

Its first line tells which secrets are in it: a program that runs with others is started again. What
else is in it is part of the program's revision, or, as a proxy, is taken up at the next start.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from pathlib import Path

from monolith.runtimes.native.places import Places
from monolith.runtimes.native.plan import Program
from monolith.runtimes.passing import passed_on


def text(program: Program, secrets: dict[str, str], places: Places) -> str:
    """The whole file."""
    values = {"HOME": str(program.folders[0] if program.folders else places.state)}
    # Prefect's worker keeps a folder there that only the first user of a machine could write.
    values["TMPDIR"] = str(places.temporary)
    values |= passed_on(os.environ) | program.environment | secrets
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in sorted(values.items())]
    return _mark(secrets) + "".join(lines)


def has_same_secrets(path: Path, wanted: str) -> bool:
    """Whether the file at `path` holds the secrets of the text `wanted`."""
    return path.is_file() and _first_line(path.read_text()) == _first_line(wanted)


def _mark(secrets: dict[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(secrets, sort_keys=True).encode()).hexdigest()[:16]
    return f"# secrets {digest}\n"


def _first_line(content: str) -> str:
    return content.partition("\n")[0]
