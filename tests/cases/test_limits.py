"""What cases cannot say: time, memory, and that no message shows a regular expression."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monolith.manifest import advice
from monolith.manifest.models import Fragment, StackFile

CASES = Path(__file__).parent / "validate"
HOSTILE = ["alias-bomb", "alias-of-itself", "anchor-merged-into-itself", "nested-without-end"]
READ = r"""
import json, re, sys, time
from pathlib import Path
from monolith.manifest import yamlfile

began = time.process_time()
problems = yamlfile.read(Path(sys.argv[1]), "bomb").problems
seconds = time.process_time() - began
# Not ru_maxrss: it begins with what the parent held.
peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
print(json.dumps([len(problems), seconds, peak / 1024]))
"""


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_quickly_and_in_little_memory(case: str) -> None:
    command = [sys.executable, "-c", READ, str(CASES / case / "config/web/compose.yaml")]
    ended = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
    problems, seconds, megabytes = json.loads(ended.stdout)
    assert problems == 1
    assert seconds < 1
    assert megabytes < 100


def test_every_pattern_of_the_manifest_has_words() -> None:
    found = {*_patterns(Fragment.model_json_schema()), *_patterns(StackFile.model_json_schema())}
    assert found == set(advice.PATTERNS)


def test_advice_on_what_is_missing_is_about_what_is_required() -> None:
    whole = [Fragment.model_json_schema(), StackFile.model_json_schema()]
    parts = [part for one in whole for part in (one, *one["$defs"].values())]
    assert {key for part in parts for key in part.get("required", [])} >= set(advice.MISSING)


def _patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from (value for key, value in schema.items() if key == "pattern")
        yield from schema.get("patternProperties", {})
        for value in schema.values():
            yield from _patterns(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _patterns(value)
