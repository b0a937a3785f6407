"""docs/scores.md: the example is what the code makes of it, and every score and every rate of the page is explained."""

import re
from pathlib import Path

import numpy as np
import pytest

from exporter import catalogue
from exporter.drift import STATISTICS
from exporter.monitor.scoring import Scoring
from exporter.monitor.shares import Shares, of_samples
from exporter.reference import NUMERIC_BINS, QUALITY, Column
from exporter.snapshots import IMPACT

PAGE = (Path(__file__).parents[1] / "docs" / "scores.md").read_text()
OPTIONAL = tuple(name for name, one in STATISTICS.items() if one.optional)


def cells(heading: str) -> list[list[str]]:
    """The rows of the first table behind a heading, without its own two."""
    part = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = re.findall(r"(?:^\|.*\n)+", part, re.MULTILINE)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def example() -> tuple[Column, list[int], float]:
    """Column, live counts and live mean, as the page has them."""
    rows = {cell[0]: cell[1:] for cell in cells("An example")}
    sides = [[int(rows[name][side].replace(",", "")) for name in rows] for side in (0, 1)]
    (known,) = re.findall(r"mean of (\d+) and a standard deviation of (\d+)", PAGE)
    (live_mean,) = re.findall(r"live mean is (\d+)", PAGE)
    (importance,) = re.findall(r"importance is (\d\.\d+)", PAGE)
    bins = [[0, *side[:-1], *[0] * (13 - len(side)), 0, side[-1], 0] for side in sides]
    edges = (20.0, 30.0, 40.0, 50.0, 60.0)
    mean, sd = map(float, known)
    column = Column("age", "numeric", tuple(bins[0]), edges, mean, sd, 20.0, 60.0, importance=float(importance))
    assert len(bins[1]) == NUMERIC_BINS
    return column, bins[1], float(live_mean)


def test_the_example_is_what_the_code_makes_of_it() -> None:
    column, live, mean = example()
    counts = np.array([live])
    finite = sum(live[:14])
    deviation = np.array([(mean - column.mean) / column.sd * finite])
    assert column.importance is not None
    scored = Scoring([column], OPTIONAL, np.array([column.importance])).score(counts, deviation)
    judged = Shares([column], np.zeros(0, np.int64))
    samples = counts.sum(axis=1)
    found = {name: values[0] for name, values in scored.values.items()}
    found |= {f"{name}_ratio": values[0] for name, values in of_samples(judged.counted(counts), samples).items()}
    critical = {name: values[0] for name, values in scored.critical.items()}
    critical |= {f"{name}_ratio": values[0] for name, values in judged.critical(samples).items()}
    told = [[cell.strip("`") for cell in row] for heading in ("Its scores", "Its rates") for row in cells(heading)]
    assert {row[0] for row in told} == {name for name, value in found.items() if not np.isnan(value)}
    for name, value, limit in told:
        assert float(value) == pytest.approx(found[name], rel=1e-3, abs=1e-12), name
        if limit:
            assert float(limit) == pytest.approx(critical[name], rel=1e-3), name
        else:
            assert name not in critical or np.isnan(critical[name])


def test_the_three_bins_that_moved_most_are_those_of_the_text() -> None:
    column, live, _ = example()
    moved = Scoring([column]).score(np.array([live]), np.zeros(1)).moved
    texts = dict(column.bins())
    said = [(text, round(100 * change, 1)) for text, change in ((texts[one.bin], one.change) for one in moved)]
    assert re.findall(r'"([^"]+)" \(([+-][\d.]+) points\)', PAGE) == [(text, f"{change:+g}") for text, change in said]


def test_the_sum_of_its_parts_is_the_total_variation_of_the_text() -> None:
    column, live, _ = example()
    gap = np.abs(np.array(live) / sum(live) - np.array(column.counts) / column.rows)
    assert Scoring([column]).score(np.array([live]), np.zeros(1)).values["total_variation"][0] == pytest.approx(
        gap.sum() / 2
    )
    assert f"{gap.sum() / 2:.2f}" in PAGE


def test_every_score_and_every_rate_is_explained_once() -> None:
    explained = [row[0].strip("`") for heading in ("The scores", "Rates of what is wrong") for row in cells(heading)]
    assert sorted(explained) == sorted([*STATISTICS, IMPACT, *(f"{name}_ratio" for name in QUALITY)])


def test_the_page_names_only_metrics_that_exist() -> None:
    known = {family.name for family in catalogue.families()}
    assert set(re.findall(r"\b(model_[a-z]+_[a-z_]+)", PAGE)) <= known
