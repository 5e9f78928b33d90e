"""Bootstrap on a real Vault: every way it can be found, and every place where it can be killed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from monolith.bootstrap import reconcile
from monolith.bootstrap.reconcile import Outcome
from monolith.errors import UserError
from monolith.secrets.keys import Operator
from monolith.secrets.store import FileStore
from monolith.secrets.vault_api import Api, RefusedError
from tests.native.conftest import free_ports
from tests.native.vault import PROGRAM, Installation, LiveVault
from tests.unit.conftest import ROOT

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs: ./monolith tools build vault")
STEPS = ["folders", "vault", "secrets"]
MakeInstallation = Callable[[], Installation]

# Ends the process before its effect number N, and prints what that would have been; 0: prints how
# many there are.
KILLED = """
import os, pathlib, sys, httpx
root, data, url, number = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), *sys.argv[3:]
done = 0

def count(what):
    global done
    done += 1
    if done == int(number):
        print(what, flush=True)
        os._exit(9)

def watch(owner, name, what):
    original = getattr(owner, name)
    def effect(*arguments, **options):
        if text := what(*arguments):
            count(text)
        return original(*arguments, **options)
    setattr(owner, name, effect)

def request(transport, request):
    return request.method != "GET" and f"{request.method} {request.url.path}"

watch(httpx.HTTPTransport, "handle_request", request)
watch(pathlib.Path, "replace", lambda path, to: f"write {to}")
watch(pathlib.Path, "unlink", lambda path: path.exists() and f"remove {path}")
watch(os, "chown", lambda path, *ids: f"give {path}")

from monolith.bootstrap import reconcile
from tests.native.vault import make_site
class Silent:
    def step(self, subject, text): pass
    done = step
