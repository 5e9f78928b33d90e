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
    from monolith.settings import Settings

RUNTIMES = ("native",)


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

    @cached_property
    def runtime(self) -> Runtime:
        """The chosen runtime."""
        chosen = self._runtime or self.settings.values.get("MONOLITH_RUNTIME") or RUNTIMES[0]
        if chosen not in RUNTIMES:
            raise _unknown("runtime", chosen, RUNTIMES)
        from monolith.runtimes.native.runtime import NativeRuntime

        return NativeRuntime(self.stack, self.project)


def _unknown(kind: str, name: str, known: Sequence[str]) -> UserError:
    hint = words.did_you_mean(name, known, f"one of: {', '.join(known)}")
    return UserError(f"There is no {kind} `{name}`.", hint=hint)
