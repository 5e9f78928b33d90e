"""The command line: words, exit codes, and what it loads."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import NoReturn

import pytest
import typer

from monolith.cli import app as module
from monolith.errors import Problem, UserError
from tests.unit.conftest import SOURCE, command_line, python

VERBS = {
    command.name or command.callback.__name__: command.callback.__doc__ or ""
    for command in module.app.registered_commands
    if command.callback
}


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int | str | None:
    """Exit code of `monolith WORDS...`, within this process."""
    monkeypatch.setattr(sys, "argv", ["monolith", *words])
    with pytest.raises(SystemExit) as caught:
        module.main()
    return caught.value.code


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_the_verbs_are_the_ones_that_operators_know() -> None:
    known = {"up", "down", "restart", "status", "logs", "open", "demo", "run", "env", "validate"}
    assert known <= VERBS.keys()


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_verb_explains_itself(
    verb: str, flag: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, verb, flag) == 0
    text = " ".join(plain(capsys.readouterr().out).split())
    assert f"./monolith {verb}" in text
    sentence = VERBS[verb].split("\n\n")[0]
    assert re.match(r"[A-Z][a-z]+ .*[.:]", sentence)
    assert sentence.strip() in text


@pytest.mark.parametrize(
    "words", [["nonsense"], ["up", "--nonsense"], ["logs", "-n", "many"], ["logs", "-n", "-1"]]
)
def test_a_wrong_word_is_a_usage_error(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err


def test_without_a_word_the_verbs_are_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch) in (0, 2)
    out, err = capsys.readouterr()
    for verb in VERBS:
        assert verb in out + err


def failing(error: BaseException) -> typer.Typer:
    app = typer.Typer()

    @app.callback(invoke_without_command=True)
    def fail() -> NoReturn:
        raise error

    return app


def test_what_the_user_can_put_right_is_told_in_four_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = Problem("a port", "many", "write 5000", "config/x.yaml", "services/x/ports/0", 3)
    monkeypatch.setattr(module, "app", failing(UserError("It is not valid.", [problem])))
    assert run(monkeypatch) == 1
    assert capsys.readouterr().err.splitlines() == [
        "Error: It is not valid.",
        "config/x.yaml:3  services/x/ports/0",
        "  expected  a port",
        "  found     many",
        "  next      write 5000",
    ]


def test_ctrl_c_is_130_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Typer turns the signal into this exit.
    monkeypatch.setattr(module, "app", failing(SystemExit(130)))
    assert run(monkeypatch) == 130
    assert "Stopped by Ctrl-C" in capsys.readouterr().err


def test_a_bug_is_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "app", failing(ZeroDivisionError()))
    monkeypatch.setattr(sys, "argv", ["monolith"])
    with pytest.raises(ZeroDivisionError):
        module.main()


@pytest.mark.parametrize("words", [["--help"], ["validate", "--json"], ["validate"]])
def test_a_reader_that_goes_away_is_no_traceback(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run(
        [sys.executable, "-m", "monolith", *words],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=writing, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writing)
    assert result.returncode != 0
    assert result.stderr == ""


def test_the_version_is_the_projects() -> None:
    result = command_line("--version")
    assert result.returncode == 0
    assert re.fullmatch(r"monolith [0-9]+\.[0-9]+\.[0-9]+\n", result.stdout)


def test_the_product_is_valid() -> None:
    result = command_line("validate", "--json")
    assert result.returncode == 0, result.stdout
    answer = json.loads(result.stdout)
    assert (answer["ok"], answer["problems"]) == (True, [])
    assert answer["services"] > 10


def test_an_unknown_stack_is_told_with_the_known_ones() -> None:
    result = command_line("--stack", "nonsense", "validate")
    assert result.returncode == 1
    assert "nonsense" in result.stderr
    assert "minimal" in result.stderr


def test_the_stack_can_be_chosen_in_the_environment() -> None:
    assert command_line("validate", MONOLITH_STACK="minimal").returncode == 0
    assert command_line("validate", MONOLITH_STACK="nonsense").returncode == 1


def test_an_unknown_runtime_is_told() -> None:
    result = command_line("status", MONOLITH_RUNTIME="nonsense")
    assert result.returncode == 1
    assert "nonsense" in result.stderr


LOADED = """
import json, sys
sys.argv = ["monolith", *sys.argv[1:]]
try:
    from monolith.cli.app import main
    main()
except SystemExit:
    print("\\n" + json.dumps(sorted(name.split(".")[0] for name in sys.modules)))
"""


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["up", "--help"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    out, _ = python(LOADED, *words).communicate()
    loaded = set(json.loads(out.splitlines()[-1]))
    assert "typer" in loaded
    assert not loaded & {"psycopg", "httpx", "supervisor", "yaml", "psutil", "tenacity"}
    # Typer itself looks for pydantic when a verb is named.
    assert "pydantic" not in loaded or words[0] == "up"
