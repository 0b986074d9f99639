"""The report as a document: one file, the same every time, well formed, and safe."""

from __future__ import annotations

import re
import time
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from sample import sample_patient, sample_plan

from metachron.plan.results import Plan
from metachron.report.build import render, safe_link, write_report

VOID = {"meta", "link", "br", "hr", "img", "input", "col", "source", "wbr", "base"}


class Page(HTMLParser):
    """Elements with their attributes, in order; checks that tags close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.stack: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack, tag
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] not in ("style", "script"):
            self.text.append(data)

    def having(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def html() -> str:
    return render(sample_plan())


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_same_plan_gives_the_same_bytes(html: str, tmp_path: Path) -> None:
    path = write_report(sample_plan(), tmp_path / "report.html")
    assert path.read_text(encoding="utf-8") == html


def test_small_and_quick() -> None:
    plan = sample_plan()
    compared = [s for s in plan.strategies if s.outcomes]
    extra = [s.model_copy(update={"name": f"{s.name}_2"}) for s in compared[:4]]
    plan = sample_plan(strategies=[*plan.strategies, *extra])
    start = time.process_time()
    size = len(render(plan).encode())
    assert size < 3_000_000
    assert time.process_time() - start < 6


def test_every_tag_closes(page: Page) -> None:
    assert page.stack == []


def test_ids_are_unique_and_every_reference_has_its_target(page: Page) -> None:
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert [k for k, n in Counter(ids).items() if n > 1] == []
    for _, a in page.elements:
        targets = a.get("aria-labelledby", "").split() + a.get("aria-controls", "").split()
        targets += [a["href"][1:]] if a.get("href", "").startswith("#") else []
        targets += [a["for"]] if "for" in a else []
        assert set(targets) <= set(ids)


def test_nothing_is_loaded_from_anywhere(html: str, page: Page) -> None:
    for tag, a in page.elements:
        assert not {"src", "srcset", "data", "poster", "action"} & set(a), tag
        if tag != "a":
            assert not a.get("href", "#").startswith(("http", "//")), tag
    assert page.having("link") == []
    assert not re.search(r"@import|url\((?!#)", html)
    assert "default-src 'none'" in html


def test_headings_are_in_order(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_figure_has_a_title_a_description_and_a_table(html: str) -> None:
    figures = re.findall(r"<figure.*?</figure>", html, flags=re.S)
    assert len(figures) > 10
    for figure in figures:
        drawings = [d for d in re.findall(r"<svg.*?</svg>", figure, flags=re.S) if 'role="img"' in d]
        assert drawings
        for drawing in drawings:
            assert re.search(r"<title id=[^>]+>[^<]{10,}</title><desc id=[^>]+>[^<]{10,}</desc>", drawing)
            assert "aria-labelledby" in drawing
        assert re.search(r"<details.*<table.*</details>", figure, flags=re.S)
        assert "<figcaption" in figure


def test_every_table_has_a_caption_and_scoped_headers(html: str) -> None:
    tables = re.findall(r"<table.*?</table>", html, flags=re.S)
    assert tables
    for table in tables:
        assert re.match(r"<table[^>]*>\s*<caption>[^<]+", table)
        assert all("scope=" in head for head in re.findall(r"<th\b[^>]*>", table))


def test_text_of_users_is_escaped() -> None:
    evil = "<script>alert(1)</script>&\"'$x$ {{ 7*7 }}"
    plan = sample_plan(
        patient=sample_patient() | {"title": evil, "id": evil, "sources": [evil]}, situation=evil
    )
    raw = plan.model_dump()
    for strategy in raw["strategies"]:
        strategy.update(title=evil, summary=evil, expression="")
        strategy["reasons"][0].update(text=evil, needs=[evil], citations=[evil])
        for bar in strategy["timetable"]:
            bar["label"] = evil
        if strategy["outcomes"]:
            strategy["outcomes"]["toxicity"][1]["kind"] = evil
    raw["patient"]["metastases"][0]["id"] = evil
    raw["bibliography"][0] |= {"text": evil, "link": "javascript:alert(1)"}
    html = render(Plan.model_validate(raw))
    page = Page(html)
    assert html.count("<script") == 1
    assert "javascript:" not in html
    assert "{{ 7*7 }}" in html  # a template in the text of a user is text
    assert page.stack == []


def test_only_web_addresses_become_links() -> None:
    assert safe_link("https://doi.org/10.1/x") == "https://doi.org/10.1/x"
    assert safe_link("javascript:alert(1)") == ""
    assert safe_link("data:text/html,x") == ""


def test_what_may_not_be_missing(page: Page) -> None:
    plan = sample_plan()
    text = " ".join(" ".join(page.text).split())
    for needed in (
        plan.disclaimer,
        plan.parameters_status,
        plan.situation,
        str(plan.seed),
        "prior-driven",
        "Not known:",
        "UGT1A1",
        "recalled, not yet checked",
        "Twins still at risk",
        "No detectable difference",
        "8 September 2025",
        "markers.her2",
        "metachron plan PATIENT.json --seed 20261123 --twins 2000 --draws 50 --horizon 10",
    ):
        assert needed in text, needed
    for limit in plan.limits:
        assert limit in text


def test_a_strategy_without_evidence_is_never_above_a_standard(html: str) -> None:
    plan = sample_plan()
    raw = plan.model_dump()
    raw["strategies"].reverse()  # the worst order the engine could give
    table = re.search(r'<table class="answers">.*?</table>', render(Plan.model_validate(raw)), flags=re.S)
    assert table is not None
    titles = {s.name: s.title for s in plan.strategies}
    divider = table.group().index("Investigational, not ranked")
    for name in plan.not_ranked:
        assert table.group().index(titles[name]) > divider
    assert table.group().index(titles[plan.reference]) < divider


@pytest.mark.parametrize("case", ["nobody eligible", "two strategies", "short horizon", "many"])
def test_plans_of_every_shape(case: str) -> None:
    plan = sample_plan()
    compared = [s for s in plan.strategies if s.outcomes]
    if case == "nobody eligible":
        plan = sample_plan(
            strategies=[s for s in plan.strategies if not s.outcomes],
            comparison=[],
            bibliography=[],
            scores=[],
            patient={"id": "x", "assessed_on": "2025-01-01", "age_years": 60},
        )
    elif case == "two strategies":
        plan = sample_plan(strategies=compared[:2])
    elif case == "many":
        many = [
            s.model_copy(update={"name": f"s{i}", "title": f"{s.title} " * 3})
            for i, s in enumerate(compared * 2)
        ]
        plan = sample_plan(strategies=[*compared, *many])
    else:
        raw = plan.model_dump()
        for strategy in raw["strategies"]:
            for key in ("os", "rfs_or_pfs", "hepatic_rfs") if strategy["outcomes"] else ():
                curve = strategy["outcomes"][key]
                for name in ("times_months", "survival", "lower", "upper"):
                    curve[name] = curve[name][:25]
                curve["landmarks"] = {"1": curve["landmarks"]["1"]}
                curve["median_months"] = {"value": None, "lower": 20.0, "upper": None}
        plan = Plan.model_validate(raw)
    assert Page(render(plan)).stack == []
