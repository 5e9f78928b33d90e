"""The page in a real browser, with every state and colour on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from monolith.portal.server import Site, handler
from monolith.portal.status import Picture
from tests.common.browser import (
    ENOUGH,
    PHONE,
    browser,
    contrasts,
    focus_order,
    open_page,
    overflow,
)  # fmt: skip
from tests.unit.portal.samples import NASTY, container, pictured, troubled

__all__ = ["browser"]
LIVE_SECONDS = 10_000


@pytest.fixture
def shown() -> dict[str, Picture]:
    return {"now": troubled()}


@pytest.fixture
def address(shown: dict[str, Picture]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(Site(lambda: shown["now"]))) as http:
        threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()


Visit = Callable[..., tuple[Page, list[str]]]


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    pages: list[Page] = []

    def open_it(**options: Any) -> tuple[Page, list[str]]:
        page, told = open_page(browser, address, **options)
        pages.append(page)
        return page, told

    yield open_it
    for page in pages:
        page.context.close()


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_can_be_read(visit: Visit, dark: bool) -> None:
    page, told = visit(dark=dark)
    found = contrasts(page)
    assert len(found) > 40
    assert {text: ratio for text, ratio in found.items() if ratio < ENOUGH} == {}
    assert told == []


def test_the_measure_of_contrast_can_be_failed(visit: Visit) -> None:
    page, _ = visit(bypass_csp=True)
    page.add_style_tag(content=".about { color: #aaa } h1 { color: #ddd }")
    found = contrasts(page)
    assert found["About mlflow"] == pytest.approx(2.32, abs=0.01)
    assert min(found.values()) < 1.5


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone(visit: Visit, dark: bool) -> None:
    page, _ = visit(dark=dark, size=PHONE)
    assert overflow(page) <= 0
    page.evaluate("document.querySelector('h1').innerHTML = 'x<br>' + 'x'.repeat(400)")
    assert overflow(page) <= 0


def test_the_keyboard_walks_from_top_to_bottom(visit: Visit) -> None:
    page, _ = visit(size=PHONE)
    order = focus_order(page)
    apps = ["open-prefect", "open-mlflow", "open-far"]
    assert [name for name in order if name.startswith("open-")] == [*apps, "open-consul"]
    tops = [page.locator(f"[id='{name}'], a[href='{name}']").first.bounding_box() for name in order]
    heights = [box["y"] for box in tops if box]
    assert len(heights) == len(order) > 8
    assert heights == sorted(heights)


def test_what_has_the_focus_is_outlined(visit: Visit) -> None:
    page, _ = visit()
    links = focus_order(page)
    page.evaluate("document.activeElement.blur()")
    for _ in links:
        page.keyboard.press("Tab")
        # A card is one link: its outline is around the whole of it.
        outlines = page.evaluate("""['', '::after'].map(
          (part) => getComputedStyle(document.activeElement, part).outlineStyle)""")
        assert "solid" in outlines, page.evaluate("document.activeElement.outerHTML")


def test_what_others_write_runs_nowhere(visit: Visit) -> None:
    page, told = visit()
    expect(page.locator("#runs li").first).to_contain_text(NASTY)
    assert page.locator("#runs script").count() == 0
    assert told == []


def test_it_follows_without_a_new_visit_and_keeps_the_focus(
    visit: Visit, shown: dict[str, Picture]
) -> None:
    shown["now"] = pictured()
    page, told = visit()
    expect(page.locator("h1")).to_have_text("All services are well")
    page.locator("#open-mlflow").focus()
    containers = dict(shown["now"].said.containers or {})
    containers["mlflow"] = container("mlflow", running=False)
    shown["now"] = pictured(containers=containers)
    expect(page.locator("#service-mlflow")).to_have_class("card stopped", timeout=LIVE_SECONDS)
    expect(page.locator("h1")).to_have_text("Mlflow needs attention")
    assert page.title() == "(1) Monolith"
    assert page.evaluate("document.activeElement.id") == "open-mlflow"
    assert told == []


def test_it_is_whole_without_a_script(visit: Visit) -> None:
    page, _ = visit(java_script_enabled=False)
    expect(page.locator("#service-far")).to_contain_text("Far")
    assert page.locator("noscript meta[http-equiv=refresh]").count() == 1


def test_it_says_so_when_the_portal_is_gone(visit: Visit) -> None:
    page, _ = visit()
    expect(page.locator(".lost")).to_be_hidden()
    page.route("**/*", lambda route: route.abort())
    expect(page.locator(".lost")).to_be_visible(timeout=LIVE_SECONDS)
    page.unroute("**/*")
    expect(page.locator(".lost")).to_be_hidden(timeout=LIVE_SECONDS)
