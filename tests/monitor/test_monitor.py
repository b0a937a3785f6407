"""What a monitor says of real exchanges equals what numpy and scipy say of their raw rows."""

import dataclasses
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monitor_scenes import FEATURES, OUTPUT, answers, by_hand, exchange, live_rows, make_profile, training_rows, watch

from exporter.monitor import Monitor
from exporter.records import Exchange, Observation
from exporter.reference import Profile
from exporter.sections import Windows
from exporter.snapshots import IMPACT

SHORT = Windows(pane=1.0, lengths=(20.0, 60.0), minimum_samples=50)


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="module")
def traffic() -> list[Any]:
    """(moment, rows, predictions) of 100 requests in 100 seconds."""
    source = random.Random(5)
    batches = []
    for number in range(100):
        rows = live_rows(source.choice([1, 2, 30]), number)
        batches.append((number + 0.5, rows, answers(rows, number)))
    return batches


def exchanges(traffic: Any) -> list[Exchange]:
    return [exchange(rows, predictions, at) for at, rows, predictions in traffic]


def within(traffic: Any, now: float, length: float) -> list[Any]:
    return [(rows, predictions) for at, rows, predictions in traffic if int(now) - length < int(at) <= int(now)]


# --- scores


@pytest.mark.parametrize("now", [20.9, 60.0, 99.9])
@pytest.mark.parametrize("window", [0, 1])
def test_every_score_of_every_feature_equals_the_one_by_hand(
    profile: Profile, traffic: Any, now: float, window: int
) -> None:
    training = training_rows()
    traffic = [one for one in traffic if one[0] <= now]
    snapshot = watch(profile, exchanges(traffic), SHORT).snapshot(now)
    rows = [row for batch, _ in within(traffic, now, SHORT.lengths[window]) for row in batch]
    scores = snapshot.features.scores[window]
    for place, column in enumerate(profile.features):
        live, expected = by_hand(column, training[column.name], [row.get(column.name) for row in rows])
        assert scores.samples[place] == len(rows) == live.sum()
        found = {name: float(values[place]) for name, values in scores.values.items()}
        found["psi_critical"] = float(scores.critical["psi"][place])
        for name, value in expected.items():
            assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-9, nan_ok=True), (column.name, name)


def test_outputs_are_scored_like_features(profile: Profile, traffic: Any) -> None:
    snapshot = watch(profile, exchanges(traffic), SHORT).snapshot(99.9)
    cells = [cell for _, predictions in within(traffic, 99.9, 60.0) for cell in predictions]
    _, expected = by_hand(profile.outputs[0], training_rows()[OUTPUT], cells)
    scores = snapshot.outputs.scores[1].values
    assert np.isnan(scores[IMPACT]).all(), "outputs have no importance"
    for name, values in scores.items():
        assert name == IMPACT or values[0] == pytest.approx(expected[name], rel=1e-9)


def test_totals_hold_every_value_whatever_became_of_the_windows(profile: Profile, traffic: Any) -> None:
    snapshot = watch(profile, exchanges(traffic), SHORT).snapshot(1e6)
    rows = [row for _, batch, _ in traffic for row in batch]
    for place, column in enumerate(profile.features):
        live, _ = by_hand(column, training_rows()[column.name], [row.get(column.name) for row in rows])
        assert snapshot.features.totals.bins[place, : live.size].tolist() == live.tolist()
    assert snapshot.rows.observed == len(rows)
    assert snapshot.features.scores[0].samples.tolist() == [0] * len(FEATURES)
    assert np.isnan(snapshot.features.scores[0].values["psi"]).all()
    assert np.isnan(snapshot.features.scores[0].critical["ks"]).all()


