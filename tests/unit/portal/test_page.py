"""The page as text: everything escaped, whole without a script, and small."""

from __future__ import annotations

import re

import pytest

from monolith.portal import page
from monolith.portal.server import _STATIC
from monolith.portal.status import Said, picture
from tests.unit.portal.samples import CARDS, NASTY, NOW, card, container, pictured, troubled

LARGEST = 100_000


def html(**keys: object) -> str:
    return page.html(pictured(**keys)).decode()  # type: ignore[arg-type]


def test_every_service_is_on_it_with_what_the_manifest_says() -> None:
    text = html()
    for one in CARDS:
        assert text.count(f'id="service-{one.name}"') == 1
        assert one.title in text and one.about in text
    assert 'href="http://prefect.monolith.localhost:8080"' in text
    assert "32 MB <span" in text and "of 64 MB" in text
    assert "All services are well" in text


def test_what_others_write_is_text_and_never_markup() -> None:
    text = page.html(troubled()).decode()
    assert NASTY not in text
    assert text.count("&lt;script&gt;alert(&#39;x&#39;)") == 2


def test_nothing_is_inline_and_nothing_from_elsewhere() -> None:
    text = page.html(troubled()).decode()
    assert not re.search(r"<[^>]+\s(on\w+|style)=", text)
    assert not re.search(r"<(style|script)>", text)
    sources = re.findall(r'<(?:link|script|img)[^>]*(?:href|src)="([^"]+)"', text)
    assert sources == ["/favicon.svg", "/portal.css", "/portal.js"]


def test_a_large_platform_fits_into_100_kilobytes() -> None:
    cards = [card(f"service-{number}", about="x" * 80) for number in range(40)]
    containers = {one.name: container(one.name) for one in cards}
    size = len(page.html(pictured(cards, containers=containers)))
    assert size + sum(file.stat().st_size for file in _STATIC.iterdir()) < LARGEST


def test_a_system_that_does_not_answer_is_named_in_its_place() -> None:
    text = html(flows=None, models=None, alerts=None, silent=frozenset({"prefect"}))
    assert "Prefect does not answer." in text
    assert "MLflow does not answer." in text
    assert "No answer from Prefect" in text
    assert "prometheus does not answer" in text


def test_an_empty_platform_says_what_to_do() -> None:
    nothing = picture(pictured().catalogue, Said(), NOW)
    assert page.html(nothing)
    assert "unknown" not in page.mood(pictured().rows)


@pytest.mark.parametrize(
    ("stopped", "text"),
    [
        ([], "All services are well"),
        (["mlflow"], "Mlflow needs attention"),
        (["mlflow", "prefect"], "Prefect and Mlflow need attention"),
        (["mlflow", "prefect", "consul"], "Prefect, Mlflow and 1 more need attention"),
    ],
)
def test_the_headline_names_who_needs_attention(stopped: list[str], text: str) -> None:
    containers = dict(pictured().said.containers or {})
    containers |= {name: container(name, running=False) for name in stopped}
    shown = pictured(containers=containers)
    assert page.headline(shown.rows) == text
    assert page.mood(shown.rows) == ("unhealthy" if stopped else "healthy")


def test_what_starts_is_waited_for_and_no_alarm() -> None:
    starting = {"mlflow": container("mlflow", health="starting")}
    containers = dict(pictured().said.containers or {}) | starting
    shown = pictured(containers=containers, checks=None)
    assert page.headline(shown.rows) == "1 of 6 services not ready yet"
    assert page.mood(shown.rows) == "starting"


def test_sizes_and_times_for_people() -> None:
    assert [page.size(n << 20) for n in (0, 96, 1536)] == ["0 MB", "96 MB", "1.5 GB"]
    found = [page.duration(seconds) for seconds in (59.9, 60, 7300, 200_000)]
    assert found == ["59 s", "1 min", "2 h", "2 d"]
    assert page.age("2027-01-15T07:59:00Z", NOW) == "1 min ago"
    assert page.age("", NOW) == ""
