"""How things look."""

from __future__ import annotations

import pytest

from monolith.cli import screen


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, ""),
        (0.4, "0s"),
        (1, "1s"),
        (59.9, "59s"),
        (60, "1m"),
        (61, "1m 1s"),
        (3600, "1h"),
        (3661, "1h 1m"),
        (86400, "1d"),
        (93784, "1d 2h"),
        (86400 + 61, "1d 1m"),
    ],
)
def test_a_duration_is_its_two_largest_units(seconds: float, text: str) -> None:
    assert screen.duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, ""), (1, "0 MB"), (12345678, "12 MB"), (2**20, "1 MB"), (2**30, "1024 MB")],
)
def test_sizes_are_in_megabytes(size: int, text: str) -> None:
    assert screen.megabytes(size) == text


def test_without_a_terminal_each_change_is_one_plain_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with screen.Progress() as progress:
        progress.step("postgres", "starting")
        progress.done("postgres", "healthy")
        progress.done("prefect-worker", "healthy")
    out, err = capsys.readouterr()
    assert out == ""
    assert "\x1b" not in err
    rows = [line.split() for line in err.splitlines()]
    assert [row[1:] for row in rows] == [
        ["s", "postgres", "starting"],
        ["s", "postgres", "healthy"],
        ["s", "prefect-worker", "healthy"],
    ]
    assert all(float(row[0]) >= 0 for row in rows)