outcomes = reconcile.run(make_site(root, data, url), ["folders", "vault", "secrets"], Silent())
print(*[outcome.reason for outcome in outcomes], done)
"""


class Silent:
    """A reporter that tells nobody."""

    def step(self, subject: str, text: str) -> None:
        pass

    done = step


def run(installation: Installation, *steps: str) -> dict[str, Outcome]:
    outcomes = reconcile.run(installation.site, steps or STEPS, Silent())
    return {outcome.step: outcome for outcome in outcomes}


def changed(installation: Installation) -> dict[str, list[str]]:
    """Runs all; what was changed, by step."""
    outcomes = run(installation)
    assert not [outcome.reason for outcome in outcomes.values() if outcome.reason]
    return {name: outcome.changes for name, outcome in outcomes.items()}


def refused(installation: Installation) -> str:
    reason = run(installation, "vault")["vault"].reason
    assert reason
    return reason


def killed(installation: Installation, number: int) -> str:
    """Runs all in a process that dies before its effect `number`. Returns which that was.

    Not killed (`number` is 0): the number of effects.
    """
    vault = installation.vault
    result = subprocess.run(
        [sys.executable, "-c", KILLED, str(installation.root), str(vault.data), vault.url,
         str(number)],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode in (0, 9), result.stderr
    return result.stdout.strip()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[MakeInstallation]:
    with ExitStack() as stack:

        def make_one() -> Installation:
            (port,) = free_ports(1)
            root = tmp_path / f"it's 100% {port}"
            return Installation(stack.enter_context(LiveVault(root / "data", port)), root)

        yield make_one


@pytest.fixture
def fresh(make: MakeInstallation) -> Installation:
    return make()


def test_the_first_run_makes_everything_and_the_second_changes_nothing(fresh: Installation) -> None:
    first = changed(fresh)
    assert first["vault"][:2] == ["initialised", "unsealed"]
    assert "web.PASSWORD generated" in first["secrets"]
    assert not [change for changes in changed(fresh).values() for change in changes]


def test_a_restarted_vault_is_unsealed(fresh: Installation) -> None:
    changed(fresh)
    secret = fresh.site.store.read("web")
    fresh.vault.restart()
    assert changed(fresh)["vault"] == ["unsealed"]
    assert fresh.site.store.read("web") == secret != {}


def test_root_is_gone_and_the_operator_is_no_root(fresh: Installation) -> None:
    changed(fresh)
    keys = fresh.keys.keys()
    assert keys
    assert keys.complete
    assert not keys.root_token
    forbidden: list[tuple[str, dict[str, Any]]] = [
        ("sys/policies/acl/operator", {"policy": 'path "*" {capabilities = ["sudo"]}'}),
        ("auth/token/create", {"policies": ["root"]}),
        ("auth/approle/role/other", {"token_policies": ["operator"]}),
        ("sys/mounts/other", {"type": "kv"}),
        ("secret/data/other", {"data": {}}),
    ]
    for path, body in forbidden:
        with pytest.raises(RefusedError, match="permission denied"):
            fresh.api.post(path, body)
    with pytest.raises(RefusedError, match="permission denied"):
        fresh.api.delete("sys/audit/stdout")


def test_a_service_policy_opens_its_own_document_only(fresh: Installation) -> None:
    changed(fresh)
    root = fresh.api.with_token(new_root(fresh))
    token = root.post("auth/token/create", {"policies": ["service-web"]})["auth"]["client_token"]
    web = root.with_token(token)
    assert web.get("secret/data/monolith/web")["data"]["data"] == fresh.site.store.read("web")
    with pytest.raises(RefusedError, match="permission denied"):
        web.get("secret/data/monolith/store")
    with pytest.raises(RefusedError, match="permission denied"):
        web.post("secret/data/monolith/web", {"data": {}})


def new_root(installation: Installation) -> str:
    """A root token as `vault operator generate-root` makes it."""
    from monolith.bootstrap.vault_setup import _generate_root

    keys = installation.keys.keys()
    assert keys
    return _generate_root(Api(installation.vault.url), keys)


def test_keys_and_login_are_for_one_pair_of_eyes(fresh: Installation) -> None:
    changed(fresh)
    for path in [fresh.keys.folder, *fresh.keys.folder.glob("*.json")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    assert len(list(fresh.keys.folder.glob("*.json"))) == 2


def test_the_audit_log_is_on_standard_output_and_holds_no_value(fresh: Installation) -> None:
    changed(fresh)
    log = (fresh.vault.data / "vault.log").read_text()
    assert "secret/data/monolith/web" in log
    assert fresh.site.store.read("web")["PASSWORD"] not in log


def test_keys_without_the_data_are_refused(fresh: Installation) -> None:
    changed(fresh)
    empty_vault(fresh)
    assert "data is gone" in refused(fresh)
    assert fresh.health() == httpx.codes.NOT_IMPLEMENTED


def empty_vault(installation: Installation) -> None:
    """As if the folder had been removed while Vault was stopped."""
    before = installation.vault.starts
    (installation.vault.folder / "reset").touch()
    while installation.vault.starts == before or (installation.vault.folder / "reset").exists():
        pass


def test_keys_of_a_first_try_without_the_data_are_replaced(fresh: Installation) -> None:
    changed(fresh)
    keys = fresh.keys.keys()
    assert keys
    fresh.keys.save_keys(replace(keys, complete=False))
    empty_vault(fresh)
    fresh.lose("secrets")
    assert changed(fresh)["vault"][0] == "initialised"
    again = fresh.keys.keys()
    assert again
    assert again.keys != keys.keys


def test_a_vault_whose_keys_are_lost_is_refused_and_left_alone(fresh: Installation) -> None:
    changed(fresh)
    saved = fresh.vault.data / "saved"
    fresh.keys.folder.rename(saved)
    assert "keys are not in the folder" in refused(fresh)
    saved.rename(fresh.keys.folder)
    assert changed(fresh)["vault"] == []


def test_a_vault_of_other_keys_is_refused(make: MakeInstallation) -> None:
    one, other = make(), make()
    changed(one)
    changed(other)
    keys = other.keys.keys()
    assert keys
    one.keys.save_keys(keys)
    one.vault.restart()
    assert "not of this Vault" in refused(one)


def test_an_initialisation_without_an_answer_is_completed(fresh: Installation) -> None:
    killed_before(fresh, "init.json")
    assert (fresh.vault.folder / "init.pending").exists()
    assert fresh.keys.keys() is None
    assert Api(fresh.vault.url).get("sys/init")["initialized"]
    first = changed(fresh)["vault"]
    assert "cut off" in first[0]
    assert first[1] == "initialised"
    assert not (fresh.vault.folder / "init.pending").exists()


def killed_before(installation: Installation, text: str) -> None:
    """Runs until the effect that has `text` in it comes up."""
    for number in range(1, 60):
        if text in killed(installation, number):
            return
    raise AssertionError(text)


def test_a_lost_login_and_a_lost_policy_are_made_again(fresh: Installation) -> None:
    changed(fresh)
    secret = fresh.site.store.read("web")
    root = fresh.api.with_token(new_root(fresh))
    root.post("sys/policies/acl/operator", {"policy": 'path "x" {capabilities = ["read"]}'})
    root.delete("sys/audit/stdout")
    root.post("auth/token/revoke-self")
    (fresh.keys.folder / "operator.json").unlink()
    changes = changed(fresh)["vault"]
    assert {"policy operator", "login of the operator", "root token revoked"} < set(changes)
    assert fresh.site.store.read("web") == secret


def test_a_stolen_login_is_worth_nothing_after_another_was_made(fresh: Installation) -> None:
    changed(fresh)
    stolen = fresh.keys.operator()
    assert stolen
    fresh.keys.save_operator(Operator("1" * 32, "2" * 64))
    assert "login of the operator" in changed(fresh)["vault"]
    with pytest.raises(RefusedError):
        Api(fresh.vault.url).post("auth/approle/login", vars(stolen))


def test_two_at_once_do_what_one_does(fresh: Installation) -> None:
    sites = [fresh.site, fresh.site]
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda site: reconcile.run(site, ["vault"], Silent()), sites))
    assert sorted(outcome.state for (outcome,) in both) == ["changed", "unchanged"]


def test_what_native_made_is_imported_once(fresh: Installation) -> None:
    files = FileStore(fresh.vault.data / "secrets")
    files.write("web", {"PASSWORD": "from before", "OWN": "x"})
    files.write("gone", {"A": "b"})
    changes = changed(fresh)["secrets"]
    assert "web imported into Vault" in changes
    assert "web.PASSWORD generated" not in changes
    assert fresh.site.store.read("web") == {"PASSWORD": "from before", "OWN": "x"}
    assert fresh.site.store.read("gone") == {"A": "b"}
    assert not files.services()
    files.write("web", {"PASSWORD": "older", "NEW": "1"})
    changed(fresh)
    assert fresh.site.store.read("web") == {"PASSWORD": "from before", "OWN": "x", "NEW": "1"}


def test_a_deleted_document_is_told_and_not_made_anew(fresh: Installation) -> None:
    changed(fresh)
    secret = fresh.site.store.read("web")
    fresh.api.delete("secret/data/monolith/web")
    assert "were deleted in Vault" in run(fresh)["secrets"].reason
    fresh.api.post("secret/undelete/monolith/web", {"versions": [1]})
    changed(fresh)
    assert fresh.site.store.read("web") == secret


def test_a_write_that_would_undo_another_is_refused(fresh: Installation) -> None:
    changed(fresh)
    one, other = fresh.site.store, fresh.site.store
    found = one.read("web")
    other.write("web", other.read("web") | {"A": "1"})
    with pytest.raises(UserError, match="by somebody else"):
        one.write("web", found | {"B": "2"})
    assert fresh.site.store.read("web")["A"] == "1"


def test_killed_before_any_effect_the_next_run_reaches_the_same_state(
    make: MakeInstallation,
) -> None:
    whole = make()
    effects = int(killed(whole, 0))
    wanted = whole.state()
    with ThreadPoolExecutor(3) as pool:
        tried = list(
            pool.map(lambda number: after_kill(make(), number, wanted), range(1, effects + 1))
        )
    for one in ("init.pending", "sys/init", "init.json", "sys/unseal", "revoke-self", "web/env"):
        assert any(one in effect for effect in tried), one


def after_kill(installation: Installation, number: int, wanted: dict[str, Any]) -> str:
    """Kills, runs again, and looks. Returns the effect that was to come."""
    effect = killed(installation, number)
    before = secrets_of(installation)
    changed(installation)
    after = secrets_of(installation)
    assert installation.state() == wanted, effect
    assert {name: after[name] for name in before} == before, effect
    assert not any(changed(installation).values()), effect
    installation.vault.end()
    return effect.replace(str(installation.root), "")


def secrets_of(installation: Installation) -> dict[str, dict[str, str]]:
    """What Vault has now; nothing where nobody can log in yet."""
    site, found = installation.site, {}
    for name in ("store", "web"):
        with suppress(UserError):
            found[name] = site.store.read(name)
    return {name: values for name, values in found.items() if values}
