"""Inside a container of the platform's own image: nothing is run from here, only set up."""

from __future__ import annotations

from typing import NoReturn

from monolith.bootstrap import vault
from monolith.bootstrap.site import Site
from monolith.errors import UserError
from monolith.manifest.stack import Stack
from monolith.project import Project
from monolith.secrets.keys import FileKeys
from monolith.secrets.vault_store import VaultStore


class ContainerRuntime:
    """See `runtimes.base.Runtime`. Has a site, where all services are found by their names."""

    name = "container"

    def __init__(self, stack: Stack, project: Project) -> None:
        self.stack = stack
        self.project = project

    def site(self) -> Site | None:
        """The installation as containers see it."""
        url = f"http://{self.stack.service(vault.SERVICE).alias}:{vault.PORT}"
        return Site(
            stack=self.stack,
            data=self.project.data,
            store=VaultStore(url, FileKeys(self.project.data)),
            locate=str,
            # Vault's own health check ends it, and the restart policy starts it again.
            restart=lambda _: None,
            offered=lambda _: True,
            in_containers=True,
        )

    def __getattr__(self, verb: str) -> NoReturn:
        """Every other verb of a runtime."""
        raise UserError("In a container only `bootstrap` and `secrets` work.",
                        hint="run ./monolith on the machine that runs the containers")  # fmt: skip
