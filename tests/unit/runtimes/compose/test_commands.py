"""The words of every command."""

from __future__ import annotations

import pytest

from monolith.runtimes.compose import commands

FILE = "docker-compose.minimal.yaml"
TOLD = ["docker", "compose", "--ansi", "never", "--progress", "plain", "--file", FILE]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (commands.up(FILE), [*TOLD, "up", "--detach", "--remove-orphans", "--quiet-pull"]),
        (commands.down(FILE), [*TOLD, "down", "--remove-orphans"]),
        (commands.stop(FILE, []), [*TOLD, "stop"]),
        (commands.stop(FILE, ["web", "db"]), [*TOLD, "stop", "web", "db"]),
        (commands.pull(FILE, ["web"]), [*TOLD, "pull", "--quiet", "web"]),
        (commands.build(FILE, ["web"]), [*TOLD, "build", "web"]),
        (
            commands.follow(FILE, ["web"], 7),
            [*TOLD, "logs", "--no-color", "--follow", "--tail", "7", "web"],
        ),
        (
            commands.inside(FILE, ["secrets", "list"], terminal=False),
            ["docker", "compose", "--file", FILE, "exec", "-T", "bootstrap", "monolith",
             "secrets", "list"],
        ),
        (
            commands.inside(FILE, [], terminal=True),
            ["docker", "compose", "--file", FILE, "exec", "bootstrap", "monolith"],
        ),
        (
            commands.containers("own"),
            ["docker", "ps", "--all", "--quiet", "--no-trunc",
             "--filter", "label=com.docker.compose.project=own",
             "--filter", "label=com.docker.compose.oneoff=False"],
        ),
        (commands.inspect(["a", "b"]), ["docker", "inspect", "--type", "container", "a", "b"]),
        (commands.log("a", 15), ["docker", "logs", "--tail", "15", "a"]),
        (
            commands.stats(["a"]),
            ["docker", "stats", "--no-stream", "--no-trunc", "--format", "{{json .}}", "a"],
        ),
        (
            commands.publishing(5000),
            ["docker", "ps", "--filter", "publish=5000", "--format", "{{.Names}}"],
        ),
        (commands.image("x:1"), ["docker", "image", "inspect", "--format", "{{.Id}}", "x:1"]),
        (commands.compose_version(), ["docker", "compose", "version", "--short"]),
    ],
)  # fmt: skip
def test_words(words: list[str], expected: list[str]) -> None:
    assert words == expected


def test_no_command_names_a_project_that_a_plain_compose_would_not_have() -> None:
    options = {"--project-name", "-p", "--project-directory", "--env-file", "--profile"}
    for words in (commands.up(FILE), commands.down(FILE), commands.stop(FILE, [])):
        assert not options & {*words}
