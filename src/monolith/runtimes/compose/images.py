"""Images that are missing: pulled, or built where the manifest says how."""

from __future__ import annotations

from monolith.errors import UserError
from monolith.manifest.stack import Entry, Stack
from monolith.runtimes.base import Reporter
from monolith.runtimes.compose import commands
from monolith.runtimes.compose.engine import Engine

_LINES = 6


def ensure(stack: Stack, engine: Engine, lock: int, reporter: Reporter) -> None:
    """Get what is missing, before any container changes."""
    missing = _missing(stack, engine)
    # Several services may run one image, and not each of them says how it is built.
    builds = {entry.model.image: entry.name for entry in missing if entry.model.build}
    pulls = [entry for entry in missing if entry.model.image not in builds]
    if pulls:
        _pull(pulls, engine, lock, reporter)
    if builds:
        _build([*builds.values()], engine, lock, reporter)
    if stand_ins := _stand_ins(stack, engine):
        reporter.done("images", f"stand-ins for tests: {', '.join(stand_ins)} (docs/how-to.md)")


def _stand_ins(stack: Stack, engine: Engine) -> list[str]:
    """Images that tests have made under the names of what no registry of packages has."""
    made = set(engine.run(commands.stand_ins()).stdout.split())
    names = {entry.model.image.removeprefix("docker.io/") for entry in stack.services.values()}
    return sorted(name.rpartition("/")[2].partition(":")[0] for name in names & made)


def _missing(stack: Stack, engine: Engine) -> list[Entry]:
    """The services whose image is not present."""
    names = dict.fromkeys(entry.model.image for entry in stack.services.values())
    absent = {name for name in names if not engine.has_image(name)}
    return [entry for entry in stack.services.values() if entry.model.image in absent]


def _pull(entries: list[Entry], engine: Engine, lock: int, reporter: Reporter) -> None:
    images = list(dict.fromkeys(entry.model.image for entry in entries))
    reporter.step("images", f"pulling {len(images)}")
    words = commands.pull(engine.file, [entry.name for entry in entries])
    code, lines = engine.finish(words, lock)
    left = [image for image in images if not engine.has_image(image)]
    if code and left:
        names = "\n".join(f"  {image}" for image in left)
        raise UserError(
            f"Nothing was started. Images are neither here nor can they be pulled:\n{names}\n"
            f"{_quoted(lines)}",
            hint="./monolith images build (from package registries), or check the network",
        )
    reporter.done("images", f"pulled {len(images)}")


def _build(services: list[str], engine: Engine, lock: int, reporter: Reporter) -> None:
    reporter.step("images", f"building for {', '.join(services)}")
    code, lines = engine.finish(commands.build(engine.file, services), lock)
    if code:
        raise UserError(
            f"Nothing was started. An image could not be built:\n{_quoted(lines)}",
            hint=f"./monolith images build, or see it all: {_typed(engine, services)}",
        )
    reporter.done("images", "built")


def _typed(engine: Engine, services: list[str]) -> str:
    return f"cd {engine.folder} && docker compose -f {engine.file} build {' '.join(services)}"


def _quoted(lines: list[str]) -> str:
    return "\n".join(f"  | {line}" for line in lines[-_LINES:])
