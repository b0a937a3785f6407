"""Evidence that a model is wrong more often than in training: what pages, how soon, and what never does."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from performance.truths_told import CLASSES, DAY_S, PANE_S, Told, concept, errors

from exporter.guarantees import Evidence
from exporter.hindsight import Performance
from exporter.performance.concept import concept_of, reference_of
from exporter.performance.task import Rows, Task
from exporter.reference import Column
from exporter.target import Target

WARM = 20_000
BUYS = Task("binary", label="buys", classes=("false", "true"))
NUMBERS = Target(
    Column("price", "numeric", (0, *[10_000] * 10, 0, 0, 0, 0, 0), tuple(range(11))), "regression", label="price",
    edges=(0.674, 1.150, 1.645, 1.960, 2.576), errors=(50_000, 25_000, 15_000, 5_000, 4_000, 1_000),
)  # fmt: skip
"""Residuals of a standard normal distribution: half are within 0.674, nine in ten within 1.645."""


def at_the_edge(one: Any) -> float:
    """The share of wrong ones that is tolerated at the most."""
    return float(one.reference.share + one.tolerance)


# what it is held against


def test_what_is_tolerated_is_the_training_share_the_tolerance_and_what_so_few_rows_may_be_off() -> None:
    found = concept(CLASSES._replace(errors=(900, 100)), tolerance=0.02).told(0.0)
    assert found.reference == 0.1
    z, p, n = 2.326, 0.1, 1000
    wilson = (p + z**2 / 2 / n + z * math.sqrt(p * (1 - p) / n + z**2 / 4 / n**2)) / (1 + z**2 / n)
    assert found.tolerance == pytest.approx(0.02 + wilson - p, rel=1e-12)


def test_of_numbers_those_are_wrong_that_are_farther_off_than_nine_in_ten_were() -> None:
    reference = reference_of(NUMBERS)
    assert reference
    assert (reference.edge, reference.share) == (1.645, 0.1)
    rows = Rows(np.array([[1.0], [2.0], [np.nan], [5.0]]), np.array([2.645, 2.1, 0.0, 3.355]), np.ones(4))
    known, wrong = reference.wrong(rows)
    assert known.tolist() == [True, True, False, True]
    assert wrong.tolist() == [True, False, True], "the edge itself is beyond it"


def test_the_edge_is_the_one_nearest_to_a_tenth_where_none_is_there() -> None:
    found = reference_of(NUMBERS._replace(edges=(1.0, 3.0), errors=(68, 29, 3)))
    assert found
    assert (found.edge, found.share) == (3.0, 0.03)


def test_of_classes_those_are_wrong_that_are_others() -> None:
    reference = reference_of(CLASSES)
    assert reference
    rows = Rows(np.array([[0.0], [1.0], [1.0]]), np.array([0.0, 0.0, np.nan]), np.ones(3))
    known, wrong = reference.wrong(rows)
    assert (known.tolist(), wrong.tolist()) == ([True, True, False], [False, True])


@pytest.mark.parametrize("target", [None, CLASSES._replace(errors=()), CLASSES._replace(errors=(0, 0))])
def test_without_errors_of_the_training_there_is_no_evidence(target: Target | None) -> None:
    assert concept_of(BUYS, target, Performance(), Evidence(), PANE_S) is None


def test_there_is_none_where_nobody_wants_it() -> None:
    assert concept_of(BUYS, CLASSES, Performance(), Evidence(enable=False), PANE_S) is None


@pytest.mark.parametrize(
    ("task", "compares"),
    [
        (Task("binary", scores=("p",), classes=("false", "true")), True),
        (Task("binary", scores=("p",), classes=("false", "true"), threshold=0.3), False),
        (Task("binary", scores=("p",), classes=("true", "false")), False),
        (Task("binary", label="bought", classes=("false", "true")), False),
        (Task("regression", label="p"), False),
    ],
)
def test_what_is_judged_otherwise_than_in_training_is_not_compared_with_it(task: Task, *, compares: bool) -> None:
    target = CLASSES._replace(label="", scores=("p",))
    assert (concept_of(task, target, Performance(), Evidence(), PANE_S) is not None) == compares


def test_a_model_that_is_never_right_cannot_become_worse() -> None:
    told = Told(concept(CLASSES._replace(errors=(0, 1000)))).panes(errors(1, 1.0), 5000, 100)
    assert told.most == 0


def test_a_model_that_was_never_wrong_pages_where_it_is() -> None:
    told = Told(concept(CLASSES._replace(errors=(10_000, 0)))).panes(errors(1, 0.01), 5000, 100)
    assert told.most < 5
    assert told.until_page(errors(2, 0.1), 2000, 100) < 500


# the promise


def test_a_million_truths_as_wrong_as_tolerated_page_nobody() -> None:
    one = concept()
    told = Told(one).panes(errors(1, at_the_edge(one)), 1_000_000, 1000)
    assert (told.rows, told.pages) == (1_000_000, [])
    assert told.most > 0, "it gathers something now and then"


def test_nor_do_those_that_come_slowly() -> None:
    one = concept()
    assert Told(one).panes(errors(2, at_the_edge(one)), 100_000, 24).pages == []


@pytest.mark.slow
@pytest.mark.parametrize("a_pane", [24, 100, 1000])
def test_a_million_truths_as_wrong_as_tolerated_page_nobody_however_fast_they_come(a_pane: int) -> None:
    for seed in range(2):
        one = concept()
        assert Told(one).panes(errors(seed, at_the_edge(one)), 1_000_000, a_pane).pages == []


@pytest.mark.parametrize("alike", [5, 30])
def test_truths_that_belong_together_page_nobody(alike: int) -> None:
    one = concept()
    told = Told(one).panes(errors(3, at_the_edge(one), alike), 150_000, 120)
    assert told.pages == []
    assert told.concept.told(told.at).dependence == pytest.approx(alike, rel=0.25)


def test_a_small_reference_that_is_off_pages_nobody() -> None:
    """Of 2000 training rows the share of wrong ones is somewhere around the model's; live it is 2 points more."""
    for seed in range(4):
        wrong = int(np.random.default_rng(seed).binomial(2000, 0.1))
        one = concept(CLASSES._replace(errors=(2000 - wrong, wrong)))
        assert Told(one).panes(errors(seed, 0.12), 200_000, 1000).pages == []


