"""docs/statistics.md: both tables of the example are what the code makes of it."""

import re
from pathlib import Path

import numpy as np
import pytest

from exporter.calibration.reference_error import reference_error
from exporter.config import Settings
from exporter.evidence.engine import Engine
from exporter.evidence.streams import of_column
from exporter.evidence.terms import Terms
from exporter.monitor.scoring import Scoring
from exporter.override import Override
from exporter.reference import Column

PAGE = (Path(__file__).parents[1] / "docs" / "statistics.md").read_text()
AMOUNT = Column("amount", "numeric", (0, *(10_000,) * 5, *(0,) * 10), (0.0, 20.0, 40.0, 60.0, 80.0, 100.0), 50.0, 28.9,
                0.0, 100.0)  # fmt: skip
SHARES = np.array([0, *(0.2,) * 5, *(0,) * 10])
UP = np.array([0, -1, 0, 0, 0, 1, *(0,) * 10])
MONDAY = 1_790_553_600.0
CALM, PATIENCE = 60, 360
"""Minutes."""
KNOWN = {"a calibrated profile": Override(dependence=1.0, wander=0.0), "nothing yet": Override()}


def table(name: str) -> list[list[str]]:
    """Rows between two marks, without the head."""
    part = PAGE.split(f"<!-- {name}: tested -->\n")[1].split(f"<!-- end of {name}")[0]
    return [[cell.strip().replace(",", "") for cell in line.strip("|").split("|")] for line in part.splitlines()[2:]]


def counts(rows: int, share: float) -> np.ndarray:
    """So many rows, of which a share has moved."""
    return np.rint(rows * (SHARES + share * UP)).astype(np.int64)[None]


def engine(known: str) -> Engine:
    return Engine([of_column(AMOUNT, KNOWN[known])], Terms())


def evidence(known: str, rows: int, share: float) -> list[float]:
    """By minute, from the change on, after an hour as ever."""
    found, nats = engine(known), []
    for pane in range(CALM + PATIENCE):
        found.pane(counts(rows, share if pane >= CALM else 0.0), MONDAY + 60 * pane)
        nats.append(found.model(MONDAY + 60 * pane))
    return nats[CALM:]


@pytest.mark.parametrize("row", table("sizes"), ids=lambda row: row[0])
def test_scores_and_what_chance_makes_of_them(row: list[str]) -> None:
    scored = Scoring([AMOUNT]).score(counts(int(row[0]), 0.1), np.zeros(1))
    names = ("total_variation", "psi")
    found = [side[name][0] for name in names for side in (scored.values, scored.critical)]
    assert [float(cell) for cell in row[1:]] == pytest.approx(found, abs=6e-4)


@pytest.mark.parametrize("row", table("delays"), ids=lambda row: f"{row[0]}-{row[1]}")
def test_minutes_until_it_pages(row: list[str]) -> None:
    told = engine(row[0])
    told.pane(counts(int(row[1]), 0.0), MONDAY)
    verdict = told.told(MONDAY)
    assert verdict
    assert row[2] == f"{100 * verdict.tolerance[0]:.1f} %"
    for cell, share in zip(row[3:], (0.02, 0.05, 0.1, 0.2), strict=True):
        paged = np.flatnonzero(np.array(evidence(row[0], int(row[1]), share)) >= Terms().page.threshold)
        assert cell == (str(paged[0] + 1) if paged.size else "never")


def test_numbers_of_the_text() -> None:
    nats = evidence("a calibrated profile", 100, 0.1)
    said = re.findall(r"reads ([\d.]+) after one minute, ([\d.]+) after five, ([\d.]+) after\nten", PAGE)
    assert [f"{nats[minute - 1]:.1f}" for minute in (1, 5, 10)] == list(said[0])
    assert f"= {Terms().page.threshold:.1f} nats" in PAGE
    assert f"off by {100 * reference_error(np.array(AMOUNT.counts)):.1f} % in total variation" in PAGE
    assert f"`windows.minimum_samples` values ({Settings().windows.minimum_samples})" in PAGE
    small = reference_error(np.array(AMOUNT.counts) // 25)
    assert f"2,000 rows by some {100 * small:.0f} %" in PAGE
