"""Reports of a search, of why and of an update in headless Chromium: contrast, keyboard, nothing cut off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from optimise_sample import sample_search
from test_report_browser import CONTRAST, OVERLAPS
from understand_sample import sample_understanding
from update_sample import sample_update

from metachron.report.optimise_report import write_optimise_report
from metachron.report.understand_report import write_understand_report
from metachron.report.update_report import write_update_report

pytestmark = pytest.mark.browser
KINDS = ("search", "understand", "update")
A4_WIDTH = 688  # 182 mm: A4 less its margins, at 96 dpi


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    return {
        "search": write_optimise_report(
            sample_search(), folder / "o.html", understanding=sample_understanding(), update=sample_update()
        ),
        "understand": write_understand_report(sample_understanding(), folder / "u.html"),
        "update": write_update_report(sample_update(), folder / "d.html"),
    }


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.problems = []
    page.on("console", lambda m: page.problems.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: page.problems.append(str(e)))
    page.on("request", lambda r: None if r.url.startswith("file:") else page.problems.append(r.url))
    yield page
    assert page.problems == []
    page.close()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_overlaps_or_is_cut_off(page: Any, pages: dict[str, Path], kind: str) -> None:
    page.goto(pages[kind].as_uri())
    assert page.locator("svg.chart text").count() > 60
    for width in (1280, 800, 400):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize("kind", KINDS)
def test_text_has_contrast(page: Any, pages: dict[str, Path], kind: str) -> None:
    page.goto(pages[kind].as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate(CONTRAST) == []


def test_keyboard_reaches_sections_and_tables(page: Any, pages: dict[str, Path]) -> None:
    page.goto(pages["search"].as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    summary = page.locator("#sure summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("#sure table").first.is_visible()


def test_everything_reads_without_the_script(browser: Any, pages: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for kind in KINDS:
        page.goto(pages[kind].as_uri())
        assert page.locator("svg.chart").first.is_visible()
        page.locator("summary").first.click()
        assert page.locator("details table").first.is_visible()
    context.close()


@pytest.mark.parametrize("kind", KINDS)
def test_prints_on_a4_without_cutting(page: Any, pages: dict[str, Path], tmp_path: Path, kind: str) -> None:
    page.goto(pages[kind].as_uri())
    page.emulate_media(media="print")
    page.set_viewport_size({"width": A4_WIDTH, "height": 1000})
    assert page.evaluate("document.documentElement.scrollWidth") <= A4_WIDTH
    assert page.evaluate(OVERLAPS) == []
    page.pdf(path=tmp_path / "r.pdf", prefer_css_page_size=True)
    assert (tmp_path / "r.pdf").stat().st_size > 30_000