def test_days_that_differ_within_the_tolerance_page_nobody() -> None:
    draw, told = np.random.default_rng(6), Told(concept())
    for _ in range(100):
        told.night(draw.random(10_000) < draw.uniform(0.08, 0.12))
    assert told.pages == []


def test_the_order_within_a_pane_makes_no_difference() -> None:
    """Such as of a file that is sorted by class: of the middle third a fifth is wrong."""
    draw, told = np.random.default_rng(7), Told(concept())
    for _ in range(20):
        told.night(draw.random(30_000) < np.repeat([0.05, 0.2, 0.05], 10_000))
    assert told.most < 1


def test_a_model_that_becomes_better_is_no_evidence() -> None:
    told = Told(concept()).panes(errors(8, 0.1), WARM, 100).panes(errors(9, 0.01), WARM, 100)
    assert told.concept.told(told.at).nats == 0


def test_no_fewer_than_three_lumps_page_before_dependence_was_seen() -> None:
    told = Told(concept())
    told.night(np.ones(100_000, bool)).night(np.ones(100_000, bool))
    assert told.pages == []
    assert told.night(np.ones(100_000, bool)).pages == [300_000]


def test_no_fewer_than_seventy_two_truths_page_afterwards() -> None:
    told = Told(concept()).panes(errors(10, 0.1), WARM, 100)
    fewest = int(3 * 24 * told.concept.dependence)
    told.pane(np.ones(fewest - 24, bool))
    assert told.pages == []
    told.pane(np.ones(48, bool))
    assert told.pages


# how soon


