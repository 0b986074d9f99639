"""The drawing of figures: places of points, escaped text, round ticks."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from metachron.report.svg import Drawing, Panel, grid_of, round_ticks

SVG = "{http://www.w3.org/2000/svg}"


def parts(sheet: Drawing) -> ET.Element:
    return ET.fromstring(str(sheet.to_svg("n", "Title of it", "What it shows")))


def test_points_lie_where_the_axes_say() -> None:
    sheet = Drawing(2.0, 1.0)
    panel = Panel(sheet, 10.0, 20.0, 100.0, 40.0, (0.0, 50.0), (0.0, 1.0))
    panel.line([0.0, 25.0, 50.0], [0.0, 0.5, 1.0], "#123456", 1.5, dash=(2, 1), classes=("st", "st-1"))
    group = parts(sheet).find(f"{SVG}g")
    assert group is not None
    assert group.get("class") == "st st-1"
    path = group[0]
    assert path.get("d") == "M10 60L60 40L110 20"
    assert path.get("stroke-dasharray") == "3 1.5"
    assert parts(sheet).get("viewBox") == "0 0 144 72"


def test_rows_run_downwards_when_the_limits_do() -> None:
    panel = Panel(Drawing(1, 1), 0.0, 0.0, 10.0, 30.0, (0.0, 1.0), (3.0, 0.0))
    assert [panel.y(v) for v in (0.0, 1.0, 3.0)] == [0.0, 10.0, 30.0]


def test_bars_are_cut_at_the_edges_and_left_out_beyond_them() -> None:
    sheet = Drawing(1, 1)
    panel = Panel(sheet, 0.0, 0.0, 10.0, 10.0, (0.0, 10.0), (1.0, 0.0))
    panel.bar(-5.0, 20.0, 0.5, 0.2, "#000000")
    panel.bar(12.0, 15.0, 0.5, 0.2, "#000000")
    (bar,) = parts(sheet).findall(f"{SVG}rect")
    assert (bar.get("x"), bar.get("width"), bar.get("height")) == ("0", "10", "2")


def test_text_is_escaped_and_titles_too() -> None:
    sheet = Drawing(1, 1)
    sheet.text(0, 10, "<b> & $x$\nsecond line")
    drawn = ET.fromstring(str(sheet.to_svg("n", "<t>", "&")))
    assert [t.text for t in drawn.findall(f"{SVG}text")] == ["<b> & $x$", "second line"]
    assert drawn.findtext(f"{SVG}title") == "<t>"


@pytest.mark.parametrize("shape", ["o", "D", ">", "<"])
def test_every_marker_is_drawn_about_its_place(shape: str) -> None:
    sheet = Drawing(1, 1)
    Panel(sheet, 0.0, 0.0, 10.0, 10.0, (0.0, 1.0), (0.0, 1.0)).mark(shape, 0.5, 0.5, 4.0, "#000000")
    (mark,) = list(parts(sheet))[2:]
    if shape == "o":
        assert (mark.get("cx"), mark.get("cy"), mark.get("r")) == ("5", "5", "2")
        return
    corners = [tuple(map(float, p.split())) for p in str(mark.get("d")).strip("MZ").split("L")]
    assert all(2.0 <= x <= 8.0 and 2.0 <= y <= 8.0 for x, y in corners)


def test_panels_fill_the_sheet_between_the_edges() -> None:
    sheet = Drawing(10.0, 5.0)
    frames = grid_of(sheet, 2, 3, (1.0, 0.5, 1.0, 0.5), (0.25, 0.5))
    assert len(frames) == 6
    left, top, width, height = frames[-1]
    assert left + width == pytest.approx(sheet.width - 72)
    assert top + height == pytest.approx(sheet.height - 36)
    assert frames[1][0] - frames[0][0] == pytest.approx(1.25 * width)


@pytest.mark.parametrize("limit", [0.004, 0.3, 1.0, 7.0, 24.9, 110.0, 5e4])
def test_ticks_are_few_round_and_hold_nought(limit: float) -> None:
    ticks = round_ticks(limit, 5)
    assert 1 <= len(ticks) <= 5
    assert 0.0 in ticks
    assert ticks[-1] <= limit * (1 + 1e-9)
    assert ticks[-1] >= 0.4 * limit
    assert ticks == [-t for t in reversed(ticks)]


def test_a_report_is_made_without_matplotlib() -> None:
    code = "import sys, metachron.report.build; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
