"""Which sources there are on this platform, and the picture from what they said last."""

from __future__ import annotations

import functools
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from monolith import cgroups
from monolith.portal import engine, sources
from monolith.portal.catalogue import Catalogue
from monolith.portal.engine import Container
from monolith.portal.refresh import Source
from monolith.portal.sources import SilentError
from monolith.portal.status import Picture, Said, picture

HEALTH_SECONDS, SLOW_SECONDS, COUNT_SECONDS = 3.0, 10.0, 60.0
_PATIENCE = 8.0
"""Seconds after which a page is made also without an answer from everybody."""

Answer = TypeVar("Answer")


class Gatherer:
    """Everything that is asked. `containers` is the engine's folder of them."""

    def __init__(self, catalogue: Catalogue, control_groups: Path, containers: Path) -> None:
        self.catalogue = catalogue
        self._began = time.monotonic()
        self._folder = containers
        self._project = ""
        self.engine = Source("engine", self._containers, HEALTH_SECONDS)
        usage = functools.partial(cgroups.containers, control_groups)
        self.kernel = Source("kernel", usage, HEALTH_SECONDS)
        self.consul = self._source("consul", sources.consul, HEALTH_SECONDS)
        self.flows = self._source("prefect", sources.prefect, SLOW_SECONDS)
        self.models = self._source("mlflow", sources.models, SLOW_SECONDS)
        self.runs = self._source("mlflow", sources.runs, COUNT_SECONDS, costly=True)
        self.alerts = self._source("alertmanager", sources.alertmanager, SLOW_SECONDS)
        if self.alerts is None:
            self.alerts = self._source("prometheus", sources.prometheus, SLOW_SECONDS)

    def _source(
        self, name: str, ask: Callable[[str], Answer], every: float, *, costly: bool = False
    ) -> Source[Answer] | None:
        base = self.catalogue.sources.get(name)
        return Source(name, functools.partial(ask, base), every, costly=costly) if base else None

    def _containers(self) -> dict[str, Container]:
        self._project = self._project or engine.project_of(self._folder, socket.gethostname())
        if not self._project:
            raise SilentError("this container is not among those of the engine's folder")
        return engine.containers(self._folder, self._project)

    def sources(self) -> list[Source[Any]]:
        """All of them."""
        found: list[Source[Any] | None] = [
            self.engine, self.kernel, self.consul, self.flows, self.models, self.runs, self.alerts,
        ]  # fmt: skip
        return [source for source in found if source]

    def picture(self, now: float) -> Picture | None:
        """The picture of this moment; None while the first answers are not there."""
        early = time.monotonic() - self._began < _PATIENCE
        if early and any(source.is_new for source in self.sources()):
            return None
        return picture(self.catalogue, self._said(), now)

    def _said(self) -> Said:
        return Said(
            containers=_answer(self.engine),
            usage=_answer(self.kernel) or {},
            checks=_answer(self.consul),
            flows=_answer(self.flows),
            models=_answer(self.models),
            runs=_answer(self.runs),
            alerts=_answer(self.alerts),
            silent=frozenset(source.name for source in self.sources() if source.is_silent),
        )


def _answer(source: Source[Answer] | None) -> Answer | None:
    return source.answer if source else None
