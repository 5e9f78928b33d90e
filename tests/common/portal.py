"""The portal of a stack that runs on an engine. A lane imports these and gives `platform`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Response, expect
from prometheus_client.parser import text_string_to_metric_families

from tests.common.browser import ENOUGH, PHONE, contrasts, open_page, overflow
from tests.common.browser import browser as browser
from tests.common.platform import DOMAIN, eventually
from tests.compose.conftest import ComposePlatform

RED_SECONDS = 30
ASK = "import urllib.request as r; print(r.urlopen('{}').read().decode())"
METRICS = "http://portal.service.consul:8000/metrics"
LARGEST = 100_000
VICTIM = "mlflow"
# The pages of Prometheus are not in the module that the image here is built from.
PAGELESS = ("prometheus",)


@pytest.fixture
def address(platform: ComposePlatform) -> str:
    """The bare domain, which browsers find without any name server."""
    found = f"http://{DOMAIN}:{platform.ports['HTTP']}"
    assert eventually(lambda: platform.through_front_door("", "/healthz").is_success, 60)
    return found


@pytest.fixture
def portal(browser: Browser, address: str) -> Iterator[tuple[Page, list[str]]]:
    """Its page in a browser, and what the console told."""
    page, told = open_page(browser, f"{address}/")
    yield page, told
    page.context.close()


def states(platform: ComposePlatform) -> dict[str, str]:
    """State of each service, as the portal says."""
    services = platform.through_front_door("", "/status.json").json()["services"]
    return {service["name"]: service["state"] for service in services}


def test_every_service_is_on_the_page_as_it_is(
    platform: ComposePlatform, portal: tuple[Page, list[str]]
) -> None:
    wanted = {name: row["state"] for name, row in platform.status().items()}
    assert eventually(lambda: states(platform) == wanted, 60), (states(platform), wanted)
    page, told = portal
    expect(page.locator("h1")).to_have_text("All services are well", timeout=20_000)
    for name in wanted:
        assert page.locator(f"#service-{name}").count() == 1
    assert told == []


def test_every_link_leads_to_a_page_that_answers(
    platform: ComposePlatform, portal: tuple[Page, list[str]]
) -> None:
    page, _ = portal
    links = page.eval_on_selector_all("a[href]", "all => all.map((one) => one.href)")
    assert len(links) > 8
    for link in dict.fromkeys(link.partition("#")[0] for link in links):
        answer = page.goto(link, wait_until="commit")
        pageless = any(f"//{name}." in link for name in PAGELESS)
        assert answer is not None and (answer.ok or pageless), (link, answer and answer.status)


def test_it_shows_what_ran_and_which_model_is_the_champion(
    platform: ComposePlatform, portal: tuple[Page, list[str]]
) -> None:
    page, _ = portal
    expect(page.locator("#models")).to_contain_text("digits", timeout=20_000)
    expect(page.locator("#runs")).to_contain_text("train-digits")
    expect(page.locator("#runs")).to_contain_text("Completed")


def test_the_page_can_be_read_and_fits_a_phone(browser: Browser, address: str) -> None:
    for dark in (False, True):
        page, told = open_page(browser, address, dark=dark, size=PHONE)
        found = contrasts(page)
        assert {text: ratio for text, ratio in found.items() if ratio < ENOUGH} == {}
        assert overflow(page) <= 0
        assert told == []
        page.context.close()


def test_the_page_is_small_and_all_from_here(browser: Browser, address: str) -> None:
    page, _ = open_page(browser, "about:blank")
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(address, wait_until="networkidle")
    assert {answer.url.startswith(address) for answer in answers} == {True}
    assert len(answers) >= 3
    assert sum(len(answer.body()) for answer in answers) <= LARGEST
    page.context.close()


def _turns(page: Page, state: str, seconds: float = RED_SECONDS) -> float:
    """Seconds until the page of a browser shows the victim in `state`."""
    began = time.monotonic()
    card = page.locator(f"#service-{VICTIM}")
    expect(card).to_have_class(f"card {state}", timeout=seconds * 1000)
    return time.monotonic() - began


def test_a_stopped_service_turns_red_within_30_seconds_and_back(
    platform: ComposePlatform, portal: tuple[Page, list[str]]
) -> None:
    page, told = portal
    _turns(page, "healthy", 60)
    try:
        platform.compose("stop", "--timeout", "5", VICTIM)
        _turns(page, "stopped")
    finally:
        platform.compose("start", VICTIM)
    _turns(page, "healthy", 90)
    assert told == []


def test_a_service_that_answers_no_more_turns_red_within_30_seconds(
    platform: ComposePlatform, portal: tuple[Page, list[str]]
) -> None:
    """It runs, says the engine; that it hangs is what Consul's check finds."""
    page, _ = portal
    _turns(page, "healthy", 60)
    try:
        platform.compose("kill", "--signal", "STOP", VICTIM)
        _turns(page, "unhealthy")
    finally:
        platform.compose("kill", "--signal", "CONT", VICTIM)
    _turns(page, "healthy", 60)


def metrics(platform: ComposePlatform) -> dict[str, dict[str, float]]:
    """Metric -> service -> value, as Prometheus gets them inside the network."""
    found: dict[str, dict[str, float]] = {}
    text = platform.inside("prefect", "python", "-c", ASK.format(METRICS))
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[sample.labels.get("service", "")] = sample.value
    return found


def test_what_prometheus_gets_is_what_the_engine_says(platform: ComposePlatform) -> None:
    found, running = metrics(platform), platform.running()
    for name, one in running.items():
        limit = one["HostConfig"]["Memory"]
        assert found["container_spec_memory_limit_bytes"][name] == limit
        assert 0 < found["container_memory_working_set_bytes"][name] < limit
        assert found["container_cpu_usage_seconds_total"][name] > 0
        assert found["container_restarts_total"][name] == one["RestartCount"]
        assert found["monolith_service_healthy"][name] == 1
    assert set(found["container_log_bytes"]) == set(platform.containers())
    assert eventually(lambda: metrics(platform).get("mlflow_registered_models", {}).get("") == 1)
    assert platform.through_front_door("", "/metrics").status_code == httpx.codes.NOT_FOUND


def test_it_needs_no_power_and_little_memory(platform: ComposePlatform) -> None:
    host: dict[str, Any] = platform.containers()["portal"]["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["ReadonlyRootfs"]
    assert all(bind.endswith(":ro") for bind in host["Binds"])
    row = platform.status()["portal"]
    assert row["memory"] < 0.6 * row["memory_limit"]


def test_it_is_found_by_its_name_on_the_command_line(
    platform: ComposePlatform, address: str
) -> None:
    assert address in platform.run("open", "portal")
    assert platform.status()["portal"]["address"] == address
