"""Calendar files: windows, stable identities, and what two independent parsers read back."""

from __future__ import annotations

import csv
import io
import itertools
import json
import warnings
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from metachron import DISCLAIMER, __version__
from metachron.cli import run
from metachron.errors import InputError
from metachron.interop.calendar_events import events_of
from metachron.interop.calendar_file import (
    CSV_HEAD,
    csv_text,
    ics_bytes,
    timetable_of,
    write_csv,
    write_ics,
)
from metachron.optimise.results import Evaluation, ObjectiveDescription, Optimisation, SearchSummary
from metachron.plan.results import Bar, Estimate, Plan, StrategyResult, TwinSummary

OXALI = "5-fluorouracil, leucovorin and oxaliplatin (mFOLFOX6)"


def bar(lane: str, label: str, start: float, end: float, **other: Any) -> Bar:
    given = {"start_window": (start, start), "end_window": (end, end), "share": 1.0, **other}
    return Bar.model_validate({"lane": lane, "label": label, "start_day": start, "end_day": end, **given})


def scan(day: float, number: int) -> Bar:
    return bar("scans", f"CT {number}", day, day)


CONVERSION = [
    bar("chemotherapy", f"{OXALI}, 8 cycles", 7, 119, end_window=(63, 168)),
    bar("targeted", "bevacizumab, 8 cycles", 7, 105, end_window=(49, 154)),
    bar("surgery", "liver resection (one stage)", 133, 140, start_window=(133, 182),
        end_window=(140, 189), share=0.388),
    bar("recovery", "recovery", 140, 175, start_window=(140, 189), end_window=(175, 224), share=0.388),
    scan(91, 1),
]  # fmt: skip
CELLS = [
    bar("chemotherapy", f"{OXALI}, until progression", 7, 231, end_window=(63, 511)),
    bar("cells", "6 infusions of cytokine-induced killer cells (CIK), day 8", 7, 91, end_window=(63, 91)),
]


def strategy(name: str, expression: str, timetable: list[Bar], **other: Any) -> StrategyResult:
    given = {"title": f"Title of {name}, with; signs\\", "basis": "prior-driven", **other}
    return StrategyResult.model_validate(
        {
            "name": name, "summary": "", "intent": "curative", "expression": expression, "eligible": "yes",
            "reasons": [], "evidence_grade": "option", "timetable": timetable, **given,
        }
    )  # fmt: skip


def plan(assessed_on: str | None = "2025-09-08", patient: str = "case-1") -> Plan:
    nothing = Estimate(value=0.5)
    return Plan(
        version=__version__,
        seed=1,
        settings={},
        disclaimer=DISCLAIMER,
        parameters_status="",
        patient={"id": patient, "assessed_on": assessed_on},
        scores=[],
        situation="",
        reference="conversion",
        twins=TwinSummary(
            requested=100, draws=2, candidates=100, effective_sample_size=50, matched_on=[],
            occult_probability=nothing, occult_mean=nothing, doubling_time_days=nothing,
        ),
        strategies=[
            strategy("conversion", "mfolfox6*8 + bevacizumab > hepatectomy", CONVERSION),
            strategy("cells", "mfolfox6 + cik*6@8", CELLS),
            strategy("none", "observation", []),
        ],
        comparison=[],
        bibliography=[],
        limits=[],
    )  # fmt: skip


def parsed(name: str | None = None, start: date | None = None) -> list[Any]:
    calendar = Calendar.from_ical(ics_bytes(timetable_of(plan(), name, start)))
    return list(calendar.walk("VEVENT"))


def summaries(events: list[Any]) -> list[str]:
    return [str(e["SUMMARY"]) for e in events]


def test_one_event_for_each_cycle_operation_and_scan() -> None:
    events = parsed()
    said = summaries(events)
    assert sum(s.startswith("mFOLFOX6, cycle") for s in said) == 8
    # anti-VEGF is left out of the last cycle before an operation
    assert sum(s.startswith("bevacizumab, cycle") for s in said) == 7
    assert [s for s in said if s.startswith("Surgery")] == [
        "Surgery: liver resection (one stage) (19 Jan to 9 Mar; in 39% of twins)"
    ]
    assert "Scan: CT 1" in said
    first = next(e for e in events if str(e["SUMMARY"]).startswith("mFOLFOX6, cycle 1 of 8"))
    assert first.decoded("DTSTART") == date(2025, 9, 15)
    assert first.decoded("DTEND") == date(2025, 9, 16)
    operation = next(e for e in events if "Surgery" in str(e["SUMMARY"]))
    assert (operation.decoded("DTEND") - operation.decoded("DTSTART")).days == 7  # the stay


