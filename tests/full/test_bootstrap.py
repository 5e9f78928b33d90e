"""The steps of bootstrap that only this stack has, killed behind each of their effects."""

from __future__ import annotations

from pathlib import Path

from monolith.bootstrap.reconcile import STEPS
from monolith.cli.session import Session
from tests.common import checks
from tests.compose.conftest import ComposePlatform
from tests.compose.test_bootstrap import kill_through

UNDOING = Path(__file__).with_name("undoing.py")


def test_killed_at_each_of_its_steps_it_comes_to_the_same_end(full: ComposePlatform) -> None:
    small = Session("minimal", "").all_stacks()[0].services
    own = [step.name for step in STEPS if step.needs and step.needs not in small]
    full.compose(
        "run", "--rm", "-T", "--no-deps", "--entrypoint", "python", "bootstrap-secrets", "-",
        given=UNDOING.read_text(),
    )  # fmt: skip
    kills = kill_through(full, *own)
    assert set(kills) == set(own)
    assert min(kills.values()) > 0, kills
    checks.test_bootstrap_has_nothing_left_to_do(full)