def delays(share: float, most: int, runs: int) -> NDArray[np.float64]:
    found = []
    for seed in range(runs):
        told = Told(concept()).panes(errors(seed, 0.1), WARM, 100)
        assert told.pages == []
        found.append(told.until_page(errors(1000 + seed, share), most, 24))
    return np.array(found)


def test_twice_as_many_wrong_ones_are_found_within_a_thousand_truths() -> None:
    found = delays(0.2, 2000, 20)
    assert np.median(found) < 700
    assert (found <= 1000).mean() >= 0.8
    assert np.isfinite(found).all()


def test_half_more_of_them_are_found_as_well() -> None:
    assert np.isfinite(delays(0.15, 15_000, 3)).all()


def test_a_rise_within_the_tolerance_is_not_found() -> None:
    assert np.isinf(delays(0.12, 20_000, 2)).all()


def test_residuals_half_as_large_again_are_found_within_five_hundred() -> None:
    """Their standard deviation is 1.5 times that of the training."""
    for seed in range(5):
        draw, told = np.random.default_rng(seed), Told(concept(NUMBERS))
        told.panes(lambda rows, draw=draw: np.abs(draw.normal(size=rows)) >= 1.645, WARM, 100)  # type: ignore[misc]
        assert told.pages == []
        wider = told.until_page(
            lambda rows, draw=draw: np.abs(draw.normal(size=rows, scale=1.5)) >= 1.645, 1000, 24  # type: ignore[misc]
        )  # fmt: skip
        assert wider <= 500


def test_a_days_truths_in_one_pane_page_the_same_night() -> None:
    draw, told = np.random.default_rng(11), Told(concept())
    for _ in range(8):
        told.night(draw.random(10_000) < 0.1)
    assert told.pages == []
    assert told.night(draw.random(10_000) < 0.2).pages == [90_000]
    assert told.concept.told(told.at).began_s == 8 * 86_400.0, "the first night that was worse"


def test_a_model_that_was_worse_from_the_first_night_pages_in_the_third() -> None:
    draw, told = np.random.default_rng(12), Told(concept(), at=1e9)
    told_first = told.at
    for _ in range(3):
        told.night(draw.random(10_000) < 0.2)
    assert told.pages == [30_000]
    assert told.concept.told(told.at).began_s == told_first, "from the first truth on"


def test_evidence_goes_away_when_the_model_is_as_good_as_before() -> None:
    told = Told(concept()).panes(errors(13, 0.1), WARM, 100).panes(errors(14, 0.25), 5000, 100)
    assert told.pages
    assert told.concept.told(told.at).nats >= told.concept.told(told.at).threshold
    told.panes(errors(15, 0.1), WARM, 100)
    found = told.concept.told(told.at)
    assert found.nats < found.threshold - 3


# what is kept, and how it comes


def test_what_waits_for_its_pane_to_end_is_weighed_then() -> None:
    one = concept()
    one.add(np.ones(30, bool), np.full(30, 100.0))
    assert one.told(119.0).nats == 0
    assert one.told(120.0).nats > 0


def test_fewer_than_twenty_four_wait_for_more() -> None:
    one = concept()
    one.add(np.ones(23, bool), np.full(23, 100.0))
    assert one.told(10_000.0).nats == 0
    one.add(np.ones(1, bool), np.full(1, 10_000.0))
    assert one.told(10_060.0).nats > 0


def arrays_after(parts: list[NDArray[np.bool_]], times: list[NDArray[np.float64]]) -> dict[str, NDArray[Any]]:
    one = concept()
    for wrong, at in zip(parts, times, strict=True):
        one.add(wrong, at)
    one.advance(1e9)
    return one.arrays("m")


def test_how_truths_come_in_batches_makes_no_difference() -> None:
    draw = np.random.default_rng(16)
    wrong, at = draw.random(5000) < 0.15, np.sort(draw.uniform(0, 6000, 5000))
    whole = arrays_after([wrong], [at])
    cuts = np.sort(draw.integers(0, 5000, 200))
    split = arrays_after(np.split(wrong, cuts), np.split(at, cuts))
    assert all((whole[name] == split[name]).all() for name in whole)