def test_type_errors_are_counted_by_column(profile: Profile) -> None:
    row = {"amount": "12", "age": [[1]], "city": {"a": 1}, "member": [], "note": 5, "constant": True, "code": 1.0}
    snapshot = watch(profile, [exchange([row, row], [0.5, 0.5], 1.0)]).snapshot(1.0)
    counted = dict(zip(FEATURES, snapshot.features.totals.type_errors.tolist(), strict=True))
    assert counted == {"amount": 2, "age": 2, "city": 2, "member": 2, "note": 2, "constant": 0, "code": 0}


def test_quality_ratios_say_what_share_was_wrong(profile: Profile) -> None:
    rows = [{**dict.fromkeys(FEATURES), "amount": cell, "city": town} for cell, town in
            [(None, None), (float("inf"), "Atlantis"), (-1, "Berlin"), (1e9, "Berlin"), (20.0, 3)]]  # fmt: skip
    ratios = watch(profile, [exchange(rows, [0.5] * 5, 1.0)]).snapshot(1.0).features.scores[0].ratios
    amount, city = FEATURES.index("amount"), FEATURES.index("city")
    assert {name: shares[amount] for name, shares in ratios.items() if name != "unseen"} == {
        "missing": 0.2, "nonfinite": 0.2, "out_of_range": 0.4,
    }  # fmt: skip
    assert np.isnan(ratios["unseen"][amount])
    assert (ratios["missing"][city], ratios["unseen"][city]) == (0.2, 0.4)
    assert np.isnan(ratios["nonfinite"][city])


def test_a_window_of_nothing_but_missing_values_has_no_ks_and_no_critical_value_for_it(profile: Profile) -> None:
    scores = (
        watch(profile, [exchange([dict.fromkeys(FEATURES)] * 200, [0.5] * 200, 1.0)]).snapshot(1.0).features.scores[0]
    )
    place = FEATURES.index("amount")
    assert scores.values["psi"][place] > scores.critical["psi"][place]
    for name in ("ks", "mean_shift_zscore"):
        assert np.isnan(scores.values[name][place])
    assert np.isnan(scores.critical["ks"][place])


def test_scores_are_not_sufficient_right_after_the_start(profile: Profile) -> None:
    monitor = watch(profile, [], SHORT)
    assert not monitor.snapshot(0.0).features.scores[0].sufficient.any()
    row = live_rows(1, 0)[0]
    for count, enough in ((49, False), (1, True)):
        one = exchange([row] * count, [0.1] * count, 1.0)
        monitor.observe(one, Observation(None, None))
        monitor.observe(*_decoded(one))
        monitor.flush()
        assert monitor.snapshot(1.0).features.scores[0].sufficient.all() == enough


def _decoded(one: Any) -> tuple[Exchange, Observation]:
    from exporter.decode import Decoder  # noqa: PLC0415

    return one, Decoder().decode(one)


def test_a_day_of_wild_values_does_not_wrap_around(profile: Profile) -> None:
    """A unit error: every value a thousand standard deviations away, in every pane of a day."""
    monitor = watch(profile, [exchange([dict.fromkeys(FEATURES, 1e15)], [0.5], pane * 300.0) for pane in range(288)])
    for name, pane in monitor.arrays().items():
        if name.endswith(".panes") and {"counts", "deviations"} & set(name.split(".")):
            pane[...] *= 1 << 22  # as many rows
    score = monitor.snapshot(287 * 300.0).features.scores[2].values["mean_shift_zscore"][FEATURES.index("amount")]
    assert score > 1e3


# --- determinism


def test_order_of_requests_changes_nothing(profile: Profile, traffic: Any) -> None:
    one = exchanges(traffic)
    other = random.Random(3).sample(one, len(one))
    wide = Windows(pane=1.0, lengths=(20.0, 200.0), rows=())  # which rows are the last is a matter of order
    first, second = (watch(profile, some, wide).snapshot(99.9) for some in (one, other))
    assert np.array_equal(first.features.totals.bins, second.features.totals.bins)
    for left, right in zip(first.features.scores, second.features.scores, strict=True):
        for name in left.values:
            assert np.array_equal(left.values[name], right.values[name], equal_nan=True)


