"""What people were promised of the scores, each promise as they would put it; through the monitor, on raw rows."""

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from monitor_scenes import DECODER, watch
from numpy.typing import NDArray
from prometheus_client.parser import text_string_to_metric_families
from scored_windows import (
    SIGNED,
    WINDOWS,
    at_most,
    beyond,
    drifted,
    firing,
    page,
    ratios,
    requests,
    scores_of,
    trained,
)

from exporter.monitor import Monitor
from exporter.reference import Profile
from exporter.snapshots import IMPACT

DRIFT = {"psi", "total_variation", "js_distance", "ks", "wasserstein_ratio"}
"""Those that apply to numbers and whose size is what moved."""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    """Fifty features of all shapes, of which the first twenty are normal."""
    return trained(tmp_path_factory.mktemp("many"), rows_of_many(10_000, 1))


def rows_of_many(count: int, seed: int) -> dict[str, NDArray[Any]]:
    draw = np.random.default_rng(seed)
    rows: dict[str, NDArray[Any]] = {f"n{at}": draw.normal(size=count) for at in range(20)}
    rows |= {f"l{at}": draw.lognormal(3, 1.5, count) for at in range(10)}
    rows |= {f"i{at}": draw.poisson(at + 1, count) for at in range(10)}
    rows |= {f"c{at}": draw.choice([f"k{kind}" for kind in range(12)], count, p=_falling(12)) for at in range(9)}
    return rows | {"b": draw.random(count) < 0.1}


def _falling(kinds: int) -> NDArray[np.float64]:
    share = 0.6 ** np.arange(kinds)
    return np.asarray(share / share.sum())


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    """A symmetric number, and a city."""
    return trained(tmp_path_factory.mktemp("few"), few_rows(10_000, 2))