def test_a_truth_that_is_told_late_counts_when_it_comes() -> None:
    one = concept()
    one.add(np.ones(24, bool), np.full(24, 600.0))
    one.add(np.ones(24, bool), np.full(24, 90.0))
    assert one.told(659.0).nats == 0
    assert one.told(660.0).nats > 0


@pytest.mark.parametrize("ways", ["ledger", "disk"])
def test_it_goes_on_with_what_was_kept(ways: str) -> None:
    draw = np.random.default_rng(17)
    wrong, at = draw.random(30_000) < np.repeat([0.1, 0.2], 15_000), np.sort(draw.uniform(0, 60_000, 30_000))
    whole, first, second = concept(), concept(), concept()
    whole.add(wrong, at)
    first.add(wrong[:20_011], at[:20_011])
    if ways == "disk":
        assert second.put_back(dict(first.held("m")), "m")
    else:
        for name, array in second.arrays("m").items():
            array[...] = first.arrays("m")[name]
    second.add(wrong[20_011:], at[20_011:])
    changes = first.told(0.0).changes if ways == "disk" else 0  # counters begin at 0 then
    assert second.told(1e6) == whole.told(1e6)._replace(changes=whole.told(1e6).changes - changes)


def test_a_clock_that_was_a_year_ahead_for_a_minute_stops_nothing() -> None:
    told = Told(concept())
    told.at += 365 * DAY_S
    told.pane(errors(1, 0.1)(50))
    told.at -= 365 * DAY_S
    assert told.until_page(errors(2, 0.4), 2_000, 50) < 2_000


def test_what_does_not_fit_is_not_put_back() -> None:
    one = concept()
    held = dict(concept().held("m"))
    held.pop("m.concept.lump")
    assert not one.put_back(held, "m")


@pytest.mark.parametrize(
    "other",
    [{"tolerance": 0.05}, {"target": CLASSES._replace(errors=(80_000, 20_000))}, {"pane_s": 600.0}, {"pane_s": 1.0}],
)
def test_against_another_reference_or_tolerance_or_in_other_panes_evidence_begins_anew(other: dict[str, Any]) -> None:
    told = Told(concept(), at=1e9).panes(errors(18, 0.1), WARM, 100).panes(errors(19, 0.3), 1000, 100)
    assert told.pages
    one = concept(**other)
    assert one.put_back(dict(told.concept.held("m")), "m")
    one.add(np.zeros(30, bool), np.full(30, told.at))
    assert one.told(told.at + 600.0).nats == 0
    assert one.told(told.at).dependence == pytest.approx(told.concept.dependence, rel=0.1), "that was learnt"
    one.add(np.ones(30, bool), np.full(30, told.at + 600.0))
    found = one.told(told.at + 1200.0)
    assert found.nats > 0
    width = other.get("pane_s", PANE_S)
    assert found.began_s == (told.at + 600.0) // width * width


def test_what_there_is_to_say_before_the_first_truth() -> None:
    found = concept().told(0.0)
    assert (found.nats, found.recent_rows, found.changes, found.dependence) == (0.0, 0, 0, 5.0)
    assert math.isnan(found.began_s)
    assert math.isnan(found.recent)
    assert found.threshold == math.log(30 * 24 * 60)


def test_the_share_that_is_told_is_that_of_the_last_truths_that_look_alike() -> None:
    told = Told(concept()).panes(errors(20, 0.1), WARM, 100).panes(errors(21, 0.3), WARM, 100)
    found = told.concept.told(told.at)
    assert found.recent == pytest.approx(0.3, abs=0.02)
    assert WARM * 0.9 < found.recent_rows < WARM * 1.1
    assert found.changes > 0


def test_rows_that_cannot_be_judged_are_left_out() -> None:
    one = concept()
    said = np.tile([[0.0], [1.0], [np.nan]], (100, 1))
    one.add_rows(Rows(said, np.zeros(300), np.ones(300)), np.full(300, 30.0))
    assert one.told(30.0).recent_rows == 200
    assert one.told(30.0).recent == 0.5
