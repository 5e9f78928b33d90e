"""The one place that runs `docker`, for one project."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

from monolith.errors import UserError
from monolith.manifest.stack import Stack
from monolith.runtimes.compose import commands, containers, memory
from monolith.runtimes.compose.commands import Words
from monolith.runtimes.compose.containers import Container

INTERRUPT_SECONDS = 15
_DENIED = ("permission denied", "dial unix")


def project_name(stack: Stack) -> str:
    """The name that Compose gives the project: the environment's, that of `.env`, the stack's."""
    variable = "COMPOSE_PROJECT_NAME"
    return os.environ.get(variable) or stack.values.get(variable) or stack.name


class Task:
    """A command under way. What it writes goes to a file, so it goes on when we are killed."""

    def __init__(self, process: subprocess.Popen[bytes], output: IO[bytes]) -> None:
        self._process = process
        self._output = output

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.poll()

    @property
    def lines(self) -> list[str]:
        """What it has written so far."""
        self._output.seek(0)
        return self._output.read().decode(errors="replace").splitlines()

    def wait(self, seconds: float) -> int | None:
        """Its exit code, waiting at most so long."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self.code

    def interrupt(self) -> None:
        """End it as Ctrl-C does, and at last by force."""
        if self.code is None:
            self._process.send_signal(signal.SIGINT)
        if self.wait(INTERRUPT_SECONDS) is None:
            self._process.kill()
            self._process.wait()


class Engine:
    """Runs commands in the folder of the stack file. Raises UserError when none can run."""

    def __init__(self, stack: Stack) -> None:
        self.folder = stack.file.parent
        self.file = stack.file.name
        self.project = project_name(stack)
        self.environment = {**os.environ, "MONOLITH_STACK": stack.kind}

    def run(self, words: Words, *, merged: bool = False) -> subprocess.CompletedProcess[str]:
        """Run to the end; the exit code is left to the caller. Merged: errors among the output."""
        with _told_when_missing():
            return subprocess.run(
                words, cwd=self.folder, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if merged else subprocess.PIPE, text=True,
                errors="replace", check=False,
            )  # fmt: skip

    def output(self, words: Words) -> str:
        """Standard output of a command that has to succeed."""
        result = self.run(words)
        if result.returncode:
            raise failed(words, result.stderr)
        return result.stdout

    @contextlib.contextmanager
    def task(self, words: Words, lock: int) -> Iterator[Task]:
        """Start in the background; it holds the open file `lock`, and is ended with the block.

        Its process group is its own: Ctrl-C reaches us, and we tell it, once.
        """
        with tempfile.TemporaryFile() as output, _told_when_missing():
            process = subprocess.Popen(
                words, cwd=self.folder, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, pass_fds=[lock], process_group=0,
            )  # fmt: skip
            task = Task(process, output)
            try:
                yield task
            finally:
                task.interrupt()

    def finish(self, words: Words, lock: int) -> tuple[int, list[str]]:
        """As `task`, to its end: exit code, and the lines it wrote."""
        with self.task(words, lock) as task:
            while (code := task.wait(1)) is None:
                pass
            return code, task.lines

    def attached(self, words: Words) -> int:
        """Run with our own input, output and errors; its exit code."""
        with _told_when_missing():
            process = subprocess.Popen(words, cwd=self.folder, env=self.environment)
        while True:
            # Ctrl-C reaches it as well, and it knows best what to do.
            with contextlib.suppress(KeyboardInterrupt):
                return process.wait()

    def stream(self, words: Words) -> Iterator[str]:
        """Lines as they come, output and errors together."""
        with _told_when_missing():
            process = subprocess.Popen(
                words, cwd=self.folder, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, errors="replace", process_group=0,
            )  # fmt: skip
        with process:
            try:
                yield from (line.rstrip("\n") for line in process.stdout or ())
            finally:
                process.terminate()

    @property
    def is_installed(self) -> bool:
        """Whether there is a `docker` to ask."""
        return shutil.which("docker") is not None

    def own_containers(self) -> list[Container]:
        """The project's containers, without those that another clone has made."""
        own = self.folder.resolve()
        return [one for one in self.containers() if one.folder.resolve() == own]

    def containers(self) -> list[Container]:
        """All containers of the project, made from whatever folder."""
        ids = self.output(commands.containers(self.project)).split()
        if not ids:
            return []
        # One may have gone in the meantime: the others are told all the same.
        result = self.run(commands.inspect(ids))
        return containers.parse(json.loads(result.stdout or "[]"))

    def log(self, container: str, lines: int) -> list[str]:
        """The last lines a container has written."""
        result = self.run(commands.log(container, lines), merged=True)
        return result.stdout.splitlines()

    def container(self, service: str) -> str:
        """The name that Compose gives to the container of a service."""
        return f"{self.project}-{service}-1"

    def has_image(self, name: str) -> bool:
        """Whether an image is present."""
        return self.run(commands.image(name)).returncode == 0

    def memory(self, found: Iterable[Container]) -> dict[str, int]:
        """Bytes by container id, of those that run."""
        running = [container for container in found if container.state == "running"]
        known = {container.id: memory.from_kernel(container) for container in running}
        unknown = [key for key, size in known.items() if size is None]
        stats = self.run(commands.stats(unknown)).stdout.splitlines() if unknown else []
        return {key: size for key, size in known.items() if size} | memory.from_stats(stats)


@contextlib.contextmanager
def _told_when_missing() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        if error.filename != "docker":
            raise
        hint = "install Docker with its Compose plugin, or use ./monolith --runtime native"
        raise UserError("There is no container engine here: no `docker`.", hint=hint) from None


def failed(words: Words, errors: str) -> UserError:
    """A command that failed, and what can be done about it."""
    text = errors.strip()
    if all(part in text for part in _DENIED):
        hint = "join the group of its socket: sudo usermod -aG docker $USER, then log in again"
        return UserError("You may not use the container engine.", hint=hint)
    if "Cannot connect to the Docker daemon" in text or "failed to connect to the docker" in text:
        hint = "start it: sudo systemctl start docker; or use ./monolith --runtime native"
        return UserError("The container engine does not run.", hint=hint)
    return UserError(f"`{' '.join(words[:3])}` failed:\n{text}")
