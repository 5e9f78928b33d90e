"""STAND-IN for `node` in Plane's live and space images: the same command lines, other programs."""

from __future__ import annotations

import os
import sys

from plane.contract import live_problems, refuse

# Of the options that somebody could want here, those that Node takes from the environment.
TAKEN = ("--max-old-space-size", "--max-semi-space-size", "--max-http-header-size", "--no-warnings")
PROGRAMS = {"apps/live": "live:application", "./build/server/index.js": "space:application"}


def check_options(text: str) -> None:
    """As Node: an option that it does not take from the environment ends it."""
    for option in text.split():
        if option.partition("=")[0] not in TAKEN:
            sys.stderr.write(f"node (stand-in): {option} is not allowed in NODE_OPTIONS\n")
            raise SystemExit(9)


def main(program: str) -> None:
    """Check the options and the environment, then become the server."""
    check_options(os.environ.get("NODE_OPTIONS", ""))
    if program not in PROGRAMS:
        raise SystemExit(f"node (stand-in): knows only {', '.join(PROGRAMS)}")
    if program == "apps/live":
        refuse("plane-live", live_problems(os.environ))
    sys.stdout.write(f"plane stand-in, not Plane: {program}\n")
    port = os.environ.get("PORT", "3000")
    serve = ["uvicorn", PROGRAMS[program], "--app-dir", "/srv/plane", "--no-access-log"]
    os.execvp("uvicorn", [*serve, "--host", "0.0.0.0", "--port", port])


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