def test_order_within_the_rings_changes_no_array(profile: Profile, traffic: Any) -> None:
    one = exchanges(traffic[:59])
    wide = Windows(pane=1.0, lengths=(60.0,), rows=())
    left, right = (watch(profile, some, wide).arrays() for some in (one, one[::-1]))
    assert left.keys() == right.keys()
    differ = {name for name in left if not np.array_equal(left[name], right[name], equal_nan=True)}
    of_order = (".runs.", ".evidence.")  # which values come in a row, what comes before what
    assert {name for name in differ if not any(word in name for word in of_order)} == set()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_batch_size_and_flushing_change_nothing(profile: Profile, size: int) -> None:
    rows = live_rows(1500, 9)
    predictions = answers(rows, 9)
    whole = watch(profile, [exchange(rows, predictions, 5.0)])
    parts = [
        exchange(rows[start : start + size], predictions[start : start + size], 5.0) for start in range(0, 1500, size)
    ]
    for flush_every in (1, 10**9):
        found = watch(profile, parts, flush_every=flush_every)
        left, right = whole.arrays(), found.arrays()
        kept = [name for name in left if ("features" in name or "outputs" in name) and not name.endswith(".match")]
        kept = [name for name in kept if ".absent." not in name]  # a field is in a payload, or is not
        assert all(np.array_equal(left[name], right[name]) for name in kept)


def test_columns_by_position_count_as_columns_by_name(profile: Profile) -> None:
    rows = [{name: row.get(name) for name in FEATURES} for row in live_rows(200, 4)]
    named = watch(profile, [exchange(rows, answers(rows, 1), 5.0)])
    bare = watch(profile, [exchange([list(row.values()) for row in rows], answers(rows, 1), 5.0)])
    left, right = named.arrays(), bare.arrays()
    sizes = {"model.traffic.sizes", "model.traffic.sums", "model.counts"}
    assert all(np.array_equal(left[name], right[name], equal_nan=True) for name in left if name not in sizes)


def test_a_payload_of_many_rows_is_counted_in_pieces(profile: Profile) -> None:
    rows = live_rows(20, 2) * 500
    found = watch(profile, [exchange(rows, [0.25] * len(rows), 5.0)]).snapshot(5.0)
    assert found.features.scores[0].samples.tolist() == [10_000] * len(FEATURES)
    assert found.outputs.totals.bins.sum() == 10_000


# --- windows


def test_windows_forget_and_late_values_land_where_they_belong(profile: Profile) -> None:
    row = live_rows(1, 0)
    monitor = watch(
        profile, [exchange(row, [0.5], 10.0), exchange(row * 3, [0.5] * 3, 25.0), exchange(row, [0.5], 9.0)], SHORT
    )
    samples = [monitor.snapshot(now).features.scores[0].samples[0] for now in (25.0, 28.9, 29.9, 44.9, 45.0)]
    assert samples == [5, 5, 4, 3, 0]


def test_the_moment_is_that_of_the_exchange_not_of_the_flush(profile: Profile) -> None:
    row = live_rows(1, 0)
    monitor = watch(profile, [exchange(row, [0.5], at) for at in (1.0, 1.5, 2.0)], SHORT, flush_every=10**9)
    panes = {name: pane for name, pane in monitor.arrays().items() if name.endswith("features.counts.1.panes")}
    (found,) = panes.values()
    assert sorted(found.sum(axis=(1, 2)).tolist())[-2:] == [len(FEATURES), 2 * len(FEATURES)]


# --- what is kept


