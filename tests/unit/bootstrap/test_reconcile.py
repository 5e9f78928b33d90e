"""Steps: in order, one at a time, and each failure told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock

from monolith.bootstrap import reconcile
from monolith.bootstrap.reconcile import Outcome
from monolith.bootstrap.site import Site
from monolith.cli.bootstrap import lines
from monolith.errors import UserError
from tests.native.steps import Memory, Silent
from tests.unit.conftest import MakeStack, service


@pytest.fixture
def site(make_stack: MakeStack, tmp_path: Path) -> Site:
    stack = make_stack({"postgres": service("postgres"), "consul": service("consul")})
    return Site(stack, tmp_path, Memory(), str, lambda _: None, lambda _: True, True)


def steps(monkeypatch: pytest.MonkeyPatch, **results: list[str] | UserError) -> list[str]:
    """Lets steps do nothing but answer; those that are not named change nothing."""
    ran: list[str] = []

    def fake(module: str) -> object:
        name = module.rpartition(".")[2]

        def ensure(site: Site) -> list[str]:
            ran.append(name)
            result = results.get(name, [])
            if isinstance(result, UserError):
                raise result
            return result

        return SimpleNamespace(ensure=ensure)

    monkeypatch.setattr(reconcile, "import_module", fake)
    return ran


def test_all_that_have_something_to_set_up_run_in_order(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = steps(monkeypatch, consul=["a"])
    outcomes = reconcile.run(site, [], Silent())
    assert ran == ["folders", "secrets", "databases", "consul"]
    assert [one.state for one in outcomes] == ["unchanged", "unchanged", "unchanged", "changed"]


def test_named_ones_keep_the_order(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = steps(monkeypatch)
    reconcile.run(site, ["consul", "folders"], Silent())
    assert ran == ["folders", "consul"]


def test_an_unknown_one_is_told_before_anything_runs(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = steps(monkeypatch)
    with pytest.raises(UserError, match="no bootstrap step `secret`") as caught:
        reconcile.run(site, ["folders", "secret"], Silent())
    assert "secrets" in caught.value.hint
    assert ran == []


def test_one_that_fails_does_not_keep_others_from_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = steps(monkeypatch, databases=UserError("no server", hint="start it"))
    outcomes = {one.step: one for one in reconcile.run(site, [], Silent())}
    assert ran[-1] == "consul"
    assert outcomes["databases"].state == "failed"
    assert "no server" in outcomes["databases"].reason
    assert "start it" in outcomes["databases"].reason


def test_without_secrets_nothing_else_is_tried(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = steps(monkeypatch, secrets=UserError("lost"))
    outcomes = reconcile.run(site, [], Silent())
    assert ran == ["folders", "secrets"]
    assert outcomes[-1].state == "failed"


def test_a_mistake_of_ours_keeps_its_traceback(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "import_module", lambda _: SimpleNamespace())
    with pytest.raises(AttributeError):
        reconcile.run(site, ["folders"], Silent())


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome("vault"), "vault      unchanged"),
        (Outcome("vault", ["unsealed"]), "vault      changed    unsealed"),
        (Outcome("s3", reason="no\nnext: x"), "s3         failed     no\n    next: x"),
    ],
)
def test_a_row(outcome: Outcome, expected: str) -> None:
    assert lines(outcome) == expected


def test_rows_fit_80_columns() -> None:
    rows = lines(Outcome("secrets", [f"plane-api.NAME_NUMBER_{n} generated" for n in range(30)]))
    assert max(map(len, rows.splitlines())) <= 80
    assert rows.count("generated") == 30


def test_who_waits_for_another_bootstrap_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps(monkeypatch)
    monkeypatch.setattr(reconcile, "_QUIET_SECONDS", 0)
    other = FileLock(site.data / "bootstrap" / "folders.lock", thread_local=False)
    Path(other.lock_file).parent.mkdir()
    other.acquire()
    told: list[str] = []

    def step(_: str, text: str) -> None:
        told.append(text)
        if text.startswith("waiting"):
            other.release()

    reconcile.run(site, ["folders"], SimpleNamespace(step=step, done=lambda *_: None))
    assert told == ["looking", "waiting: another bootstrap is at it"]
