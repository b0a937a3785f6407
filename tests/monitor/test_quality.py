"""Data quality, live: runs, distinct values, unseen values, identical rows and infinite numbers, as counted by hand."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monitor_scenes import exchange
from profile_tables import profile_of

from exporter.decode import Decoder
from exporter.monitor import Monitor
from exporter.monitor.aspects import ASPECTS
from exporter.monitor.said import Said
from exporter.override import Override, Overrides
from exporter.reference import Profile
from exporter.scalars.salted import Salt
from exporter.sections import Windows
from exporter.sketch import cardinality
from exporter.snapshots import Listed, Measured, OfSide

ROWS = 2000
WINDOWS = Windows(pane=1.0, lengths=(10.0, 100.0))
Cells = Mapping[str, Any]


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    random = np.random.default_rng(1)
    table = {
        "measured": random.normal(size=ROWS).tolist(),
        "few": random.integers(0, 4, ROWS).tolist(),
        "mostly_zero": (random.random(ROWS) < 0.05).astype(float).tolist(),
        "constant": [1.5] * ROWS,
        "flag": random.choice(["true", "false"], ROWS, p=[0.97, 0.03]).tolist(),
        "city": random.choice(["Berlin", "Paris", "Oslo"], ROWS).tolist(),
    }
    made, _ = profile_of(tmp_path_factory.mktemp("profile") / "t.csv", table)
    return made


def drawn(count: int, seed: int = 2) -> list[dict[str, Any]]:
    """Rows as the training data have them."""
    random = np.random.default_rng(seed)
    return [
        {"measured": float(random.normal()), "few": int(random.integers(0, 4)), "constant": 1.5,
         "mostly_zero": float(random.random() < 0.05), "flag": bool(random.random() < 0.97),
         "city": str(random.choice(["Berlin", "Paris", "Oslo"]))}
        for _ in range(count)
    ]  # fmt: skip


def odd(count: int, seed: int) -> list[dict[str, Any]]:
    """Rows with whatever a value may be, some of them twice."""
    random = np.random.default_rng(seed)
    choices: Sequence[Any] = [
        None,
        math.inf,
        -math.inf,
        math.nan,
        "text",
        "Atlantis",
        "Berlin",
        True,
        [[1]],
        1e30,
        -0.0,
    ]
    rows = drawn(count, seed)
    for row in rows:
        if random.random() < 0.4:
            row[str(random.choice(list(row)))] = choices[int(random.integers(len(choices)))]
        if random.random() < 0.1:
            row.pop(str(random.choice(list(row))))
    return [*rows, *rows[: count // 4]]


def seen(monitor: Monitor, rows: Sequence[Cells], at: float = 1.0) -> None:
    one = exchange(rows, [0.5] * len(rows), at)
    monitor.observe(one, Decoder().decode(one))


def watched(profile: Profile, batches: Iterable[Sequence[Cells]], **windows: Any) -> Monitor:
    """A monitor that has counted each batch by itself, a tenth of a second after the one before."""
    monitor = Monitor(profile, replace(WINDOWS, **windows), ())
    for number, rows in enumerate(batches):
        seen(monitor, rows, 1.0 + number * 1e-4)
        monitor.flush()
    return monitor


def told(monitor: Monitor, now: float = 2.0) -> Iterator[Any]:
    block = monitor.snapshot(now).features
    assert block
    yield from block.aspects


def measured(  # noqa: PLR0917 (as it is asked)
    profile: Profile, monitor: Monitor, word: str, name: str, window: str = "10s", now: float = 2.0
) -> float:
    """What a family says of a column."""
    place = [column.name for column in profile.features].index(name)
    (found,) = [one.values[place] for one in told(monitor, now)
                if isinstance(one, Measured) and (one.word, one.window) == (word, window)]  # fmt: skip
    return float(found)


def listed(profile: Profile, monitor: Monitor, word: str, name: str, now: float = 2.0) -> dict[tuple[str, ...], float]:
    place = [column.name for column in profile.features].index(name)
    return {one.labels: one.value for one in told(monitor, now)
            if isinstance(one, Listed) and (one.word, one.column) == (word, place)}  # fmt: skip


def in_words(monitor: Monitor, now: float = 2.0) -> list[Any]:
    """All that is told, to be compared."""
    return [(one.word, one.window, one.values.tolist()) if isinstance(one, Measured) else tuple(one)
            for one in told(monitor, now)]  # fmt: skip


def filled(cells: Iterable[Cells]) -> list[dict[str, Any]]:
    """Rows in which the other columns are as ever: a payload needs most of them to be of the model."""
    usual = {"measured": 0.5, "few": 1, "constant": 1.5, "mostly_zero": 0.0, "flag": True, "city": "Oslo"}
    return [usual | dict(row) for row in cells]


def parts(rows: Sequence[Cells], size: int) -> list[Sequence[Cells]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


# --- the shelf


@pytest.mark.parametrize("size", [1, 7, 300])
def test_how_rows_are_batched_changes_nothing(profile: Profile, size: int) -> None:
    rows = odd(400, 3)
    whole, batched = (
        [one for one in in_words(watched(profile, some)) if one[0] != "absent_ratio"]  # which is of payloads
        for some in ([rows], parts(rows, size))
    )
    assert repr(whole) == repr(batched)


def test_when_payloads_are_counted_changes_nothing(profile: Profile) -> None:
    payloads = parts(odd(400, 3), 9)
    together = Monitor(profile, WINDOWS, ())
    for number, rows in enumerate(payloads):
        seen(together, rows, 1.0 + number * 1e-4)
    together.flush()
    assert repr(in_words(watched(profile, payloads))) == repr(in_words(together))


def test_the_order_of_rows_changes_nothing_but_runs(profile: Profile) -> None:
    rows = odd(400, 4)
    turned = [rows[place] for place in np.random.default_rng(1).permutation(len(rows))]
    one, other = (
        [item for item in in_words(watched(profile, [some])) if "run" not in item[0]] for some in (rows, turned)
    )
    assert repr(one) == repr(other)


def test_nothing_that_is_told_is_negative_or_infinite(profile: Profile) -> None:
    for rows in ([{}], odd(60, 5), filled([{"measured": math.inf}] * 3), filled([{"city": "Atlantis"}] * 40), drawn(1)):
        monitor = watched(profile, [rows])
        for now in (2.0, 50.0, 1e6):
            for one in (one for one in told(monitor, now) if not one.word.endswith("quantile")):
                values = one.values if isinstance(one, Measured) else np.array([one.value])
                assert (np.isnan(values) | ((values >= 0) & np.isfinite(values))).all(), one
                assert isinstance(one, Measured) or not np.isnan(one.value)


def test_what_is_kept_does_not_grow_and_another_process_goes_on_with_it(profile: Profile) -> None:
    before = watched(profile, [odd(100, 6)])
    shapes = {name: array.shape for name, array in before.arrays().items()}
    seen(before, odd(3000, 7), 1.5)
    before.flush()
    assert {name: array.shape for name, array in before.arrays().items()} == shapes
    after = Monitor(profile, WINDOWS, ())
    for name, array in after.arrays().items():
        array[...] = before.arrays()[name]
    not_kept = {"unseen_category_values"}
    assert repr([one for one in in_words(after) if one[0] not in not_kept]) == repr(
        [one for one in in_words(before) if one[0] not in not_kept]
    )


def test_windows_come_back_from_a_disk(profile: Profile) -> None:
    before = watched(profile, [odd(300, 8)])
    after = Monitor(profile, WINDOWS, ())
    after.put_back(dict(before.held(2.0)), 0.0, 2.0)
    gone = {"unseen_category_values", "current_run_values"}
    assert repr([one for one in in_words(after) if one[0] not in gone]) == repr(
        [one for one in in_words(before) if one[0] not in gone]
    )


def test_no_value_goes_to_the_disk(profile: Profile) -> None:
    monitor = watched(profile, [filled([{"measured": 123.456, "city": "Atlantis"}] * 50)])
    needles = [np.float64(123.456).tobytes(), b"Atlantis"]
    for name, array in monitor.held(2.0):
        assert not any(needle in array.tobytes() for needle in needles), name


# --- runs


def test_runs_of_each_column_are_those_by_hand(profile: Profile) -> None:
    rows = odd(500, 9)
    monitor = watched(profile, parts(rows, 37))
    for name in ("measured", "few", "mostly_zero", "constant"):
        cells = [float(cell) for cell in (row.get(name) for row in rows)
                 if isinstance(cell, bool | int | float) and math.isfinite(cell)]  # fmt: skip
        runs = [len(list(group)) for _, group in groupby(cells)]
        assert measured(profile, monitor, "longest_run_values", name) == max(runs), name
        assert measured(profile, monitor, "current_run_values", name, "") == runs[-1], name


def test_names_that_share_a_bin_are_told_apart(profile: Profile) -> None:
    rows = [{"city": f"village {at // 5}"} for at in range(100)]
    batches = [rows, [{"city": None}], [{"city": "village 19"}] * 3]
    monitor = watched(profile, map(filled, batches))
    assert measured(profile, monitor, "longest_run_values", "city") == 8
    assert measured(profile, monitor, "current_run_values", "city", "") == 8


def test_a_run_counts_with_what_it_had_before_the_window_and_windows_forget(profile: Profile) -> None:
    monitor = Monitor(profile, WINDOWS, ())
    seen(monitor, filled([{"few": 1}] * 60), 1.0)
    seen(monitor, filled([{"few": 1}, {"few": 2}, {"few": 3}]), 30.0)
    monitor.flush()
    assert measured(profile, monitor, "longest_run_values", "few", "10s", 30.0) == 61
    seen(monitor, filled([{"few": 1}, {"few": 2}]), 60.0)
    monitor.flush()
    assert measured(profile, monitor, "longest_run_values", "few", "10s", 60.0) == 1
    assert measured(profile, monitor, "longest_run_values", "few", "100s", 60.0) == 61
    assert math.isnan(measured(profile, monitor, "longest_run_values", "few", "10s", 200.0))
    assert math.isnan(measured(profile, monitor, "longest_run_values_critical", "few", "10s", 200.0))


def test_a_stuck_sensor_is_beyond_chance_and_a_constant_of_the_training_is_not(profile: Profile) -> None:
    stuck = [row | {"measured": 20.25, "few": 3, "flag": True, "mostly_zero": 0.0} for row in drawn(1000)]
    monitor = watched(profile, parts(stuck, 100))
    for name in ("measured", "few", "flag", "mostly_zero"):
        longest = measured(profile, monitor, "longest_run_values", name)
        assert longest == 1000 > measured(profile, monitor, "longest_run_values_critical", name), name
    assert math.isnan(measured(profile, monitor, "longest_run_values_critical", "constant"))


@pytest.mark.parametrize("count", [50, 400, 2000])
def test_chance_alone_hardly_ever_reaches_what_is_critical(profile: Profile, count: int) -> None:
    beyond = 0
    for seed in range(10):
        monitor = watched(profile, [drawn(count, 100 + seed)])
        for name in ("measured", "few", "mostly_zero", "flag", "city"):
            critical = measured(profile, monitor, "longest_run_values_critical", name)
            beyond += measured(profile, monitor, "longest_run_values", name) > critical
            least = measured(profile, monitor, "distinct_values_critical", name)
            beyond += measured(profile, monitor, "distinct_values", name) < least
    assert beyond == 0  # 100 chances of one in 1000 at most


def test_where_rows_come_together_longer_runs_and_fewer_values_are_chance(profile: Profile) -> None:
    features = tuple(replace(column, dependence=10.0) for column in profile.features)
    together = replace(profile, features=features)
    rows = [row for row in drawn(100) for _ in range(10)]
    alone, clustered = watched(profile, [rows]), watched(together, [rows])
    for word, sign in (("longest_run_values_critical", 1), ("distinct_values_critical", -1)):
        plain = measured(profile, alone, word, "measured")
        assert sign * measured(profile, clustered, word, "measured") > sign * plain, word
    assert measured(profile, clustered, "distinct_values", "measured") == pytest.approx(100, rel=0.15)
    assert not measured(profile, clustered, "distinct_values_critical", "measured") > 100


# --- distinct values


def test_the_profile_knows_how_many_values_there_were(profile: Profile) -> None:
    found = {column.name: column.different for column in profile.features}
    assert found["measured"] == pytest.approx(ROWS, rel=0.15)
    assert {name: found[name] for name in ("few", "mostly_zero", "constant", "flag", "city")} == {
        "few": 4, "mostly_zero": 2, "constant": 1, "flag": 2, "city": 3,
    }  # fmt: skip


def test_distinct_values_are_counted_within_the_error_of_the_sketch(profile: Profile) -> None:
    rows = drawn(1500) + filled({"city": f"village {at}"} for at in range(60))
    monitor = watched(profile, parts(rows, 333))
    assert measured(profile, monitor, "distinct_values", "measured") == pytest.approx(1500, rel=0.15)
    assert measured(profile, monitor, "distinct_values", "few") == pytest.approx(4, abs=0.1)
    assert measured(profile, monitor, "distinct_values", "city") == pytest.approx(63, rel=0.15)
    assert measured(profile, monitor, "distinct_values", "constant") == pytest.approx(1, abs=0.01)


def test_a_column_that_collapses_has_fewer_values_than_chance_leaves(profile: Profile) -> None:
    rows = [row | {"measured": round(row["measured"]), "few": 2, "city": "Oslo"} for row in drawn(1000)]
    monitor = watched(profile, parts(rows, 250))
    for name in ("measured", "few", "city"):
        least = measured(profile, monitor, "distinct_values_critical", name)
        assert measured(profile, monitor, "distinct_values", name) < least, name
    assert math.isnan(measured(profile, monitor, "distinct_values_critical", "constant"))


def test_what_the_profile_does_not_say_is_asked_of_its_bins_alone(profile: Profile) -> None:
    features = tuple(replace(column, distinct=None) for column in profile.features)
    unknown = replace(profile, features=features)
    monitor = watched(unknown, [drawn(1000)])
    assert 8 <= measured(unknown, monitor, "distinct_values_critical", "measured") <= 12
    assert math.isnan(measured(unknown, monitor, "reference_distinct_values", "measured", ""))
    assert measured(profile, monitor, "distinct_values", "measured") > 800


def test_values_that_share_a_register_for_good_are_no_collapse(tmp_path: Path) -> None:
    """As two of five values do in two columns of a hundred."""
    sharing = next(values for start in range(10_000) if occupied(values := range(start, start + 5)) == 4)
    cells = [float(value) for value in sharing] * 400
    made, _ = profile_of(tmp_path / "t.csv", {"x": cells, "flag": ["true", "false"] * 1000})
    monitor = watched(made, [[{"x": cell, "flag": True} for cell in cells]])
    seen_of, least = (measured(made, monitor, word, "x") for word in ("distinct_values", "distinct_values_critical"))
    assert 2.5 < least <= seen_of < 4.5
    collapsed = watched(made, [[{"x": cells[0], "flag": False}] * 500 + [{"x": cells[4], "flag": False}] * 500])
    for name in ("x", "flag"):
        assert measured(made, collapsed, "distinct_values", name) < measured(
            made, collapsed, "distinct_values_critical", name
        )


def occupied(values: Iterable[int]) -> int:
    found = cardinality.registers(1)
    cardinality.add_numbers(found, np.array([[float(value)] for value in values]))
    return int(np.count_nonzero(found))


def test_what_follows_the_clock_has_few_values_at_a_time(tmp_path: Path) -> None:
    hours = [float(at % 24) for at in range(4800)]
    made, _ = profile_of(tmp_path / "t.csv", {"hour": hours, "x": [float(at % 7) for at in range(4800)]})
    features = tuple(replace(column, wander=0.95 if column.name == "hour" else 0.01) for column in made.features)
    told_so, rows = replace(made, features=features), [{"hour": 3.0, "x": float(at % 7)} for at in range(4800)]
    for one, is_critical in ((made, True), (told_so, False)):
        monitor = watched(one, [rows])
        assert (measured(one, monitor, "distinct_values_critical", "hour") > 1.5) == is_critical
        assert measured(one, monitor, "distinct_values_critical", "x") > 4


# --- unseen values


def test_the_most_frequent_unseen_values_are_named_from_ten_rows_on(profile: Profile) -> None:
    counts = {"Atlantis": 30, "Mu": 25, "Lyonesse": 12, "Ys": 11, "Thule": 9}
    rows = filled({"city": city} for city, times in counts.items() for _ in range(times))
    monitor = watched(profile, parts(rows + drawn(50), 7))
    assert listed(profile, monitor, "unseen_category_values", "city") == {
        (city, window): counts[city] for city in ("Atlantis", "Mu", "Lyonesse") for window in ("10s", "100s")
    }
    assert listed(profile, monitor, "unseen_category_values", "city", 60.0) == {
        (city, "100s"): counts[city] for city in ("Atlantis", "Mu", "Lyonesse")
    }
    assert not listed(profile, monitor, "unseen_category_values", "city", 1000.0)


@pytest.mark.parametrize(
    "name",
    ["ann@example.org", " ann@example.org", "Ann <ann@example.org>", "ann@example.org;bob@example.org",
     "4111 1111 1111 1111", " 4111-1111-1111-1111 ", "x" * 65, ""],
)  # fmt: skip
def test_what_may_be_somebody_is_never_named(profile: Profile, name: str) -> None:
    monitor = watched(profile, [filled([{"city": name}] * 100)])
    assert not listed(profile, monitor, "unseen_category_values", "city")


def test_nothing_is_named_where_the_settings_say_so(profile: Profile) -> None:
    monitor = watched(profile, [filled([{"city": "Atlantis"}] * 100)], unseen_values=False)
    assert not listed(profile, monitor, "unseen_category_values", "city")


def test_of_more_values_than_there_is_room_for_the_frequent_one_is_found_within_the_error(profile: Profile) -> None:
    random = np.random.default_rng(3)
    names = ["Atlantis"] * 300 + [f"village {at}" for at in range(2000)]
    rows = filled({"city": names[place]} for place in random.permutation(len(names)))
    found = listed(profile, watched(profile, parts(rows, 100)), "unseen_category_values", "city")
    assert 300 - len(rows) / 33 <= found["Atlantis", "10s"] <= 300


def test_of_a_salted_column_the_hash_is_shown(tmp_path: Path) -> None:
    salt = Salt(b"pepper" * 8)
    made, _ = profile_of(tmp_path / "t.csv", {"city": ["Berlin", "Oslo"] * 50}, salt=salt, hashed=("city",))
    monitor = Monitor(made, WINDOWS, (), Said(salt=salt))
    seen(monitor, [{"city": "Atlantis"}] * 20)
    monitor.flush()
    assert listed(made, monitor, "unseen_category_values", "city") == {
        (salt.name("Atlantis"), window): 20 for window in ("10s", "100s")
    }


# --- rows


def duplicates(monitor: Monitor, now: float = 2.0) -> dict[str, float]:
    return {one.window: one.value for one in told(monitor, now)
            if isinstance(one, OfSide) and one.word == "duplicate_rows_ratio"}  # fmt: skip


def test_rows_that_came_before_are_a_share_of_each_window(profile: Profile) -> None:
    rows = drawn(200)
    again = [*rows[:50], rows[0] | {"city": "Atlantis"}, rows[0] | {"city": "Mu"}, rows[0] | {"city": "Mu"}]
    monitor = watched(profile, parts([*rows, *again], 31))
    assert duplicates(monitor) == {"10s": 51 / 253, "100s": 51 / 253}
    assert duplicates(monitor, 60.0) == {"100s": 51 / 253}


def test_what_is_missing_is_alike_and_so_are_both_zeros(profile: Profile) -> None:
    cells: list[Cells] = [
        {"measured": None, "few": 0.0},
        {"measured": math.nan, "few": -0.0},
        {"measured": None, "few": 0},
    ]
    monitor = watched(profile, [filled(cells)])
    assert duplicates(monitor)["10s"] == 2 / 3


def test_a_column_to_be_ignored_makes_no_row_another_one(profile: Profile) -> None:
    said = Said(Overrides({"measured": Override(ignore=True)}))
    monitor = Monitor(profile, WINDOWS, (), said)
    row = drawn(1)[0]
    seen(monitor, [row | {"measured": float(at)} for at in range(10)])
    monitor.flush()
    assert duplicates(monitor)["10s"] == 0.9


def test_shares_by_other_columns_are_not_taken_over(profile: Profile) -> None:
    before = watched(profile, [drawn(1) * 10])
    same, other = (Monitor(profile, WINDOWS, (), Said(Overrides({"few": Override(ignore=ignore)})))
                   for ignore in (False, True))  # fmt: skip
    for monitor in (same, other):
        monitor.put_back(dict(before.held(2.0)), 0.0, 2.0)
    assert duplicates(same)["10s"] == 0.9
    assert not duplicates(other)


def test_only_the_last_ten_thousand_rows_are_remembered(profile: Profile) -> None:
    numbers = [*range(10_001), 0, 2]
    monitor = watched(profile, parts(filled({"measured": number} for number in numbers), 4000))
    assert duplicates(monitor)["10s"] == 1 / 10_003


# --- infinite numbers


def test_infinite_numbers_are_told_by_sign_and_apart_from_wrong_types(profile: Profile) -> None:
    cells = [math.inf] * 3 + [-math.inf] * 2 + ["text"] * 4 + [1.0] * 11
    monitor = watched(profile, parts(filled({"measured": cell} for cell in cells), 3))
    assert listed(profile, monitor, "infinite_ratio", "measured") == {
        ("positive", "10s"): 0.15, ("positive", "100s"): 0.15, ("negative", "10s"): 0.1, ("negative", "100s"): 0.1,
    }  # fmt: skip
    assert measured(profile, monitor, "type_error_ratio", "measured") == 0.2
    assert not listed(profile, monitor, "infinite_ratio", "few")


# --- absent fields


def test_a_field_that_payloads_do_not_have_is_told_apart_from_null(profile: Profile) -> None:
    whole = drawn(6)
    without = [{name: cell for name, cell in row.items() if name not in {"few", "city"}} for row in drawn(4)]
    nulls = [row | {"few": None, "city": None} for row in drawn(10)]
    monitor = watched(profile, [whole, without, nulls])
    for name in ("few", "city"):
        assert measured(profile, monitor, "absent_ratio", name) == 0.2
        assert math.isnan(measured(profile, monitor, "absent_ratio", name, now=50.0))
    assert math.isnan(measured(profile, monitor, "absent_ratio", "measured"))
    block = monitor.snapshot(2.0).features
    assert block
    assert block.scores[0].ratios["missing"][1] == 0.7


def test_all_that_is_built_here_is_on_the_shelf() -> None:
    assert ASPECTS.keys() >= {"runs", "distinct", "unseen", "duplicates", "infinite", "absent"}