def test_every_event_is_tentative_private_and_says_what_it_is() -> None:
    for event in parsed() + parsed("cells"):
        assert event["STATUS"] == "TENTATIVE"
        assert event["TRANSP"] == "TRANSPARENT"
        assert event["CLASS"] == "PRIVATE"
        assert DISCLAIMER in str(event["DESCRIPTION"])
        assert "Rests on: prior-driven" in str(event["DESCRIPTION"])


def test_the_window_widens_over_a_course_and_no_order_is_broken() -> None:
    cycles = [e for e in events_of(CONVERSION, "mfolfox6*8 + bevacizumab > hepatectomy", "outside")
              if e.lane == "chemotherapy"]  # fmt: skip
    widths = [e.latest - e.earliest for e in cycles if e.latest is not None]
    assert len(widths) == 8
    assert widths[0] == 0
    assert widths == sorted(widths)
    assert 0 < widths[-1] < 168 - 119  # the window of the end, which is one cycle later
    for e in cycles:
        assert e.latest is not None
        assert e.earliest <= e.day <= e.latest
    days = [e.day for e in cycles]
    assert [b - a for a, b in itertools.pairwise(days)] == [14] * 7


def test_a_course_that_ends_early_does_not_come_faster() -> None:
    short = [bar("chemotherapy", f"{OXALI}, 12 cycles", 7, 91, end_window=(63, 175))]
    events = events_of(short, "mfolfox6*12", "calibrated")
    assert [e.day for e in events] == [7 + 14 * k for k in range(12)]
    assert events[3].note == ""
    assert "one in ten" in events[5].note
    assert "half" in events[6].note


def test_a_delayed_course_is_spread() -> None:
    late = [bar("chemotherapy", f"{OXALI}, 6 cycles", 7, 7 + 6 * 16, end_window=(99, 131))]
    assert [e.day for e in events_of(late, "mfolfox6*6", "calibrated")] == [7 + 16 * k for k in range(6)]


def test_infusions_fall_on_their_day_of_the_cycle() -> None:
    events = events_of(CELLS, "mfolfox6 + cik*6@8", "prior-driven")
    infusions = [e for e in events if e.lane == "cells"]
    cycles = [e for e in events if e.lane == "chemotherapy"]
    assert [e.day for e in infusions] == [14, 28, 42, 56, 70, 84]
    assert [e.day for e in cycles[:3]] == [7, 21, 35]
    assert cycles[0].latest == 7
    assert cycles[1].latest is None  # how far an endless course drifts is not known
    assert "until progression" in cycles[-1].note


@pytest.mark.parametrize("expression", ["", "not a strategy", "hepatectomy"])
def test_labels_alone_tell_the_cycles_when_the_expression_does_not(expression: str) -> None:
    known = events_of(CELLS, "mfolfox6 + cik*6@8", "outside")
    assert [(e.day, e.label) for e in events_of(CELLS, expression, "outside")] == [
        (e.day, e.label) for e in known
    ]


def test_what_is_not_in_the_catalogue_is_one_event() -> None:
    found = events_of([bar("chemotherapy", "nostrum, 6 cycles", 7, 91)], "", "outside")
    assert [(e.label, e.cycle) for e in found] == [("nostrum, 6 cycles", None)]


def test_two_courses_of_the_same_drugs_keep_apart() -> None:
    twice = [
        bar("chemotherapy", f"{OXALI}, 6 cycles", 7, 91),
        bar("chemotherapy", f"{OXALI}, 6 cycles", 189, 273),
    ]
    document = plan()
    document.strategies[0] = strategy("conversion", "mfolfox6*6 > hepatectomy > mfolfox6*6", twice)
    events = list(Calendar.from_ical(ics_bytes(timetable_of(document))).walk("VEVENT"))
    assert len({str(e["UID"]) for e in events}) == len(events) == 12


