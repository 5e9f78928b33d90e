"""config/shared/with-secrets hands a file of secrets to a program, and to nobody else."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.conftest import NASTY, ROOT

SCRIPT = ROOT / "config" / "shared" / "with-secrets"
SHOW = "import json, os; print(json.dumps([dict(os.environ), open('/proc/self/cmdline').read()]))"
VALUES = {
    "PLAIN": "plain",
    "EMPTY": "",
    "QUOTES": "it's \"quoted\" 'twice'",
    "DOLLAR": "$HOME ${HOME} $(id) `id` $$",
    "LINES": "one\ntwo\n\nfour\n",
    "BACKSLASH": "a\\b\\\\c\\n\\",
    "THAI": "สวัสดี",
    "SPACES": "  around\tand between  ",
    "PATTERN": "* ? [a-z] ~ ! # ; & | < >",
    "NASTY": NASTY,
}


def run(file: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(SCRIPT), *words],
        env={"PATH": "/usr/bin:/bin", "SECRETS_FILE": str(file), "PYTHONUTF8": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a folder" / "env"
    path.parent.mkdir()
    path.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in VALUES.items()))
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_values_reach_the_environment_unchanged_and_no_argument(file: Path) -> None:
    result = run(file, sys.executable, "-c", SHOW, "an argument", "")
    environment, arguments = json.loads(result.stdout)
    assert {name: environment[name] for name in VALUES} == VALUES
    assert arguments.split("\0")[1:] == ["-c", SHOW, "an argument", "", ""]
    assert result.stderr == ""


def test_it_becomes_the_program_and_passes_its_exit_code_on(file: Path) -> None:
    assert run(file, "/bin/sh", "-c", "exit 37").returncode == 37


@pytest.mark.parametrize("name", ["missing", "missing folder/env"])
def test_without_a_file_nothing_is_started_and_the_user_knows_what_to_type(
    tmp_path: Path, name: str
) -> None:
    result = run(tmp_path / name, "echo", "started")
    assert (result.returncode, result.stdout) == (1, "")
    assert f"cannot read {tmp_path / name}" in result.stderr
    assert "./monolith up" in result.stderr


def test_a_broken_file_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("A='not closed\n")
    result = run(tmp_path / "env", "echo", "started")
    assert result.returncode != 0
    assert result.stdout == ""