def test_what_is_held_makes_the_same_scores_and_no_counts(profile: Profile, traffic: Any) -> None:
    monitor = watch(profile, exchanges(traffic[:50]), SHORT)
    again = Monitor(profile, SHORT, ())
    assert again.put_back(dict(monitor.held(50.0)), 1000.0, 1050.0) > 0
    before, after = monitor.snapshot(50.0), again.snapshot(1050.0)
    for left, right in ((before.features, after.features), (before.outputs, after.outputs)):
        assert left.totals.bins.any()
        assert not right.totals.bins.any()
        for one, other in zip(left.scores, right.scores, strict=True):
            assert np.array_equal(one.samples, other.samples)
            assert one.reach_s == other.reach_s
            assert all(np.array_equal(one.values[name], other.values[name], equal_nan=True) for name in one.values)
    assert after.rows.observed == 0
    assert after.traffic == Monitor(profile, SHORT, ()).snapshot(0.0).traffic


def test_a_window_of_another_profile_is_not_taken(profile: Profile) -> None:
    held = dict(watch(profile, [exchange(live_rows(9, 1), [0.5] * 9, 1.0)], SHORT).held(1.0))
    other = Monitor(dataclasses.replace(profile, features=profile.features[1:]), SHORT, ())
    other.put_back(held, 0.0, 1.0)
    assert other.snapshot(1.0).features.scores[0].samples.sum() == 0


def test_another_version_has_nothing_in_common_but_what_names_no_model(profile: Profile) -> None:
    one, other, later = (watch(profile, []).arrays(series) for series in ("one", "other", "one"))
    assert one.keys() == later.keys()
    assert one.keys() & other.keys() == {"probes", "decoding", "partial"}
    retrained = watch(dataclasses.replace(profile, digest="another"), []).arrays("one")
    assert {"one.counts", "one.traffic.codes"} <= one.keys() & retrained.keys(), "requests are of the model"
    assert not any("features" in name for name in one.keys() & retrained.keys()), "bins are of the profile"


def test_arrays_are_the_live_ones_and_named_by_the_profile(profile: Profile) -> None:
    monitor = watch(profile, [])
    kept = monitor.arrays()
    one = exchange(live_rows(3, 1), [0.1] * 3, 1.0)
    monitor.observe(*_decoded(one))
    monitor.flush()
    assert kept[f"model.{profile.digest}.features.totals"].sum() == 3 * len(FEATURES)
    assert kept["model.counts"][0] == 3


def test_absent_columns_are_missing_in_whatever_order_payloads_come(profile: Profile) -> None:
    rows = live_rows(60, 6)
    few = [exchange([{name: row.get(name) for name in FEATURES[:count]} for row in rows], [0.5] * 60, 5.0)
           for count in (4, 5, 7)]  # fmt: skip
    full = exchange([{name: row.get(name) if place < count else None for place, name in enumerate(FEATURES)}
                     for count in (4, 5, 7) for row in rows], [0.5] * 180, 5.0)  # fmt: skip
    whole = watch(profile, [full]).snapshot(5.0).features
    for order in (few, few[::-1]):
        found = watch(profile, order, flush_every=10).snapshot(5.0).features
        assert found is not None
        assert whole is not None
        assert np.array_equal(found.totals.bins, whole.totals.bins)
        for name, values in found.scores[0].values.items():
            assert np.array_equal(values, whole.scores[0].values[name], equal_nan=True)


def test_outputs_that_are_few_categories_and_nothing_else_are_scored(tmp_path: Path) -> None:
    columns = training_rows(600)
    columns["score"] = ["yes" if place % 3 else "no" for place in range(600)]
    labelled = make_profile(tmp_path, columns)
    assert [column.kind for column in labelled.outputs] == ["categorical"]
    rows = live_rows(30, 1)
    snapshot = watch(labelled, [exchange(rows, ["yes", "no", "maybe"] * 10, 1.0)], SHORT).snapshot(2.0)
    assert snapshot.outputs is not None
    assert snapshot.outputs.totals.bins.tolist() == [[10, 10, 0, 10, 0]]
    assert snapshot.outputs.scores[0].samples.tolist() == [30]
