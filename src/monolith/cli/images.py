"""`images build` and `images list`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from monolith.cli import screen
from monolith.cli.session import Session
from monolith.images import commands, engine, model
from monolith.images.workshop import Found, Workshop

COLUMNS = ("image", "state", "from")
# Of a commit without a tag: v0.0.0-20260212201848-7aac2a2c5b7c, or v1.5.1-0.2026... behind an old
# tag that says nothing about it.
_COMMIT_VERSION = re.compile(r"^v.*[-.](\d{4})(\d\d)(\d\d)\d{6}-[0-9a-f]{12}$")


def build(session: Session, names: list[str]) -> None:
    """Make the named images, or all; say what each is made from."""
    images = model.load_all(session.project.root)
    chosen = model.choose(images, names)
    engine.require()
    with screen.Progress() as progress:
        workshop = _workshop(session, progress)
        workshop.make(chosen)
    _print([workshop.look(image) for image in chosen])


def show(session: Session, *, as_json: bool) -> None:
    """Print a row per image."""
    engine.require()
    workshop = _workshop(session, screen.Progress())
    found = [workshop.look(image) for image in model.load_all(session.project.root).values()]
    if as_json:
        screen.out.print_json(json.dumps({"images": [entry(one) for one in found]}))
    else:
        _print(found)


def _workshop(session: Session, progress: screen.Progress) -> Workshop:
    ready = session.settings.values.get("MONOLITH_TOOLS")
    return Workshop(session.project, Path(ready) if ready else None, progress)


def entry(found: Found) -> dict[str, object]:
    """Shape of one entry under `images` in `--json` output. `size` is in bytes; `source` and
    `version` are empty for an image that was pulled.
    """
    image, present = found.image, found.present
    made = present and found.state in ("ready", "stale")
    version = present.labels.get(commands.VERSION, "") if present and made else image.version()
    return {
        "name": image.name,
        "image": image.reference,
        "state": found.state,
        "source": "" if found.state == "pulled" else image.source,
        "version": "" if found.state == "pulled" else version,
        "size": present.size if present else 0,
    }


def _print(found: list[Found]) -> None:
    screen.out.print("\n".join(lines([row(one) for one in found])), markup=False)


def row(found: Found) -> dict[str, str]:
    """Image, state and origin of one image, short enough for 80 columns: its name without registry
    and owner.
    """
    shown = entry(found)
    version = _COMMIT_VERSION.sub(r"\1-\2-\3", str(shown["version"]))
    origin = f"{shown['source']} {version}".strip() or "a registry"
    name = found.image.short.rpartition("/")[2]
    return {"image": name, "state": found.state, "from": origin}


def lines(rows: list[dict[str, str]]) -> Iterator[str]:
    """Aligned columns; a name is never cut, however narrow the terminal is."""
    header = {column: column for column in COLUMNS}
    widths = {column: max(len(row[column]) for row in [header, *rows]) for column in COLUMNS}
    for one in [header, *rows]:
        yield "  ".join(f"{one[column]:<{widths[column]}}" for column in COLUMNS).rstrip()
