"""The operator's settings: `docker-compose/.env`, and above it the environment."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from monolith.errors import Problem, UserError, shown

PREFIX = "MONOLITH_"
OWN = {
    "MONOLITH_DATA": "Folder of all data, an absolute path (default: `data` beside the code).",
    "MONOLITH_CACHE": "Folder of downloaded programs, shared by all clones of one user.",
    "MONOLITH_TOOLS": "Folder of ready server programs, taken (if their sum is right), not built.",
    "MONOLITH_RUNTIME": "`native` or `compose`, instead of what is found.",
    "MONOLITH_STACK": "The stack, when `--stack` is not given (default: `minimal`).",
    "MONOLITH_PYTHON": "The Python that `./monolith` uses (in the environment only).",
}
"""Variables that the command line reads itself, and their meaning."""

_LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_]\w*)=(?P<value>.*)")
_QUOTED = re.compile(r"""(?P<quote>['"])(?P<text>((?!(?P=quote)).)*)(?P=quote)\s*(#.*)?""")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"({_LABEL}\.)*(?=[a-z]){_LABEL}")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_FOLDER = re.compile(r"/[^:\x00-\x1f\x7f]*")
_TEXT = re.compile(r"[^\x00-\x1f\x7f]*")


@dataclass(frozen=True)
class _Form:
    """How the values of some settings have to look, in code, in words, and an example."""

    names: str
    fits: Callable[[str], object]
    expected: str
    example: str


_FORMS = [
    _Form("MONOLITH_DOMAIN", _HOST.fullmatch,
          "a host name (lower-case letters, digits, - and dots), no URL and no IP address",
          "monolith.localhost"),
    _Form(r"MONOLITH_\w+_PORT", lambda text: _PORT.fullmatch(text) and int(text) <= 65535,
          "a port number from 1 to 65535", "8080"),
    _Form("MONOLITH_DATA", _FOLDER.fullmatch,
          "an absolute path without `:`", "/srv/monolith"),
    _Form("MONOLITH_ENGINE_DATA", _FOLDER.fullmatch,
          "an absolute path without `:`", "/var/lib/docker"),
    _Form("MONOLITH_(CACHE|TOOLS)", _FOLDER.fullmatch,
          "an absolute path without `:`", "/srv/programs"),
    _Form(r"MONOLITH_\w+", _TEXT.fullmatch,
          "one line of text", "..."),
]  # fmt: skip
"""The first form whose names fit is the one of a setting."""


@dataclass(frozen=True)
class Settings:
    """Values by variable name, and where each was set (file and line, or the environment)."""

    values: dict[str, str]
    places: dict[str, tuple[str, int]] = field(default_factory=dict)


class _LineError(ValueError):
    """A line that cannot be read: expected, next."""


def load(env_file: Path, base: Path) -> Settings:
    """Read `env_file` (it may be absent); variables of the environment win, as in Compose."""
    settings = Settings({}, {})
    problems = list(_read(env_file, shown(env_file, base), settings))
    for key, value in os.environ.items():
        if key.startswith(PREFIX):
            settings.values[key], settings.places[key] = value, ("environment", 0)
    problems += _wrong_values(settings)
    if problems:
        raise UserError("The settings cannot be used.", problems)
    return settings


def _read(path: Path, name: str, settings: Settings) -> Iterator[Problem]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return
    except OSError as error:
        fix = f"see what it is: ls -ld {name}"
        yield Problem("a file that can be read", str(error.strerror), fix, name)
        return
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        found = f"the byte 0x{error.object[error.start]:02x}"
        yield Problem("UTF-8 text", found, f"save {name} as UTF-8", name, "", line)
        return
    yield from _read_lines(text, name, settings)


def _read_lines(text: str, name: str, settings: Settings) -> Iterator[Problem]:
    for number, line in enumerate(text.split("\n"), 1):
        try:
            if pair := _parse(line.strip()):
                settings.values[pair[0]], settings.places[pair[0]] = pair[1], (name, number)
        except _LineError as error:
            expected, fix = error.args
            yield Problem(expected, line.strip()[:60], fix, name, "", number)


def _parse(line: str) -> tuple[str, str] | None:
    if not line or line.startswith("#"):
        return None
    match = _LINE.fullmatch(line)
    if not match:
        raise _LineError("NAME=value", "write NAME=value without spaces around =, or # before it")
    return match["name"], _unquote(match["name"], match["value"])


def _unquote(name: str, text: str) -> str:
    if not text.lstrip().startswith(("'", '"')):
        return _literal(name, re.sub(r"\s+#.*$", "", text).strip())
    quoted = _QUOTED.fullmatch(text.strip())
    if not quoted:
        raise _LineError("a value in one pair of quotes", "close the quote on the same line")
    return quoted["text"] if quoted["quote"] == "'" else _literal(name, quoted["text"])


def _literal(name: str, text: str) -> str:
    """`text`, unless Compose would put something else in its place."""
    if "$" in text or "\\" in text:
        fix = f"remove them, or write single quotes: {name}='...'"
        raise _LineError("a value without $ and \\", fix)
    return text


def _wrong_values(settings: Settings) -> Iterator[Problem]:
    for name, value in settings.values.items():
        form = next((form for form in _FORMS if re.fullmatch(form.names, name)), None)
        if form and value and not form.fits(value):
            found = json.dumps(value, ensure_ascii=False)
            fix = f"write {name}={form.example}, for example"
            yield Problem(form.expected, found, fix, *_place(settings, name))


def _place(settings: Settings, name: str) -> tuple[str, str, int]:
    file, line = settings.places[name]
    return file, name, line
