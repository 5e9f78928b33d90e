"""What the runtimes intend to differ in; all else is checked alike."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Differences:
    """`routes_by_health`: a service whose check is red leaves the routing. `artifacts`: where
    MLflow keeps files. `plane`: whether Plane and its stores are offered. `portal`: whether there
    are containers, of which it tells. `limits`: whether memory caps are enforced.
    """

    routes_by_health: bool
    artifacts: str
    plane: bool
    portal: bool
    limits: bool


DIFFERENCES = {
    "native": Differences(
        routes_by_health=False, artifacts="files", plane=False, portal=False, limits=False,
    ),
    "compose": Differences(
        routes_by_health=True, artifacts="s3", plane=True, portal=True, limits=True,
    ),
}  # fmt: skip
