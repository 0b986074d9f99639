"""The tables of docs/calibration.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metachron.calibrate.docs import BEGIN, END, prior_driven, tables, update


def provenance() -> dict[str, Any]:
    row = {
        "contraction": 0.6, "mean_z": -0.5, "sd_z": 0.4, "median": 0.009, "low": 0.006, "high": 0.012,
        "r_hat": 1.0, "ess": 900, "pinned_by": [["LIFE", 0.15]],
    }  # fmt: skip
    return {
        "targets": [{"trial": "LIFE", "sha256": "0"}], "draws": 240, "settings": {"lives": 1000, "waves": 2},
        "diagnostics": {
            "sampler": {"chains": 4, "samples": 2000, "largest_r_hat": {"z": 1.01},
                        "smallest_ess": {"z": 300.0}, "divergences": 0},
            "null": {"null_1": {**row, "contraction": 0.04}}, "tau": {"growth": 0.1, "kill": 0.2},
            "parameters": {"kappa_fp": row, "occult_t4": {**row, "contraction": 0.1, "pinned_by": []}},
            "correlations": [["kappa_fp", "occult_t4", -0.31]], "effects": {"LIFE": [0.1, -0.2]},
            "misfit": [{"figure": "LIFE OS fu", "points": 9, "n": 100, "with_effects": 0.021,
                        "without_effects": 0.034, "emulator": 0.02, "emulator_error": 0.004}],
        },
    }  # fmt: skip


def test_the_tables_say_what_was_learnt_and_what_was_not() -> None:
    text = tables(provenance())
    assert "| `kappa_fp` | 1/d | 0.011 | 0.009 (0.006 to 0.012) | -0.5 | 60 % | LIFE 15 % |" in text
    assert "2.1 with the trial's own effects, 3.4 without" in text
    assert "| contraction of inputs that mean nothing | 4 % |" in text
    figures = provenance()["diagnostics"]
    assert prior_driven(figures) == "Spread taken away by less than 20 %: `occult_t4`."
    figures["null"]["null_1"]["contraction"] = 0.65
    assert prior_driven(figures) == "Spread taken away by less than 65 %: `kappa_fp`, `occult_t4`."
    assert "| LIFE OS fu | 9 | 2.1 | 3.4 |" in text


def test_the_page_has_its_marks(repository: Path) -> None:
    page = (repository / "docs" / "calibration.md").read_text(encoding="utf-8")
    assert page.count(BEGIN) == page.count(END) == 1
    assert "kappa_fp" in update(page, provenance())
    with pytest.raises(ValueError, match="needs the lines"):
        update("no marks", provenance())
