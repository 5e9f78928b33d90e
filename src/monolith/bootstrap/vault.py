"""Vault: initialised, unsealed, set up for the platform, with a policy for each service."""

from __future__ import annotations

from monolith.bootstrap import vault_init, vault_setup
from monolith.bootstrap.site import Site
from monolith.secrets.keys import FileKeys
from monolith.secrets.vault_api import Api

SERVICE, PORT = "vault", 8200


def ensure(site: Site) -> list[str]:
    """Make Vault usable, whatever state it is in. Returns what was changed, in words."""
    keys = FileKeys(site.data)
    server = vault_init.Server(
        Api(site.url(SERVICE, PORT)), keys, site.data / SERVICE, lambda: site.restart(SERVICE)
    )
    changes = vault_init.ensure(server)
    named = [entry.name for entry in site.stack.services.values() if entry.monolith.secrets]
    return changes + vault_setup.ensure(server.api, keys, named)
