"""./monolith: from a fresh clone to the command line, whoever calls it from where."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.conftest import ROOT, SOURCE

UV = next(
    (
        str(path)
        for path in (Path(sys.executable).with_name("uv"), ROOT / ".venv" / "bin" / "uv")
        if path.exists()
    ),
    shutil.which("uv"),
)
needs_uv = pytest.mark.skipif(not UV, reason="needs uv, which the environment of tests has")
OUTER = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of what the launcher needs, in a folder with a space."""
    root = tmp_path / "my clone"
    root.mkdir()
    for name in ("monolith", "uv.lock", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, root / name)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(SOURCE / "monolith", root / "src" / "monolith", ignore=ignored)
    return root


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder for PATH in which this Python is `python3`, and uv is there."""
    folder = tmp_path / "tools"
    folder.mkdir()
    write_script(folder / "python3", f'exec "{sys.executable}" "$@"')
    if UV:
        write_script(folder / "uv", f'exec "{UV}" "$@"')
    return folder


def write_script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def launch(script: Path, tools: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    path = f"{tools}:{OUTER.get('PATH', os.defpath)}"
    return subprocess.Popen(
        [str(script), *(words or ("--version",))],
        env={**OUTER, "PATH": path, **environment}, cwd="/",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def only_the_environment_is_left(clone: Path) -> None:
    assert {path.name for path in clone.glob(".venv*")} <= {".venv", ".venv.lock"}


@needs_uv
def test_the_first_use_makes_the_environment_and_later_ones_do_not(
    clone: Path, tools: Path, tmp_path: Path
) -> None:
    code, out, err = finished(launch(clone / "monolith", tools))
    assert (code, out[:9]) == (0, "monolith "), err
    assert err.startswith("First use")
    only_the_environment_is_left(clone)

    link = tmp_path / "bin" / "launch it"
    link.parent.mkdir()
    link.symlink_to("../second")
    (tmp_path / "second").symlink_to(clone / "monolith")
    assert finished(launch(link, tools)) == (0, out, "")

    assert finished(launch(clone / "monolith", tools, PYTHONPATH="/nonsense")) == (0, out, "")

    moved = clone.rename(tmp_path / "moved clone")
    assert finished(launch(moved / "monolith", tools)) == (0, out, "")

    (moved / "uv.lock").write_text((moved / "uv.lock").read_text() + "\n")
    assert finished(launch(moved / "monolith", tools))[2].startswith("First use")


@needs_uv
def test_two_first_uses_at_once_both_succeed(clone: Path, tools: Path) -> None:
    both = [launch(clone / "monolith", tools) for _ in range(2)]
    ends = [finished(one) for one in both]
    assert [code for code, _, _ in ends] == [0, 0], ends
    assert sorted(bool(err) for _, _, err in ends) == [False, True]
    only_the_environment_is_left(clone)


@needs_uv
@pytest.mark.parametrize("step", ["venv", "export", "pip"])
def test_a_first_use_that_was_killed_leaves_nothing_in_the_way(
    clone: Path, tools: Path, step: str
) -> None:
    reached = tools / "reached"
    wait = f'[ "$1" != {step} ] || {{ touch "{reached}"; sleep 600; }}'
    write_script(tools / "uv", f'{wait}\nexec "{UV}" "$@"')
    process = launch(clone / "monolith", tools)
    while not reached.exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    half = clone / ".venv.new" / "half-made"
    half.mkdir(parents=True, exist_ok=True)

    write_script(tools / "uv", f'exec "{UV}" "$@"')
    code, _, err = finished(launch(clone / "monolith", tools))
    assert code == 0, err
    assert not (clone / ".venv" / half.name).exists()
    only_the_environment_is_left(clone)


def test_a_machine_with_an_old_python_only_is_told_in_one_sentence(
    clone: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    write_script(folder / "python3", 'case "$2" in *version_info*) exit 1;; esac; exit 0')
    for name in ("sh", "dirname", "readlink", "cmp"):
        (folder / name).symlink_to(str(shutil.which(name)))
    code, out, err = finished(launch(clone / "monolith", folder, PATH=str(folder)))
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert err.startswith("The platform needs Python 3.11 or newer, and found none.")
    assert "MONOLITH_PYTHON=" in err
    assert not (clone / ".venv").exists()


def test_the_python_that_the_user_names_is_the_one(
    clone: Path, tools: Path, tmp_path: Path
) -> None:
    log = tmp_path / "asked"
    chosen = tmp_path / "my python"
    write_script(chosen, f'echo asked >>"{log}"; exit 1')
    code, _, err = finished(launch(clone / "monolith", tools, MONOLITH_PYTHON=str(chosen)))
    assert log.read_text() == "asked\n"
    assert code == 1
    assert f"found none at {chosen}." in err


@needs_uv
def test_the_python_that_the_user_names_is_used(clone: Path, tools: Path, tmp_path: Path) -> None:
    chosen = tmp_path / "my python"
    write_script(chosen, f'exec "{sys.executable}" "$@"')
    write_script(tools / "python3", "exit 1")
    code, out, err = finished(launch(clone / "monolith", tools, MONOLITH_PYTHON=str(chosen)))
    assert (code, out[:9]) == (0, "monolith "), err


@needs_uv
def test_the_exit_code_is_that_of_the_command(clone: Path, tools: Path) -> None:
    assert finished(launch(clone / "monolith", tools, "nonsense"))[0] == 2


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="needs shellcheck")
@pytest.mark.parametrize(
    "script",
    ["monolith", "tools/lock", "config/shared/with-secrets", "config/postgres/init-native"],
)
def test_scripts_are_clean(script: str) -> None:
    result = subprocess.run(
        ["shellcheck", str(ROOT / script)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout
