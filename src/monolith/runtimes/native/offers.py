"""Which services run natively here, and why the others do not."""

from __future__ import annotations

from pathlib import Path

from monolith.manifest.stack import Entry, Stack
from monolith.project import Project
from monolith.runtimes.base import Reporter
from monolith.runtimes.native import plan
from monolith.tools import model
from monolith.tools.workshop import Workshop

NEEDS_ENGINE = "needs a container engine"


class Offers:
    """The services of one stack, by whether their program is there."""

    def __init__(self, stack: Stack, project: Project) -> None:
        self.stack = stack
        self.project = project
        self._found: dict[str, Path | None] = {}

    def tool(self, name: str) -> Path | None:
        """The program of a tool; None when it is neither ready nor on PATH."""
        if name not in self._found:
            self._found[name] = model.find(name, self.project)
        return self._found[name]

    def entries(self) -> list[Entry]:
        """The services that run natively, in the order of the stack."""
        return plan.offered(self.stack, self.tool)

    def has(self, entry: Entry) -> bool:
        """Whether a service runs natively."""
        if entry.name == plan.WATCHER:
            return self.has_vault
        return plan.is_offered(entry, self.tool)

    @property
    def has_vault(self) -> bool:
        """Whether secrets are kept in Vault."""
        entry = self.stack.services.get(plan.VAULT)
        return entry is not None and plan.is_offered(entry, self.tool)

    def reason(self, entry: Entry) -> str:
        """Why a service does not run natively; an empty text when it does."""
        if self.has(entry):
            return ""
        native = entry.monolith.native
        if entry.name == plan.WATCHER:
            native = self.stack.service(plan.VAULT).monolith.native
        if not native or not native.tool:
            return NEEDS_ENGINE
        if self._workshop_has(native.tool):
            return "its program is taken from MONOLITH_TOOLS by ./monolith up"
        return f"./monolith tools build {native.tool}, then up"

    def take(self, reporter: Reporter) -> None:
        """Take ready programs from the folder MONOLITH_TOOLS. Nothing is built."""
        for name in self._wanted():
            if self.tool(name) is None and self._workshop_has(name):
                tools = model.load_all(self.project.root)
                Workshop(self.project.cache, self._ready, reporter).make(tools[name])
                del self._found[name]

    def _wanted(self) -> list[str]:
        natives = [entry.monolith.native for entry in self.stack.services.values()]
        return [native.tool for native in natives if native and native.tool]

    @property
    def _ready(self) -> Path | None:
        chosen = self.stack.values.get("MONOLITH_TOOLS")
        return Path(chosen) if chosen else None

    def _workshop_has(self, name: str) -> bool:
        ready = self._ready
        return ready is not None and any((ready / file).is_file() for file in (name, f"{name}.xz"))
