"""Programs built by Go or taken ready: the right bytes, whole, made once; or a reason why not."""

from __future__ import annotations

import hashlib
import lzma
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from monolith.cli import tools as cli
from monolith.errors import UserError
from monolith.project import Project
from monolith.tools import golang, model
from monolith.tools.model import Tool
from monolith.tools.workshop import Made, Workshop
from tests.unit.conftest import python

PROGRAM = b"#!/bin/sh\necho the program\n" * 1000
BUILT = "#!/bin/sh\necho first\necho second\n"
FAKE_GO = """#!/bin/sh
if [ "$1" = env ]; then echo "$FAKE_VERSION"; exit; fi
echo begin >>"$FAKE_LOG"
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho first\\n' >"$2"
sleep "$FAKE_SECONDS"
echo end >>"$FAKE_LOG"
if [ -n "$FAKE_ERROR" ]; then echo "go: downloading x v1" >&2; echo "$FAKE_ERROR" >&2; exit 1; fi
printf 'echo second\\n' >>"$2"
"""
MAKE = """
import pathlib, sys
from monolith.cli.screen import Progress
from monolith.tools import model
from monolith.tools.workshop import Workshop
tool = model.load(pathlib.Path(sys.argv[1]))
with Progress() as progress:
    Workshop(pathlib.Path(sys.argv[2]), None, progress).make(tool)
"""
MakeTool = Callable[..., Tool]


class Told:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def step(self, subject: str, text: str) -> None:
        self.texts.append(text)

    done = step


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def make(tool: Tool, cache: Path, ready: Path | None = None) -> Made:
    return Workshop(cache, ready, Told()).make(tool)


def left(cache: Path) -> list[str]:
    """What is below the cache; lock files are no programs."""
    return sorted(path.name for path in cache.glob("tools/*") if path.suffix != ".lock")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    folder = tmp_path / "ready"
    folder.mkdir()
    return folder


@pytest.fixture
def make_tool(tmp_path: Path) -> MakeTool:
    """Writes a module without dependencies into the folder of the tools, and loads it."""

    def write(name: str = "hello", expected: str = "", go: str = "1.21") -> Tool:
        folder = tmp_path / "tools" / name
        folder.mkdir(parents=True)
        (folder / "go.mod").write_text(f"module test/{name}\n\ngo {go}\n")
        (folder / "main.go").write_text('package main\n\nfunc main() { println("hello") }\n')
        lines = [f'name = "{name}"', 'version = "v1.2.3"', 'package = "."']
        lines += ["[sha256]", f'{model.target()} = "{expected}"'] if expected else []
        (folder / "tool.toml").write_text("\n".join(lines))
        return model.load(folder / "tool.toml")

    return write


