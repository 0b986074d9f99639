"""The validation report in headless Chromium: nothing wider than the page, text whole, tables that sort."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_trials import curve, exponential_arm, trial

from metachron.calibrate import predict, validate
from metachron.calibrate.validate import Settings
from metachron.report.validation import write_validation

pytestmark = pytest.mark.browser

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


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A report of several trials with long names, one of them only shown."""
    monkeypatch.setattr(predict, "simulate_arm", exponential_arm)
    arms = [
        {"name": "control", "strategy": "folfiri", "n": 150},
        {
            "name": "a_very_long_name_of_an_arm_with_bevacizumab",
            "strategy": "folfiri + bevacizumab",
            "n": 150,
        },
    ]
    long = arms[1]["name"]
    trials = {
        name: trial(
            name,
            arms=arms,
            curves=[
                curve("control", 0.1),
                curve(long, rate),
                curve(long, 0.1, figure="2", use="shown", reason="twice the same patients"),
            ],
        )
        for name, rate in (("FIRST", 0.06), ("SECOND", 0.09), ("PROTOCOL-WITH-A-LONG-NAME-2024", 0.2))
    }
    monkeypatch.setattr(validate, "load_targets", lambda: trials)
    found = validate.validate(trials, settings=Settings(draws=20, per_draw=40))
    return write_validation(found, tmp_path / "validation.html")


@pytest.fixture
def page(chromium: str) -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_is_cut_off(page: Any, report: Path, width: int) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(report.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERLAPS) == []
    assert faults == []


def test_tables_sort_by_number_both_ways(page: Any, report: Path) -> None:
    page.goto(report.as_uri())
    table = page.locator("table.sortable").first
    button = table.locator("thead button", has_text="error")
    cells = "t => [...t.tBodies[0].rows].map(r => parseFloat(r.cells[5].textContent))"
    button.click()
    rising = table.evaluate(cells)
    assert rising == sorted(rising)
    assert len(set(rising)) > 2
    button.click()
    assert table.evaluate(cells) == rising[::-1]
    assert table.locator("th[aria-sort=descending]").count() == 1
