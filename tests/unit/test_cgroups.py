"""Control groups of both versions, as folders of files that the kernel would show."""

from __future__ import annotations

from pathlib import Path

from monolith import cgroups
from monolith.cgroups import Usage

ONE, TWO = "a" * 64, "b" * 64


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def first(root: Path, path: str, limit: int = 64 << 20, kills: str = "\noom_kill 2") -> None:
    write(
        root / "memory" / path,
        memory__usage_in_bytes="5000\n",
        memory__limit_in_bytes=f"{limit}\n",
        memory__stat="cache 7\ninactive_file 9\ntotal_inactive_file 2000\n",
        memory__oom_control=f"oom_kill_disable 0\nunder_oom 0{kills}\n",
    )
    write(root / "cpuacct" / path, cpuacct__usage="1500000000\n")


def second(root: Path, path: str, limit: str = "67108864") -> None:
    write(
        root / path,
        memory__current="5000\n",
        memory__max=f"{limit}\n",
        memory__stat="anon 7\ninactive_file 2000\n",
        memory__events="low 0\nhigh 0\nmax 3\noom 3\noom_kill 2\n",
        cpu__stat="usage_usec 1500000\nuser_usec 5\n",
    )


def test_the_first_version_has_a_tree_for_each_controller(tmp_path: Path) -> None:
    first(tmp_path, f"docker/{ONE}")
    assert cgroups.containers(tmp_path) == {ONE: Usage(3000, 64 << 20, 1.5, 2)}


def test_the_second_version_has_one_tree(tmp_path: Path) -> None:
    second(tmp_path, f"system.slice/docker-{ONE}.scope")
    assert cgroups.containers(tmp_path) == {ONE: Usage(3000, 64 << 20, 1.5, 2)}


def test_a_limit_that_is_none_is_0(tmp_path: Path) -> None:
    first(tmp_path / "1", ONE, limit=9223372036854771712)
    second(tmp_path / "2", ONE, limit="max")
    assert cgroups.containers(tmp_path / "1")[ONE].limit == 0
    assert cgroups.containers(tmp_path / "2")[ONE].limit == 0


def test_old_kernels_do_not_count_kills(tmp_path: Path) -> None:
    first(tmp_path, ONE, kills="")
    assert cgroups.containers(tmp_path)[ONE].oom_kills == 0


def test_containers_of_a_container_are_its_own_business(tmp_path: Path) -> None:
    second(tmp_path, f"docker/{ONE}")
    second(tmp_path, f"docker/{ONE}/docker/{TWO}")
    assert set(cgroups.containers(tmp_path)) == {ONE}


def test_one_that_ends_while_it_is_read_is_left_out(tmp_path: Path) -> None:
    second(tmp_path, f"docker/{ONE}")
    second(tmp_path, f"docker/{TWO}")
    (tmp_path / "docker" / ONE / "memory.stat").unlink()
    assert set(cgroups.containers(tmp_path)) == {TWO}


def test_cache_is_never_more_than_all(tmp_path: Path) -> None:
    second(tmp_path, ONE)
    (tmp_path / ONE / "memory.current").write_text("10\n")
    assert cgroups.containers(tmp_path)[ONE].memory == 0
