"""What every command starts from: the project, its settings, the stack, the runtime."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from monolith import project as projects
from monolith import settings as settings_module
from monolith.errors import UserError
from monolith.manifest import words

if TYPE_CHECKING:
    from monolith.manifest.stack import Stack
    from monolith.project import Project
    from monolith.runtimes.base import Runtime
    from monolith.runtimes.choice import Choice
    from monolith.settings import Settings


class Session:
    """Loads things when they are first asked for, and imports what loads them only then."""

    def __init__(self, stack: str, runtime: str) -> None:
        self._stack = stack
        self._runtime = runtime

    @property
    def stack_name(self) -> str:
        """The option, else the setting, else the smaller stack."""
        return self._stack or self.settings.values.get("MONOLITH_STACK") or "minimal"

    @cached_property
    def settings(self) -> Settings:
        """The operator's settings."""
        base = projects.find()
        return settings_module.load(base.env_file, base.root)

    @cached_property
    def project(self) -> Project:
        """The project, with the data folder that the settings choose."""
        return projects.find(self.settings)

    @cached_property
    def stack(self) -> Stack:
        """The chosen stack, valid."""
        from monolith.manifest.load import load

        file = self.project.stack_file(self.stack_name)
        if not file.is_file():
            known = sorted(path.name.split(".")[1] for path in self.project.stacks.glob("*.yaml"))
            raise _unknown("stack", self.stack_name, known)
        return load(file, self.settings, self.project.root)

    def all_stacks(self) -> list[Stack]:
        """See `shipped`."""
        from monolith.manifest.load import shipped

        return shipped(self.project.stacks, self.project.root)

    @cached_property
    def choice(self) -> Choice:
        """The name of the runtime, and why: the option, else the setting, else what is there."""
        from monolith.runtimes import choice

        setting = self.settings.values.get("MONOLITH_RUNTIME", "")
        chosen = self._runtime or setting
        if not chosen:
            return choice.choose(self.stack, self.project)
        if chosen not in choice.RUNTIMES:
            raise _unknown("runtime", chosen, choice.FOR_PEOPLE)
        return choice.Choice(chosen, "--runtime" if self._runtime else "MONOLITH_RUNTIME")

    @cached_property
    def runtime(self) -> Runtime:
        """The chosen runtime."""
        from monolith.runtimes import choice

        return choice.RUNTIMES[self.choice.name](self.stack, self.project)

    def runtime_alone(self) -> Runtime:
        """The chosen runtime; a UserError where another one runs in this clone."""
        from monolith.runtimes import choice

        choice.alone(self.choice.name, self.stack, self.project)
        return self.runtime


def _unknown(kind: str, name: str, known: Sequence[str]) -> UserError:
    hint = words.did_you_mean(name, known, f"one of: {', '.join(known)}")
    return UserError(f"There is no {kind} `{name}`.", hint=hint)
