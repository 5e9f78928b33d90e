"""A real browser without a window, and what is asked of a page in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
ENOUGH = 4.5
"""WCAG AA: contrast of text of ordinary size."""

CONTRASTS = """() => {
  const channel = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => channel(v / 255))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = numbers(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement;
    if (!text.data.trim() || !node.checkVisibility()) continue;
    const pair = [light(numbers(getComputedStyle(node).color)), light(ground(node))].sort();
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    found.push([text.data.trim().slice(0, 40), ratio]);
  }
  return found;
}"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; skips where there is none."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium (apt-get install chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


def open_page(
    browser: Browser, url: str, *, dark: bool = False, size: Any = DESKTOP, **options: Any
) -> tuple[Page, list[str]]:
    """A page, and the list into which its console writes from now on."""
    scheme = "dark" if dark else "light"
    page = browser.new_context(viewport=size, color_scheme=scheme, **options).new_page()  # type: ignore[arg-type]
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto(url)
    return page, told


def contrasts(page: Page) -> dict[str, float]:
    """Text -> its contrast to what is behind it, of all that is visible."""
    return dict(page.evaluate(CONTRASTS))


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def focus_order(page: Page) -> list[str]:
    """What the tabulator key leads to, in its order: ids, or addresses where there is none."""
    found: list[str] = []
    while len(found) < 200:
        page.keyboard.press("Tab")
        name = page.evaluate(
            "document.activeElement === document.body ? '' :"
            " document.activeElement.id || document.activeElement.getAttribute('href')"
        )
        if not name or name in found:
            break
        found.append(name)
    return found
