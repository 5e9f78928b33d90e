"""Memory of containers, with both versions of the kernel's interface."""

from __future__ import annotations

from pathlib import Path

import pytest

from monolith.runtimes.compose import memory
from tests.unit.runtimes.compose.conftest import container

WEB = container("web")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "proc" / str(WEB.pid)).mkdir(parents=True)
    return tmp_path / "proc"


def belongs(proc: Path, *lines: str) -> None:
    (proc / str(WEB.pid) / "cgroup").write_text("".join(f"{line}\n" for line in lines))


def group(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name.replace("_of_", "_").replace("__", ".")).write_text(text)


def test_first_version(proc: Path, tmp_path: Path) -> None:
    belongs(proc, "5:cpu,cpuacct:/x", f"4:memory:/docker/{WEB.id}", f"0::/docker/{WEB.id}")
    folder = tmp_path / "cgroup" / "memory" / "docker" / WEB.id
    group(folder, memory__stat="inactive_file 1\ntotal_inactive_file 3000\n")
    (folder / "memory.usage_in_bytes").write_text("10000\n")
    assert memory.from_kernel(WEB, proc, tmp_path / "cgroup") == 7000


def test_second_version(proc: Path, tmp_path: Path) -> None:
    scope = f"system.slice/docker-{WEB.id}.scope"
    belongs(proc, f"0::/{scope}")
    group(tmp_path / "cgroup" / scope, memory__current="10000\n",
          memory__stat="anon 5\ninactive_file 4000\n")  # fmt: skip
    assert memory.from_kernel(WEB, proc, tmp_path / "cgroup") == 6000


@pytest.mark.parametrize("line", ["0::/user.slice", "0::/../../init.scope", "nonsense", ""])
def test_a_process_that_is_not_the_containers_is_not_measured(
    proc: Path, tmp_path: Path, line: str
) -> None:
    belongs(proc, line)
    group(tmp_path / "cgroup" / "user.slice", memory__current="1", memory__stat="inactive_file 0")
    assert memory.from_kernel(WEB, proc, tmp_path / "cgroup") is None


def test_an_engine_elsewhere_has_no_process_here(tmp_path: Path) -> None:
    assert memory.from_kernel(WEB, tmp_path, tmp_path) is None


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("524KiB / 32MiB", 524 << 10),
        ("1.5GiB / 2GiB", 1536 << 20),
        ("0B / 0B", 0),
        ("-- / --", 0),
    ],
)
def test_the_engines_own_numbers_are_read(text: str, size: int) -> None:
    assert memory.from_stats([f'{{"ID": "a", "MemUsage": "{text}"}}', ""]) == {"a": size}
