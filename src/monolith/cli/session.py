"""What every command starts from: the project, its settings, the stack, the runtime."""

from __future__ import annotations

from functools import cached_property

from monolith import project as projects
from monolith import settings as settings_module
from monolith.errors import UserError
from monolith.manifest.load import load
from monolith.manifest.stack import Stack
from monolith.project import Project
from monolith.runtimes.base import Runtime
from monolith.settings import Settings

RUNTIMES = ("native",)


class Session:
    """Loads things when they are first asked for."""

    def __init__(self, stack: str, runtime: str) -> None:
        self.stack_name = stack
        self.runtime_name = runtime

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
        file = self.project.stack_file(self.stack_name)
        if not file.is_file():
            known = sorted(path.name.split(".")[1] for path in self.project.stacks.glob("*.yaml"))
            raise UserError(f"There is no stack `{self.stack_name}`.", hint=f"one of: {known}")
        return load(file, self.settings, self.project.root)

    @cached_property
    def runtime(self) -> Runtime:
        """The chosen runtime."""
        chosen = self.runtime_name or self.settings.values.get("MONOLITH_RUNTIME") or RUNTIMES[0]
        if chosen not in RUNTIMES:
            raise UserError(f"There is no runtime `{chosen}`.", hint=f"one of: {RUNTIMES}")
        from monolith.runtimes.native.runtime import NativeRuntime

        return NativeRuntime(self.stack, self.project)
