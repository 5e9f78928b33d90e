"""The collector: whose line it is, how grave it is, and that none is lost or doubled."""

from __future__ import annotations

import subprocess
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.common.platform import eventually
from tests.compose.conftest import ComposePlatform, docker
from tests.full import logs
from tests.full.test_observability import prometheus, value

TRACE, SPAN = "0123456789abcdef0123456789abcdef", "0123456789abcdef"
LEVELS = {
    "2026-11-24 16:00:00.000 UTC [10] LOG:  checkpoint starting": "info",
    '2026-11-24 16:00:00.000 UTC [10] ERROR:  relation "x" does not exist': "error",
    "2026-11-24 16:00:00.000 UTC [10] FATAL:  the database system is starting up": "fatal",
    '{"level":"warn","msg":"json"}': "warn",
    '{"level":50,"msg":"a number, as Node writes it"}': "error",
    "2026-11-24 16:00:00.000000+00:00 [debug] <0.1.0> ERROR is only a word here": "debug",
    'ts=2026-11-24T16:00:00Z level=error msg="key and value"': "error",
    "2026-11-24T16:00:00Z WRN short": "warn",
    "16:00:00.123 | CRITICAL | prefect - no way": "error",
    "1:M 24 Nov 2026 16:00:00.000 # Valkey marks what is grave": "warn",
    "1:M 24 Nov 2026 16:00:00.000 * Valkey is ready": "info",
    "a [trace_id=0] is no level": "info",
    "says nothing of it": "info",
}
TRACEBACK = """Traceback (most recent call last):
  File "x.py", line 1, in <module>
    1 / 0
ZeroDivisionError: division by zero"""


@dataclass(frozen=True)
class Talker:
    """A container that says what it is told, as a service of the stack."""

    full: ComposePlatform
    service: str
    container: str

    def say(self, text: str) -> None:
        """Lines on its standard output."""
        command = ["docker", "exec", "-i", self.container, "sh", "-c", "cat > /proc/1/fd/1"]
        subprocess.run(command, input=text + "\n", text=True, check=True)

    def heard(self, more: str = "") -> list[logs.Line]:
        """What Loki has of it."""
        return logs.lines(self.full, f'{{service="{self.service}"}} {more}')


def start(full: ComposePlatform, project: str) -> Talker:
    service = f"talker-{uuid.uuid4().hex[:8]}"
    labels = {"com.docker.compose.project": project, "com.docker.compose.service": service}
    words = [word for name, text in labels.items() for word in ("--label", f"{name}={text}")]
    container = docker(
        "run", "-d", *words, "--log-opt", f"labels={','.join(labels)}", "--init",
        "--health-cmd", "true", "--health-interval", "2s",
        "--entrypoint", "sleep", "docker.io/library/debian:trixie-slim", "3600",
    )  # fmt: skip
    return Talker(full, service, container.strip())


@pytest.fixture
def talker(full: ComposePlatform) -> Iterator[Talker]:
    found = start(full, full.project)
    yield found
    docker("rm", "-f", found.container)


def test_each_line_has_service_stack_and_level(talker: Talker) -> None:
    talker.say("\n".join(LEVELS))
    assert eventually(lambda: len(talker.heard()) == len(LEVELS), 60), talker.heard()
    assert {line.text: line.labels["level"] for line in talker.heard()} == LEVELS
    assert {line.labels["stack"] for line in talker.heard()} == {"full"}


def test_a_line_of_a_trace_is_found_by_it(talker: Talker) -> None:
    for text in (f"INFO x trace_id={TRACE} span_id={SPAN} done", f'{{"traceId": "{TRACE}"}}', "x"):
        talker.say(text)
    assert eventually(lambda: len(talker.heard()) == 3, 60), talker.heard()
    found = talker.heard(f'| trace_id="{TRACE}"')
    assert [line.labels.get("span_id") for line in found] == [SPAN, None]


def test_a_traceback_is_one_entry_and_an_error(talker: Talker) -> None:
    talker.say(f"before\n{TRACEBACK}\nafter")
    assert eventually(lambda: len(talker.heard()) == 2, 60), talker.heard()
    first, last = talker.heard()
    assert (first.text, first.labels["level"]) == (f"before\n{TRACEBACK}", "error")
    assert (last.text, last.labels["level"]) == ("after", "info")


def test_a_line_that_the_engine_cuts_is_whole_again(talker: Talker) -> None:
    talker.say("x" * 40_000)
    assert eventually(talker.heard, 60)
    assert [len(line.text) for line in talker.heard()] == [40_000]


def test_nothing_is_lost_or_doubled_while_the_collector_or_loki_is_away(
    full: ComposePlatform, talker: Talker
) -> None:
    said = []

    def say(about: str) -> None:
        new = [f"{about} {number}" for number in range(500)]
        talker.say("\n".join(new))
        said.extend(new)

    say("before")
    full.compose("stop", "otel-collector")
    say("without the collector")
    full.compose("start", "otel-collector")
    full.compose("stop", "loki")
    say("without Loki")
    full.compose("restart", "otel-collector")
    say("without Loki, and begun anew")
    full.compose("start", "loki")
    assert eventually(full.all_healthy, 120)
    assert eventually(lambda: len(talker.heard()) >= len(said), 180), len(talker.heard())
    found = Counter(line.text for line in talker.heard())
    assert (Counter(said) - found, found - Counter(said)) == (Counter(), Counter())


def test_containers_of_others_are_left_alone(full: ComposePlatform, talker: Talker) -> None:
    other = start(full, "somebody-else")
    try:
        other.say("not ours")
        talker.say("ours")
        assert eventually(talker.heard, 60)
        assert other.heard() == []
    finally:
        docker("rm", "-f", other.container)


def test_every_address_is_opened_through_the_front_door(full: ComposePlatform) -> None:
    def failed() -> list[str]:
        found = prometheus(full, "query", query="probe_success")["result"]
        return [one["metric"]["service"] for one in found if one["value"][1] != "1"] or (
            [] if len(found) > 8 else ["not yet asked"]
        )

    assert eventually(lambda: not failed(), 180), failed()


def test_the_machine_and_the_stores_are_measured(full: ComposePlatform) -> None:
    questions = (
        'system_filesystem_usage_bytes{state="free"}', "system_memory_usage_bytes",
        "system_filesystem_inodes_usage", "system_cpu_load_average_1m", "pg_up == 1",
        "pg_database_size_bytes", "redis_up == 1", "node_timex_maxerror_seconds",
    )  # fmt: skip

    def missing() -> list[str]:
        return [question for question in questions if value(full, question) is None]

    assert eventually(lambda: not missing(), 120), missing()
