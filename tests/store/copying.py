"""Copies from one store to another until it is killed: python -m tests.store.copying ... ."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from monolith.store.copying import Copier
from monolith.store.ledger import Ledger
from monolith.store.model import Server
from tests.native.steps import Silent

if __name__ == "__main__":
    path, run, source, target = sys.argv[1:]
    keys = json.load(sys.stdin)
    ledger = Ledger(Path(path), run)
    Copier(Server(source, *keys), Server(target, *keys), ledger, Silent()).settle()
