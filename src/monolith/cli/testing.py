"""`test`: the lanes, each a few commands; what this machine cannot run is left out and said."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import typer

from monolith.cli import screen
from monolith.cli.lanes import Lane, Runner
from monolith.cli.session import Session
from monolith.errors import UserError
from monolith.files import write_atomic
from monolith.runtimes.environments import Environments, uv_program
from monolith.tools.model import find

_OLDEST, _NEWEST = (3, 11), (3, 13)


class Bench:
    """Where tests run: the environments of both Pythons, made when first asked for."""

    def __init__(self, session: Session) -> None:
        self.project = session.project
        self.root = session.project.root
        self.cache = session.project.cache

    def python(self, interpreter: str) -> Path:
        """The Python of an environment with everything in uv.lock, made from `interpreter`."""
        lock = self.cache / "tests" / "requirements.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(lock, self._locked(), 0o644)
        environments = Environments(self.cache, interpreter)
        with screen.Progress() as progress:
            environments.ensure([lock], progress)
        return environments.folder(lock) / "bin" / "python"

    def newer(self) -> str | None:
        """Another Python of the supported ones, the newest found; None when there is none."""
        names = [f"python3.{minor}" for minor in range(_NEWEST[1], _OLDEST[1] - 1, -1)]
        for path in (path for name in names for path in _all_on_path(name)):
            if (version := _version(path)) and version != sys.version_info[:2]:
                return path
        return None

    def _locked(self) -> str:
        command = [uv_program(), "export", "--frozen", "--no-emit-project", "--all-groups",
                   "--quiet", "--format", "requirements.txt"]  # fmt: skip
        return subprocess.run(
            command, cwd=self.root, check=True, capture_output=True, text=True
        ).stdout


def _all_on_path(name: str) -> list[str]:
    """Every program of that name; version managers put shims in front that may refuse."""
    folders = [*os.environ.get("PATH", "").split(":"), *map(str, _pyenv_folders())]
    return [path for folder in folders if (path := shutil.which(name, path=folder))]


def _pyenv_folders() -> list[Path]:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    try:
        return sorted(root.glob("versions/3.*/bin"))
    except OSError:
        return []


def _version(path: str) -> tuple[int, int] | None:
    code = "import sys; print(*sys.version_info[:2])"
    result = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
    if result.returncode:
        return None
    major, minor = result.stdout.split()
    return int(major), int(minor)


def _lint(bench: Bench) -> Lane:
    python = str(bench.python(sys.executable))
    scripts = ["monolith", "tools/lock", ".ci/run", ".ci/engine", *_scripts_of_services(bench)]
    lane = Lane([
        [python, "-m", "ruff", "check"],
        [python, "-m", "ruff", "format", "--check"],
        [python, "-m", "mypy"],
        [python, "-m", "yamllint", "--strict", "config", "docker-compose", "prefect_flows"],
        [sys.executable, "-m", "monolith", "render", "--check"],
    ])  # fmt: skip
    hadolint = [str(Path(python).with_name("hadolint")), "--config", "images/.hadolint.yaml"]
    lane.commands.append([*hadolint, *_below_images(bench, "Dockerfile")])
    for name in ("docker-entrypoint.sh", "python-env", "rootfs"):
        scripts += _below_images(bench, name)
    if shutil.which("shellcheck"):
        lane.commands.append(["shellcheck", *scripts])
    else:
        lane.left_out.append("shellcheck: it is not installed")
    _add_compose(lane)
    return lane


def _scripts_of_services(bench: Bench) -> list[str]:
    files = [path for path in sorted(bench.root.glob("config/*/*")) if path.is_file()]
    scripts = [path for path in files if path.read_bytes().startswith(b"#!/bin/sh")]
    return [str(path.relative_to(bench.root)) for path in scripts]


def _below_images(bench: Bench, name: str) -> list[str]:
    found = [*bench.root.glob(f"images/*/{name}"), *bench.root.glob(f"tests/images/*/{name}")]
    return sorted(str(path.relative_to(bench.root)) for path in found)


def _add_compose(lane: Lane) -> None:
    probe = ["docker", "compose", "version"]
    if (
        shutil.which("docker")
        and not subprocess.run(probe, capture_output=True, check=False).returncode
    ):
        for stack in ("minimal", "full"):
            file = f"docker-compose/docker-compose.{stack}.yaml"
            lane.commands.append(["docker", "compose", "-f", file, "config", "-q"])
    else:
        lane.left_out.append("docker compose config: the Compose plugin is not installed")


def _pytest_on_both(bench: Bench, folder: str) -> Lane:
    pythons = [str(bench.python(sys.executable))]
    lane = Lane()
    if newer := bench.newer():
        pythons.append(str(bench.python(newer)))
    else:
        lane.left_out.append(f"{folder} on a newer Python: only one Python is installed")
    lane.commands = [[python, "-m", "pytest", "-q", "-n", "auto", folder] for python in pythons]
    return lane


def _unit(bench: Bench) -> Lane:
    return _pytest_on_both(bench, "tests/unit")


def _cases(bench: Bench) -> Lane:
    return _pytest_on_both(bench, "tests/cases")


def _rules(bench: Bench) -> Lane:
    """Alerts, computed by the stores' own programs."""
    lane = Lane([[str(bench.python(sys.executable)), "-m", "pytest", "-q", "tests/rules"]])
    missing = [name for name in ("promtool", "loki") if not find(name, bench.project)]
    if not missing:
        return lane
    return Lane(left_out=[f"rules: run ./monolith tools build {' '.join(missing)}"])


def _native(bench: Bench) -> Lane:
    return Lane([[str(bench.python(sys.executable)), "-m", "pytest", "-v", "tests/native"]])


def _on_engine(name: str) -> Callable[[Bench], Lane]:
    """A lane of tests that need a container engine."""

    def lane(bench: Bench) -> Lane:
        probe = ["docker", "info", "--format", "{{.ServerVersion}}"]
        if (
            not shutil.which("docker")
            or subprocess.run(probe, capture_output=True, check=False).returncode
        ):
            return Lane(left_out=[f"{name}: no container engine answers"])
        python = str(bench.python(sys.executable))
        return Lane([[python, "-m", "pytest", "-v", "--durations=15", f"tests/{name}"]])

    return lane


LANES: dict[str, Callable[[Bench], Lane]] = {
    "lint": _lint,
    "unit": _unit,
    "cases": _cases,
    "rules": _rules,
    "native": _native,
    "store": _on_engine("store"),
    "compose": _on_engine("compose"),
    "full": _on_engine("full"),
}


def test(session: Session, names: list[str]) -> None:
    """Run lanes; fail when one fails, in CI also when something is left out."""
    unknown = [name for name in names if name not in LANES]
    if unknown:
        raise typer.BadParameter(f"no lane {', '.join(unknown)}; there are {', '.join(LANES)}")
    bench = Bench(session)
    lanes = {name: LANES[name](bench) for name in names or LANES}
    runner = Runner(bench.root)
    runner.run(lanes)
    _conclude(runner.failed, [text for lane in lanes.values() for text in lane.left_out])


def _conclude(failed: list[str], left_out: list[str]) -> None:
    for text in left_out:
        screen.out.print(f"[yellow]left out[/]  {text}")
    if failed:
        raise UserError(f"Failed: {', '.join(dict.fromkeys(failed))}.", hint="./monolith test LANE")
    if left_out and os.environ.get("CI") == "true":
        hint = "install what is missing above, then ./monolith test"
        raise UserError("In CI nothing may be left out.", hint=hint)
    screen.out.print("[green]All lanes passed.[/]")