@pytest.fixture
def fake_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Go before all others, that writes half, sleeps, and writes the rest; here its log."""
    folder, log = tmp_path / "bin", tmp_path / "go.log"
    folder.mkdir()
    (folder / "go").write_text(FAKE_GO)
    (folder / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    settings = {"LOG": str(log), "VERSION": "go1.99.1", "SECONDS": "0", "ERROR": ""}
    for name, value in settings.items():
        monkeypatch.setenv(f"FAKE_{name}", value)
    return log


def test_the_command_is_plain_data() -> None:
    tool = Tool(Path("/t"), "x", "v1", "example.org/x", ["ui", "release"], {"GONOSUMDB": "a.b/c"})
    assert golang.command(tool, Path("/out/x")) == [
        "go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w",
        "-tags", "ui,release", "-o", "/out/x", "example.org/x",
    ]  # fmt: skip
    plain = Tool(Path("/t"), "x", "v1", "example.org/x")
    assert "-tags" not in golang.command(plain, Path("/out/x"))


def test_nothing_of_the_users_environment_changes_the_bytes() -> None:
    tool = Tool(Path("/t"), "x", "v1", "p", environment={"GONOSUMDB": "a.b/c"})
    base = {"HOME": "/h", "CGO_ENABLED": "1", "GOOS": "plan9", "GOAMD64": "v4", "GOWORK": "/w"}
    found = golang.environment(tool, base)
    expected = {
        "HOME": "/h", "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off",
        "GONOSUMDB": "a.b/c", "GOARCH": model.machine(), "GOAMD64": "v1",
    }  # fmt: skip
    assert found.items() >= expected.items()
    assert found["GOOS"] != "plan9"


@pytest.mark.parametrize("packed", [False, True])
def test_a_ready_program_with_the_right_sum_is_taken(
    packed: bool, make_tool: MakeTool, cache: Path, ready: Path, fake_go: Path
) -> None:
    tool = make_tool(expected=sha256(PROGRAM))
    data = lzma.compress(PROGRAM) if packed else PROGRAM
    (ready / ("hello.xz" if packed else "hello")).write_bytes(data)
    made = make(tool, cache, ready)
    program = tool.program(cache)
    assert made.how.startswith("taken from")
    assert program.read_bytes() == PROGRAM
    assert program.stat().st_mode & 0o777 == program.parent.stat().st_mode & 0o777 == 0o755
    assert left(cache) == [program.parent.name]
    assert not fake_go.exists()


@pytest.mark.parametrize("packed", [False, True])
def test_another_sum_is_refused_and_nothing_is_left(
    packed: bool, make_tool: MakeTool, cache: Path, ready: Path, fake_go: Path
) -> None:
    tool, other = make_tool(expected=sha256(PROGRAM)), PROGRAM + b"#"
    data = lzma.compress(other) if packed else other
    (ready / ("hello.xz" if packed else "hello")).write_bytes(data)
    with pytest.raises(UserError) as caught:
        make(tool, cache, ready)
    assert f"expected  {sha256(PROGRAM)}" in str(caught.value)
    assert f"found     {sha256(other)}" in str(caught.value)
    assert left(cache) == []
    assert not fake_go.exists()


@pytest.mark.parametrize("damage", ["truncated", "changed", "no xz at all", "empty"])
def test_a_damaged_archive_is_refused_and_nothing_is_left(
    damage: str, make_tool: MakeTool, cache: Path, ready: Path
) -> None:
    whole = lzma.compress(os.urandom(10_000) + PROGRAM)
    changed = bytearray(whole)
    changed[5000] ^= 1
    data = {"truncated": whole[:6000], "changed": bytes(changed), "no xz at all": PROGRAM,
            "empty": b""}[damage]  # fmt: skip
    (ready / "hello.xz").write_bytes(data)
    with pytest.raises(UserError, match=re.escape(f"{ready / 'hello.xz'} ")):
        make(make_tool(expected=sha256(PROGRAM)), cache, ready)
    assert left(cache) == []


def test_a_ready_program_that_nothing_is_known_about_is_refused(
    make_tool: MakeTool, cache: Path, ready: Path
) -> None:
    (ready / "hello").write_bytes(PROGRAM)
    with pytest.raises(UserError, match=f"no sum for {model.target()}"):
        make(make_tool(), cache, ready)
    assert left(cache) == []


def test_a_folder_of_ready_programs_that_is_not_there_is_told(
    make_tool: MakeTool, cache: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="MONOLITH_TOOLS"):
        make(make_tool(), cache, tmp_path / "nonsense")


@pytest.mark.usefixtures("fake_go")
def test_what_is_not_ready_is_built(make_tool: MakeTool, cache: Path, ready: Path) -> None:
    tool, told = make_tool(expected=sha256(BUILT.encode())), Told()
    assert Workshop(cache, ready, told).make(tool) == Made("built by go1.99.1")
    assert f"not in {ready}" in told.texts[0]
    assert tool.program(cache).read_text() == BUILT


@pytest.mark.usefixtures("fake_go")
def test_a_build_with_another_sum_is_kept_with_a_warning(make_tool: MakeTool, cache: Path) -> None:
    tool = make_tool(expected=sha256(PROGRAM))
    warning = make(tool, cache).warning
    for text in ("hello", "go1.99.1", sha256(PROGRAM), sha256(BUILT.encode())):
        assert text in warning
    assert tool.program(cache).read_text() == BUILT


@pytest.mark.usefixtures("fake_go")
def test_a_long_build_says_that_it_goes_on(
    make_tool: MakeTool, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SECONDS", "0.5")
    monkeypatch.setattr(golang, "_TELL_EVERY", 0.1)
    told = Told()
    Workshop(cache, None, told).make(make_tool())
    assert any(re.fullmatch(r"building v1\.2\.3 for \d+ s", text) for text in told.texts)


@pytest.mark.usefixtures("fake_go")
def test_a_failed_build_quotes_go_and_leaves_nothing(
    make_tool: MakeTool, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_ERROR", "no space left on device")
    with pytest.raises(UserError, match="no space left on device") as caught:
        make(make_tool(), cache)
    assert "downloading" not in str(caught.value)
    assert left(cache) == []


def test_without_go_it_is_told_what_to_install(
    make_tool: MakeTool, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError) as caught:
        make(make_tool(go="1.26.8"), cache)
    assert "no `go` on PATH" in caught.value.message
    assert "install Go 1.26.8 or newer" in caught.value.hint
    assert left(cache) == []


@pytest.mark.parametrize(
    ("version", "needed", "fits"),
    [
        ("go1.26.7", "1.26.8", False),
        ("go1.9", "1.26.8", False),
        ("go1.26", "1.26.1", False),
        ("go1.26.8", "1.26.8", True),
        ("go1.26.10", "1.26.8", True),
        ("go1.27rc1", "1.26.8", True),
        ("go1.26.8 X:nodwarf5", "1.26.8", True),
        ("devel go1.27-abc123", "1.26.8", True),
        ("devel", "1.26.8", True),
    ],
)
def test_an_older_go_is_refused_with_both_versions(
    version: str, needed: str, fits: bool, make_tool: MakeTool, cache: Path, fake_go: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("FAKE_VERSION", version)
    tool = make_tool(go=needed)
    if fits:
        assert make(tool, cache).how == f"built by {version}"
        return
    with pytest.raises(UserError) as caught:
        make(tool, cache)
    assert needed in caught.value.message
    assert version in caught.value.message
    assert not fake_go.exists()


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_killed_build_is_no_program_and_the_next_one_works(
    make_tool: MakeTool, cache: Path, fake_go: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = make_tool(expected=sha256(BUILT.encode()))
    killed = python(MAKE, tool.folder / "tool.toml", cache, FAKE_SECONDS="1.5")
    wait_for(lambda: [path for path in cache.glob("tools/*/hello") if path.stat().st_size])
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not tool.program(cache).exists()
    assert make(tool, cache) == Made("built by go1.99.1")
    # The compiler of the killed one still runs and will write; that has to harm nobody.
    assert fake_go.read_text().count("end") == 1
    wait_for(lambda: fake_go.read_text().count("end") == 2)
    time.sleep(0.2)
    killed.communicate()
    assert tool.program(cache).read_text() == BUILT
    assert left(cache) == [tool.program(cache).parent.name]
    assert fake_go.read_text().count("begin") == 2


def test_two_at_once_build_once(make_tool: MakeTool, cache: Path, fake_go: Path) -> None:
    tool = make_tool(expected=sha256(BUILT.encode()))
    words = (MAKE, tool.folder / "tool.toml", cache)
    both = [python(*words, FAKE_SECONDS="1") for _ in range(2)]
    told = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert fake_go.read_text().count("begin") == 1
    assert sum("waiting" in text for text in told) == 1
    assert tool.program(cache).read_text() == BUILT


def test_what_is_there_is_not_made_again(make_tool: MakeTool, cache: Path, fake_go: Path) -> None:
    tool = make_tool()
    make(tool, cache)
    assert make(tool, cache) == Made("ready")
    assert fake_go.read_text().count("begin") == 1


@pytest.mark.parametrize("name", ["go.mod", "main.go", "tool.toml", "go.sum"])
def test_another_recipe_is_another_program(name: str, make_tool: MakeTool, cache: Path) -> None:
    tool = make_tool()
    before = tool.program(cache)
    with (tool.folder / name).open("a") as stream:
        stream.write("\n")
    assert tool.program(cache) != before


@pytest.mark.skipif(not shutil.which("go"), reason="Go is not installed")
def test_the_real_go_builds_the_same_bytes_twice(make_tool: MakeTool, tmp_path: Path) -> None:
    tool = make_tool()
    programs = []
    for cache in (tmp_path / "one", tmp_path / "two"):
        assert make(tool, cache).how.startswith("built by go1.")
        programs.append(tool.program(cache))
    said = subprocess.run([programs[0]], capture_output=True, text=True, check=True)
    assert said.stderr == "hello\n"
    assert programs[0].read_bytes() == programs[1].read_bytes()


def test_the_own_program_is_found_before_the_one_on_path(
    make_tool: MakeTool, cache: Path, fake_go: Path, tmp_path: Path
) -> None:
    project = Project(tmp_path, tmp_path / "data", cache)
    tool = make_tool("go")
    on_path = fake_go.with_name("bin") / "go"
    assert model.find("go", project) == on_path
    make(tool, cache)
    assert model.find("go", project) == tool.program(cache)
    assert model.find("nonsense", project) is None


@pytest.mark.usefixtures("fake_go")
def test_the_list_says_what_is_ready_and_where(
    make_tool: MakeTool, cache: Path, tmp_path: Path
) -> None:
    tool = make_tool("b")
    make_tool("a")
    make(tool, cache)
    assert cli.rows(Project(tmp_path, tmp_path / "data", cache)) == [
        {"name": "a", "version": "v1.2.3", "state": "not built", "path": ""},
        {"name": "b", "version": "v1.2.3", "state": "ready", "path": str(tool.program(cache))},
    ]


def test_the_table_is_aligned_and_cuts_no_path() -> None:
    path = "/long" * 100
    rows = [
        {"name": "a", "version": "v1.2.3", "state": "ready", "path": path},
        {"name": "longer", "version": "v1", "state": "not built", "path": ""},
    ]
    assert list(cli.lines(rows)) == [
        "name    version  state      path",
        f"a       v1.2.3   ready      {path}",
        "longer  v1       not built",
    ]


def test_names_are_chosen_once_and_none_is_all(make_tool: MakeTool) -> None:
    tools = {name: make_tool(name) for name in ("a", "b")}
    assert [tool.name for tool in model.choose(tools, ["b", "a", "b"])] == ["b", "a"]
    assert [tool.name for tool in model.choose(tools, [])] == ["a", "b"]
