"""A real Vault for tests, kept running as a container's restart policy would, and its site."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from monolith.bootstrap.site import Site
from monolith.manifest.load import load
from monolith.manifest.stack import Stack
from monolith.project import find as find_project
from monolith.secrets.keys import FileKeys
from monolith.secrets.vault_api import Api, log_in
from monolith.secrets.vault_store import VaultStore
from monolith.settings import Settings
from monolith.tools import model
from tests.unit.conftest import ROOT, service

PROGRAM = model.find("vault", find_project())
SECRETS = {"PASSWORD": "hex32", "ADDRESS": "db://web:{PASSWORD:url}@{store.TOKEN}"}


class LiveVault:
    """Vault with the product's configuration on a port of its own; `data` is the data folder.

    As in a container, it is started again when it ends, and ended when `reset` is there.
    """

    def __init__(self, data: Path, port: int) -> None:
        self.data, self.port = data, port
        self.folder = data / "vault"
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> LiveVault:
        self.folder.mkdir(parents=True, exist_ok=True)
        text = (ROOT / "config" / "vault" / "vault.hcl").read_text()
        text = text.replace("0.0.0.0:8200", f"127.0.0.1:{self.port}")
        self._configuration.write_text(text.replace("127.0.0.1:8201", "127.0.0.1:0"))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Stop it, and do not start it again."""
        self._stopped.set()
        self._thread.join()

    def restart(self) -> None:
        """End it; it is started again, sealed."""
        before = self.starts
        assert self._process
        self._process.terminate()
        while self.starts == before:
            self._stopped.wait(0.05)

    @property
    def _configuration(self) -> Path:
        return self.data / "vault.hcl"

    def _keep(self) -> None:
        while not self._stopped.is_set():
            self._process = self._start()
            self.starts += 1
            while self._process.poll() is None and not self._stopped.wait(0.05):
                if (self.folder / "reset").exists():
                    break
            self._process.terminate()
            self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [str(PROGRAM), "server", f"-config={self._configuration}"]
        own = {"VAULT_FOLDER": str(self.folder), "VAULT_RAFT_PATH": str(self.folder)}
        with (self.data / "vault.log").open("ab") as log:
            return subprocess.Popen(
                ["/bin/sh", str(ROOT / "config" / "vault" / "start"), *command],
                env={**os.environ, **own}, stdout=log, stderr=log,
            )  # fmt: skip


def make_stack(root: Path, data: Path) -> Stack:
    """Vault, and two services with secrets of which one is filled with those of both."""
    mount = [f"{data}/secrets/web:/secrets:ro", f"{data}/web:/data"]
    services = {
        "vault": service("vault", {"check": {"port": 8200}}),
        "store": service("store", {"secrets": {"TOKEN": "hex16"}}),
        "web": service("web", {"secrets": SECRETS, "data": {"uid": 1234}}, volumes=mount),
    }
    for name, keys in services.items():
        folder = root / "config" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "compose.yaml").write_text(yaml.safe_dump({"services": {name: keys}}))
    file = root / "docker-compose" / "docker-compose.minimal.yaml"
    file.parent.mkdir(exist_ok=True)
    includes = [f"../config/{name}/compose.yaml" for name in services]
    file.write_text(yaml.safe_dump({"name": "test", "include": includes}))
    return load(file, Settings({}), root)


def make_site(root: Path, data: Path, url: str) -> Site:
    """The installation as a container sees it, with Vault at `url`."""
    address = url.removeprefix("http://")
    return Site(
        stack=make_stack(root, data),
        data=data,
        store=VaultStore(url, FileKeys(data)),
        locate=lambda text: text.replace("vault.service.consul:8200", address),
        restart=lambda _: None,
        offered=lambda _: True,
        in_containers=os.geteuid() == 0,
    )


@dataclass
class Installation:
    """A Vault that runs, its site, and what can be asked about both."""

    vault: LiveVault
    root: Path
    keys: FileKeys = field(init=False)

    def __post_init__(self) -> None:
        self.keys = FileKeys(self.vault.data)

    @property
    def site(self) -> Site:
        """As a new command finds it."""
        return make_site(self.root, self.vault.data, self.vault.url)

    @property
    def api(self) -> Api:
        """As the operator."""
        api = log_in(Api(self.vault.url), self.keys)
        assert api
        return api

    def health(self) -> int:
        """HTTP status of its health."""
        return httpx.get(f"{self.vault.url}/v1/sys/health").status_code

    def lose(self, folder: str) -> None:
        """Remove a folder of the data folder."""
        shutil.rmtree(self.vault.data / folder)

    def state(self) -> dict[str, Any]:
        """Everything that bootstrap has to reach, without what differs by chance."""
        api, site = self.api, self.site
        keys = self.keys.keys()
        return {
            "policies": {
                name: api.find(f"sys/policies/acl/{name}") is not None for name in POLICIES
            },
            "mounts": sorted(api.get("sys/mounts")["data"]),
            "audit": sorted(api.get("sys/audit")["data"]),
            "token": sorted(api.get("auth/token/lookup-self")["data"]["policies"]),
            "secrets": {name: sorted(site.store.read(name)) for name in ("store", "web")},
            "complete": keys and (keys.complete, keys.root_token),
            "marks": sorted(path.name for path in self.vault.folder.glob("[!.]*")),
            "files": sorted(_private(self.vault.data)),
        }


POLICIES = ("operator", "service-store", "service-web")


def _private(data: Path) -> list[str]:
    """Files of both folders, with their modes; locks and half-written files do not count."""
    files = [*data.glob("secrets/**/*"), *data.glob("vault-keys/*")]
    return [
        f"{path.relative_to(data)} {path.stat().st_mode & 0o777:o} {path.stat().st_uid}"
        for path in files
        if not path.name.startswith(".")
    ]
