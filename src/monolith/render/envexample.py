"""`docker-compose/.env.example`: every setting with its meaning and its default."""

from __future__ import annotations

from monolith.manifest.stack import Stack
from monolith.settings import OWN

_HEAD = """\
# Settings of this installation. Copy to .env beside this file and change what you need.
# Rendered by `monolith render` from config/*/compose.yaml.
"""


def rows(stack: Stack) -> list[tuple[str, str, str]]:
    """(name, meaning, default) of every setting, the stack's before the command line's own."""
    of_stack = {name: text for name, text in stack.meanings.items() if name not in OWN}
    found = [(name, text, stack.defaults.get(name, "")) for name, text in sorted(of_stack.items())]
    return found + [(name, text, "") for name, text in OWN.items()]


def text(stack: Stack) -> str:
    """The whole file."""
    blocks = [f"# {meaning}\n#{name}={default}\n" for name, meaning, default in rows(stack)]
    return "\n".join([_HEAD, *blocks])
