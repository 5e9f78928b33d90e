"""`.env` is read as Compose reads it, and the environment stands above it."""

from __future__ import annotations

from pathlib import Path

import pytest

from monolith.errors import UserError
from monolith.settings import load


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / "docker-compose" / ".env"


def write(file: Path, content: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content.encode())


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=plain", "plain"),
        ("A=", ""),
        ("A=''", ""),
        ('A="in double quotes"', "in double quotes"),
        ("A='in single quotes'", "in single quotes"),
        ("export A=exported", "exported"),
        ("  A=indented  ", "indented"),
        ("A=value # comment", "value"),
        ("A=value#not a comment", "value#not a comment"),
        ('A="kept # inside"', "kept # inside"),
        ('A="quoted" # comment', "quoted"),
        ("A='quoted'\t# it's a comment", "quoted"),
        ("A=a=b=c", "a=b=c"),
        ("A=it's", "it's"),
        ("A='$5 \\ and so on'", "$5 \\ and so on"),
        ('A="it\'s"', "it's"),
        ("A='not closed", None),
        ("A=$OTHER", None),
        ("A=back\\slash", None),
        ("A=ไทย", "ไทย"),
        ("\ufeffA=behind a byte order mark", "behind a byte order mark"),
        ("A=windows\r", "windows"),
    ],
)
def test_a_line_has_the_value_that_compose_sees_or_is_refused(
    tmp_path: Path, env_file: Path, line: str, value: str | None
) -> None:
    write(env_file, f"{line}\n")
    if value is None:
        with pytest.raises(UserError):
            load(env_file, tmp_path)
    else:
        assert load(env_file, tmp_path).values == {"A": value}


def test_comments_and_empty_lines_say_nothing(tmp_path: Path, env_file: Path) -> None:
    write(env_file, "# A=1\n\n   \n  # B=2\n")
    assert load(env_file, tmp_path).values == {}


def test_there_need_not_be_a_file(tmp_path: Path, env_file: Path) -> None:
    assert load(env_file, tmp_path).values == {}


def test_the_last_of_two_lines_wins_and_its_place_is_known(tmp_path: Path, env_file: Path) -> None:
    write(env_file, "A=1\nA=2\n")
    settings = load(env_file, tmp_path)
    assert settings.values == {"A": "2"}
    assert settings.places == {"A": ("docker-compose/.env", 2)}


def test_the_environment_wins(
    tmp_path: Path, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(env_file, "MONOLITH_DOMAIN=file\nOTHER=file\n")
    monkeypatch.setenv("MONOLITH_DOMAIN", "environment")
    monkeypatch.setenv("OTHER", "environment")
    settings = load(env_file, tmp_path)
    assert settings.values == {"MONOLITH_DOMAIN": "environment", "OTHER": "file"}
    assert settings.places["MONOLITH_DOMAIN"] == ("environment", 0)


@pytest.mark.parametrize("line", ["MONOLITH_DOMAIN", "A B=1", "1A=1", "A : 1", "=1"])
def test_a_line_that_is_no_setting_is_named_with_its_place(
    tmp_path: Path, env_file: Path, line: str
) -> None:
    write(env_file, f"# head\n{line}\n")
    with pytest.raises(UserError) as caught:
        load(env_file, tmp_path)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("docker-compose/.env", 2)
    assert (problem.expected, problem.found) == ("NAME=value", line)


def test_a_file_that_cannot_be_read_is_told_and_is_no_bug(tmp_path: Path, env_file: Path) -> None:
    env_file.mkdir(parents=True)
    with pytest.raises(UserError, match=r"docker-compose/\.env"):
        load(env_file, tmp_path)
    env_file.rmdir()
    env_file.write_bytes(b"A=\xff\xfe\n")
    with pytest.raises(UserError, match="UTF-8"):
        load(env_file, tmp_path)