def few_rows(count: int, seed: int) -> dict[str, NDArray[Any]]:
    draw = np.random.default_rng(seed)
    half = draw.normal(size=count // 2)
    return {
        "x": draw.permutation(np.concatenate((half, -half))),
        "city": draw.choice(["Berlin", "Paris", "Rome"], count, p=[0.5, 0.3, 0.2]),
    }


# --- what must be found


def test_one_value_of_a_million_beside_a_shift_of_one_standard_deviation_hides_nothing(few: Profile) -> None:
    rows = few_rows(1000, 3)
    rows["x"] = rows["x"] - 1.0
    plain = scores_of(few, rows)
    rows["x"][500] = 1e6
    wild = scores_of(few, rows)
    for scores in (plain, wild):
        assert beyond(scores, 0) >= DRIFT
        assert drifted(scores).tolist() == [True, False]
    for name in DRIFT - {"psi"}:  # of a thousand values one is another
        assert wild.values[name][0] == pytest.approx(plain.values[name][0], abs=0.01)
    assert wild.values["psi"][0] == pytest.approx(plain.values["psi"][0], rel=0.02)
    assert plain.values[SIGNED][0] < -20
    assert wild.values[SIGNED][0] == pytest.approx(plain.values[SIGNED][0], abs=0.5)


def test_a_third_of_the_values_missing_that_never_were_is_a_finding(few: Profile, tmp_path: Path) -> None:
    rows = few_rows(300, 4)
    gone = [None if at % 10 < 3 else value for at, value in enumerate(rows["x"].tolist())]
    monitor = watch(few, requests({**rows, "x": gone}, 1.0), WINDOWS)
    features = monitor.snapshot(1.0).features
    assert features
    scores = features.scores[0]
    assert scores.ratios["missing"][0] == pytest.approx(0.3)
    assert beyond(scores, 0) == {"missing_ratio", "psi", "total_variation", "js_distance"}, "and the rest is as it was"
    assert (features.scores[0].moved[0].column, features.scores[0].moved[0].bin) == (0, 14)
    assert beyond(scores, 1) == set()
    told = {"ModelFeatureMissingSurge", "ModelFeatureDrift", "ModelInputsUnusual"}
    firing(page(monitor, few, 1.0), tmp_path, told, {"x"})


def test_one_unseen_category_in_ten_thousand_rows_is_none(few: Profile, tmp_path: Path) -> None:
    rows = few_rows(10_000, 5)
    cities = rows["city"].tolist()
    cities[77] = "Atlantis"
    monitor = watch(few, requests({**rows, "city": cities}, 1.0), WINDOWS)
    features = monitor.snapshot(1.0).features
    assert features
    assert features.scores[0].ratios["unseen"][1] == 1 / 10_000
    assert beyond(features.scores[0], 1) == set()
    assert features.scores[0].moved == ()
    firing(page(monitor, few, 1.0), tmp_path, set(), set())


def test_one_of_twenty_features_that_has_nothing_in_common_with_before_is_found_and_named(many: Profile) -> None:
    rows = rows_of_many(1000, 6)
    rows["n7"] = rows["n7"] + 100
    scores = scores_of(many, rows)
    names = [column.name for column in many.features]
    place = names.index("n7")
    assert [names[at] for at in np.flatnonzero(drifted(scores))] == ["n7"]
    assert scores.values["total_variation"][place] == pytest.approx(1.0)
    assert beyond(scores, place) == DRIFT | {SIGNED, "out_of_range_ratio"}
    assert {one.column for one in scores.moved} == {place}
    first = scores.moved[0]
    assert (first.bin, first.change) == (13, pytest.approx(1.0)), "above all that there was"
    assert not np.nansum(np.delete(scores.values[IMPACT], place))


def test_down_counts_like_up(few: Profile) -> None:
    rows = few_rows(2000, 7)
    up, down = (scores_of(few, {**rows, "x": values}) for values in (rows["x"] + 1, -(rows["x"] + 1)))
    assert beyond(up, 0) == beyond(down, 0)
    for name in DRIFT:
        assert down.values[name][0] == pytest.approx(up.values[name][0], rel=0.02)
        assert down.critical[name][0] == pytest.approx(up.critical[name][0], rel=0.02)
    assert down.values[SIGNED][0] == pytest.approx(-up.values[SIGNED][0], rel=1e-9)
    halved = [scores_of(few, {**rows, "city": ["Paris" if city == away else city for city in rows["city"]]})
              for away in ("Berlin", "Rome")]  # fmt: skip
    assert all(drifted(scores)[1] for scores in halved)


# --- what must not be


def test_windows_of_fifty_rows_claim_no_drift(many: Profile) -> None:
    beyond_critical: dict[str, int] = {}
    monitor, runs = Monitor(many, WINDOWS, ()), 40
    for run in range(runs):
        now = 100.0 * run + 1
        for one in requests(rows_of_many(50, 100 + run), now):
            monitor.observe(one, DECODER.decode(one))
        monitor.flush()
        features = monitor.snapshot(now).features
        assert features
        scores = features.scores[0]
        assert scores.samples.tolist() == [50] * 50
        assert not scores.sufficient.any()
        for name, critical in scores.critical.items():
            size = np.abs({**scores.values, **ratios(scores)}[name])
            beyond_critical[name] = beyond_critical.get(name, 0) + int((size > critical).sum())
    # PSI's law is that of many values: up to three times as often.
    nominal = {name: 0.003 if name == "psi" else 0.001 for name in beyond_critical}
    assert {name: count for name, count in beyond_critical.items() if count > at_most(50 * runs, nominal[name])} == {}


def test_fifty_clean_features_stay_quiet(many: Profile) -> None:
    claimed, judged, runs = 0, {"psi": 0, "total_variation": 0}, 8
    for run in range(runs):
        scores = scores_of(many, rows_of_many(1000, 200 + run))
        assert scores.sufficient.all()
        claimed += int(drifted(scores).sum())
        for name in judged:
            judged[name] += int((scores.values[name] > scores.critical[name]).sum())
    assert claimed == 0
    assert judged["psi"] <= at_most(50 * runs, 0.003)
    assert judged["total_variation"] <= at_most(50 * runs, 0.001)


def test_rows_of_the_training_data_score_nothing_at_all(many: Profile) -> None:
    scores = scores_of(many, rows_of_many(10_000, 1))
    for name, values in scores.values.items():
        known = values[~np.isnan(values)]
        assert known == pytest.approx(0.0, abs=1e-9 if name != SIGNED else 1e-3), name
    assert scores.moved == ()
    for place, column in enumerate(many.features):
        for name, bins in column.quality_bins().items():
            assert scores.ratios[name][place] == sum(column.counts[at] for at in bins) / 10_000
        assert beyond(scores, place) == set()


# --- whatever the counts

COUNTS = st.one_of(st.just(0), st.integers(0, 3), st.integers(0, 10_000), st.just(2**31 - 1))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_counts_make_a_number_that_is_negative_infinite_or_none(small: Profile, data: Any) -> None:
    seen = watch(small, requests(few_rows(2, 1), 1.0), WINDOWS)
    held = {name: values.copy() for name, values in seen.held(1.0)}
    panes = [values for name, values in held.items() if name.startswith("features.counts.") and name.endswith(".panes")]
    for counts in panes:
        drawn = data.draw(st.lists(COUNTS, min_size=counts.size, max_size=counts.size))
        counts[...] = np.array(drawn).reshape(counts.shape)
    monitor = Monitor(small, WINDOWS, ())
    monitor.put_back(held, 0.0, 1.0)
    for family in text_string_to_metric_families(page(monitor, small, 1.0)):
        for sample in family.samples:
            assert math.isfinite(sample.value), sample
            signed = sample.name.endswith(("_zscore", "_bin_change_ratio", "_quantile"))
            assert signed or sample.value >= 0, sample


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return trained(tmp_path_factory.mktemp("small"), few_rows(500, 2))


# --- binned, against the raw values

SHAPES = {
    "normal": lambda draw, count: draw.normal(size=count),
    "lognormal": lambda draw, count: draw.lognormal(0, 1.5, count),
    "discrete": lambda draw, count: draw.poisson(2, count).astype(float),
    "heavy tails": lambda draw, count: draw.standard_t(2, count),
}


@pytest.mark.parametrize("change", [lambda x: x, lambda x: x + 0.3, lambda x: x * 1.5], ids=["none", "shift", "scale"])
@pytest.mark.parametrize("shape", SHAPES)
def test_binned_scores_are_within_their_stated_bounds_of_the_raw_ones(shape: str, change: Any, tmp_path: Path) -> None:
    draw = np.random.default_rng(8)
    known, live = SHAPES[shape](draw, 5000), change(SHAPES[shape](draw, 2000))
    profile = trained(tmp_path, {"x": known})
    column, scores = profile.features[0], scores_of(profile, {"x": live})
    edges = np.array(column.edges)
    sides = [np.bincount(np.searchsorted(edges, side, "right"), minlength=14) / side.size for side in (known, live)]
    # KS at the edges alone: never more than the raw one, and less by what lies in one bin at most.
    raw, binned = scipy.stats.ks_2samp(known, live).statistic, scores.values["ks"][0]
    assert binned - 1e-12 <= raw <= binned + np.max(sides) + 1e-12
    # Wasserstein from the middles of bins: half a bin's width for each value; what is beyond the edges stands at them.
    within = [np.clip(side, edges[0], edges[-1]) for side in (known, live)]
    raw, binned = scipy.stats.wasserstein_distance(*within) / column.sd, scores.values["wasserstein_ratio"][0]
    widths = np.array([0.0, *(high - low for low, high in pairwise(edges)), 0.0])[: sides[0].size] / column.sd
    assert abs(raw - binned) <= float((np.add(*sides) * np.pad(widths, (0, sides[0].size - widths.size))).sum()) / 2
    # The mean is that of the raw values.
    error = column.sd * math.sqrt(1 / live.size + 1 / known.size)
    reach = max(8.0, 2 * np.abs((known - column.mean) / column.sd).max())
    clipped = np.clip((live - column.mean) / column.sd, -reach, reach) * column.sd + column.mean
    assert scores.values[SIGNED][0] == pytest.approx((clipped.mean() - column.mean) / error, rel=1e-6, abs=1e-6)
