"""The report in headless Chromium: no errors, keyboard, controls, contrast, and nothing cut off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sample import sample_plan

from metachron.plan.results import Plan
from metachron.report.build import write_report

pytestmark = pytest.mark.browser

CONTRAST = """() => {
  const parse = c => { const m = c.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const lin = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); };
  const lum = c => 0.2126 * lin(c[0]) + 0.7152 * lin(c[1]) + 0.0722 * lin(c[2]);
  const bad = [];
  for (const e of document.querySelectorAll('body *')) {
    if (e.closest('svg') || !e.getClientRects().length) continue;
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    let behind = [255, 255, 255, 1];
    for (let p = e; p; p = p.parentElement) {
      const b = parse(getComputedStyle(p).backgroundColor);
      if (b[3] === 1) { behind = b; break; }
    }
    const a = lum(parse(getComputedStyle(e).color)), b = lum(behind);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(e.className + ' ' + e.textContent.slice(0, 30) + ' ' + ratio.toFixed(2));
  }
  return bad;
}"""
OVERLAPS = """() => {
  const bad = [];
  for (const svg of document.querySelectorAll('svg.chart')) {
    const frame = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll('text')].filter(t => t.textContent.trim())
      .map(t => [t.textContent, t.getBoundingClientRect()]);
    boxes.forEach(([text, a], i) => {
      if (a.left < frame.left - 1 || a.right > frame.right + 1) bad.push('cut off: ' + text);
      boxes.slice(i + 1).forEach(([other, b]) => {
        const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (x > 1 && y > 0.45 * Math.min(a.height, b.height)) bad.push(text + ' | ' + other);
      });
    });
  }
  return bad;
}"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(sample_plan(), tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def page(browser: Any, report: Path) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.problems = []
    page.on("console", lambda m: page.problems.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: page.problems.append(str(e)))
    page.on("request", lambda r: None if r.url.startswith("file:") else page.problems.append(r.url))
    page.goto(report.as_uri())
    yield page
    assert page.problems == []
    page.close()


def test_keyboard_reaches_the_report_and_its_controls(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.reload()
    order = []
    for _ in range(14):
        page.keyboard.press("Tab")
        order.append(
            page.evaluate("document.activeElement.getAttribute('href') || document.activeElement.id")
        )
    assert order[:3] == ["#main", "#brief", "#patient"]
    assert "highlight" in order
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_a_strategy_can_be_hidden_and_shown_again(page: Any) -> None:
    line = page.locator("#fig-os .chart").first.locator(".st-2.st-line").first
    assert line.is_visible()
    box = page.locator('#fig-os input[data-toggle="2"]')
    box.focus()
    page.keyboard.press("Space")
    assert not line.is_visible()
    assert page.locator("#fig-rfs-or-pfs .st-2.st-line").first.is_visible()
    page.locator("#fig-os button.all").click()
    assert line.is_visible()
    assert box.is_checked()


def test_bands_and_highlight(page: Any) -> None:
    band = page.locator("#fig-os .st-3.st-band").first
    assert band.evaluate("e => getComputedStyle(e).display") == "none"
    page.locator("#fig-os input.bands").check()
    assert band.evaluate("e => getComputedStyle(e).display") != "none"
    page.locator("#highlight").select_option("3")
    assert page.locator('.answers tr[data-s="3"]').evaluate("e => e.classList.contains('is-lit')")
    page.locator("#highlight").select_option("")
    assert page.locator(".is-lit").count() == 0


def test_text_has_contrast(page: Any) -> None:
    assert page.evaluate(CONTRAST) == []


def test_the_key_of_letters_survives_many_strategies(page: Any, tmp_path: Path) -> None:
    page.goto(write_report(crowded_plan(), tmp_path / "crowded.html").as_uri())
    assert page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize("width", [1280, 800, 400])
def test_nothing_overlaps_or_is_cut_off(page: Any, width: int) -> None:
    assert page.locator("svg.chart text").count() > 300
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERLAPS) == []


def test_everything_reads_without_the_script(browser: Any, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator(".answers").is_visible()
    assert page.locator("#fig-os .chart").first.is_visible()
    assert not page.locator("#highlight").is_visible()
    assert not page.locator("#fig-os input.toggle").first.is_visible()
    page.locator("#fig-os summary").click()
    assert page.locator("#fig-os table").first.is_visible()
    context.close()


def crowded_plan() -> Plan:
    """Thirteen ranked strategies, as many as a report is likely to compare."""
    plan = sample_plan()
    ranked = [s for s in plan.strategies if s.outcomes and s.name not in plan.not_ranked]
    more = [s.model_copy(update={"name": f"{s.name}_{i}"}) for i in range(2) for s in ranked]
    return sample_plan(strategies=[*plan.strategies, *more[:7]])


@pytest.mark.parametrize("crowded", [False, True])
def test_the_page_for_the_patient_is_one_printed_page(page: Any, tmp_path: Path, crowded: bool) -> None:
    if crowded:
        page.goto(write_report(crowded_plan(), tmp_path / "crowded.html").as_uri())
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 1000})  # 182 mm: A4 less its margins, at 96 dpi
    height = page.locator("#plain").evaluate("e => e.getBoundingClientRect().height")
    assert height <= 266 / 25.4 * 96
    path = tmp_path / "report.pdf"
    page.pdf(path=path, prefer_css_page_size=True)
    assert path.stat().st_size > 50_000