def test_identities_stay_when_dates_move_and_differ_between_patients() -> None:
    before, after = parsed(), parsed(start=date(2026, 3, 2))
    assert [e["UID"] for e in before] == [e["UID"] for e in after]
    assert before[0].decoded("DTSTART") != after[0].decoded("DTSTART")
    other = Calendar.from_ical(ics_bytes(timetable_of(plan(patient="case-2")))).walk("VEVENT")
    assert not {str(e["UID"]) for e in before} & {str(e["UID"]) for e in other}


def test_bytes_are_those_of_the_standard_and_repeatable() -> None:
    table = timetable_of(plan())
    raw = ics_bytes(table)
    assert raw == ics_bytes(table)
    lines = raw.split(b"\r\n")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, lines)) <= 75
    assert lines[0] == b"BEGIN:VCALENDAR"
    assert lines[-2] == b"END:VCALENDAR"


@pytest.mark.parametrize("name", ["conversion", "cells"])
def test_a_second_parser_reads_the_same(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        vobject = pytest.importorskip("vobject")
        text = ics_bytes(timetable_of(plan(), name)).decode()
        calendar = vobject.readOne(text)
        theirs = calendar.vevent_list
    ours = parsed(name)
    assert len(theirs) == len(ours)
    for one, other in zip(theirs, ours, strict=True):
        assert one.summary.value == str(other["SUMMARY"])
        assert one.description.value == str(other["DESCRIPTION"])
        assert one.dtstart.value == other.decoded("DTSTART")
        assert one.dtend.value == other.decoded("DTEND")
        assert one.uid.value == str(other["UID"])
        assert one.status.value == "TENTATIVE"


def test_the_table_holds_the_same_events() -> None:
    table = timetable_of(plan(), "cells")
    rows = list(csv.DictReader(io.StringIO(csv_text(table))))
    assert tuple(rows[0]) == CSV_HEAD
    assert len(rows) == len(parsed("cells"))
    first = next(r for r in rows if r["lane"] == "cells")
    assert (first["cycle"], first["planned_day"], first["planned_date"]) == ("1", "14", "2025-09-22")
    assert {r["basis"] for r in rows} == {"prior-driven"}
    assert [r for r in rows if r["lane"] == "chemotherapy"][3]["latest_date"] == ""


def test_a_spreadsheet_takes_no_label_for_a_formula() -> None:
    document = plan()
    evil = [bar("surgery", "=HYPERLINK(1)", 1, 2)]
    document.strategies[0] = strategy("conversion", "", evil)
    assert "\nsurgery,'=HYPERLINK(1)," in csv_text(timetable_of(document))


def search(best: str | None = "c2") -> Optimisation:
    """Two candidates, the second the best."""
    listed = [
        ("c1", "hepatectomy", [CONVERSION[2]]),
        ("c2", "mfolfox6*8 + bevacizumab > hepatectomy", CONVERSION),
    ]
    candidates = [
        Evaluation(
            id=id,
            name=text,
            expression=text,
            title=text,
            evidence_grade="option",
            basis="outside",
            eligible="yes",
            timetable=bars,
        )
        for id, text, bars in listed
    ]
    summary = SearchSummary(
        method="",
        space_size=2,
        refused=0,
        evaluated=2,
        rounds=1,
        search_twins=100,
        evaluation_twins=100,
        draws=2,
        stopped_because="",
        complete=True,
    )
    return Optimisation(
        version=__version__,
        seed=1,
        settings={},
        disclaimer=DISCLAIMER,
        patient={"id": "case-1", "assessed_on": "2025-09-08"},
        situation="",
        objective=ObjectiveDescription(name="rmst", words="", unit="months", direction="maximise"),
        reference="c1",
        evaluations=candidates,
        best=best,
        search=summary,
    )


@pytest.mark.parametrize(
    ("best", "asked", "chosen"),
    [
        ("c2", None, "mfolfox6*8 + bevacizumab > hepatectomy"),
        (None, None, "hepatectomy"),
        ("c2", "C1", "hepatectomy"),
    ],
)
def test_a_search_gives_its_best_else_its_standard(best: str | None, asked: str | None, chosen: str) -> None:
    table = timetable_of(search(best), asked)
    assert table.strategy == chosen
    assert "outside the data (do not rely on it)" in ics_bytes(table).decode().replace("\r\n ", "")


def test_a_plan_and_a_search_name_the_same_event_alike() -> None:
    """The same strategy of the same patient moves in a calendar instead of doubling."""
    ours = [str(e["UID"]) for e in parsed()]
    theirs = Calendar.from_ical(ics_bytes(timetable_of(search()))).walk("VEVENT")
    assert [str(e["UID"]) for e in theirs] == ours


def test_files_are_written(tmp_path: Path) -> None:
    assert write_ics(plan(), tmp_path / "a.ics").read_bytes() == ics_bytes(timetable_of(plan()))
    assert write_csv(plan(), tmp_path / "a.csv").read_text("utf-8") == csv_text(timetable_of(plan()))


# --- wrong input ---------------------------------------------------------------------------------------


def test_a_composed_title_is_in_words_and_no_meeting_is_published() -> None:
    """PUBLISH asks for an organiser (RFC 5546); without METHOD every program takes events as they are."""
    found = search()
    for one in found.evaluations:
        one.title = "hepatectomy, then after 28 days mfolfox6*12"
    text = ics_bytes(timetable_of(found)).replace(b"\r\n ", b"").decode()
    assert "liver resection\\; 28 days later: 12 cycles of mFOLFOX6" in text
    assert "METHOD" not in text
    assert text.count("VALUE=DATE:") == 2 * text.count("BEGIN:VEVENT")


@pytest.mark.parametrize(
    ("name", "start", "assessed_on", "said"),
    [
        ("conversoin", None, "2025-09-08", "Did you mean conversion?"),
        ("none", None, "2025-09-08", "nothing is scheduled"),
        (None, None, None, "--start: the patient has no assessed_on"),
        (None, None, "yesterday", "patient.assessed_on: 'yesterday' is not a date"),
        (None, date(1066, 10, 14), None, "--start: 1066-10-14 is out of range"),
    ],
)
def test_wrong_input_is_named(
    name: str | None, start: date | None, assessed_on: str | None, said: str
) -> None:
    with pytest.raises(InputError, match=r".") as caught:
        timetable_of(plan(assessed_on), name, start)
    assert said in str(caught.value)


# --- the command ---------------------------------------------------------------------------------------


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    path.write_text(plan().model_dump_json(), encoding="utf-8")
    return path


def test_command_writes_both_files_beside_the_plan(
    plan_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["timetable", str(plan_file), "--start", "2026-03-02"]) == 0
    out, err = capsys.readouterr()
    assert f"Calendar: {plan_file.parent / 'timetable.ics'}" in out
    assert "not a medical device" in err
    assert b"DTSTART;VALUE=DATE:20260309" in (plan_file.parent / "timetable.ics").read_bytes()
    assert (plan_file.parent / "timetable.csv").read_text("utf-8").startswith(",".join(CSV_HEAD))


def test_command_takes_another_strategy_and_folder(plan_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "one"
    assert run(["timetable", str(plan_file), "--strategy", "MFOLFOX6 + cik*6@8", "--out", str(folder)]) == 0
    assert "cytokine-induced" in (folder / "timetable.csv").read_text("utf-8")


def without(key: str) -> str:
    document = json.loads(plan().model_dump_json())
    del document[key]
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("", "the file is empty. Give a plan.json"),
        ("\udcff\udcfe", "is binary data, not text"),
        ("[1]", "is not a document of metachron"),
        ('{"schema_name": "metachron-trial/1"}', "schema_name: is 'metachron-trial/1'"),
        ('{"id": 3}', "schema_name: is missing"),
        (without("reference"), "reference: Field required"),
    ],
)
def test_command_refuses_what_is_no_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert run(["timetable", str(path)]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--start", "2.3.2026"], "--start: '2.3.2026' is not a date (allowed: YYYY-MM-DD"),
        (["--strategy", "celsl"], "Did you mean cells?"),
    ],
)
def test_command_says_what_is_wrong(
    plan_file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run(["timetable", str(plan_file), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["timetable", str(tmp_path / "no.json")]) == 2
    assert "there is no such file" in capsys.readouterr().err
