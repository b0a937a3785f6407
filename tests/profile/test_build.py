"""What a profile says of a table equals what numpy says of its raw rows, and nothing in it names anybody."""

import math
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from profile_tables import bytes_of, column_of, profile_of, write_csv

from exporter.errors import ConfigError, DataError
from exporter.profile.build import Plan, build
from exporter.profile.numbers import QUANTILES
from exporter.reference import ABOVE, BELOW, MISSING, NONFINITE
from exporter.sketch.binning import NumberBins

TOP = sys.float_info.max


def numbers(kind: str, count: int = 20_000) -> NDArray[np.float64]:
    random_ = np.random.default_rng(3)
    return {
        "normal": lambda: random_.normal(size=count),
        "lognormal": lambda: random_.lognormal(0, 3, count),
        "discrete": lambda: random_.poisson(3, count).astype(float),
        "mostly zero": lambda: np.where(random_.random(count) < 0.95, 0.0, random_.lognormal(size=count)),
        "years": lambda: random_.integers(2000, 2021, count).astype(float),
        "years and parts": lambda: random_.uniform(2000, 2020, count),
        "timestamps": lambda: 1.7e9 + random_.uniform(0, 1e6, count),
        "huge range": lambda: 10.0 ** random_.uniform(-300, 300, count) * random_.choice([-1, 1], count),
        "subnormal": lambda: random_.integers(-50, 50, count) * 5e-324,
        "constant": lambda: np.full(count, 0.1),
        "two values": lambda: random_.choice([-1.5, 2.5], count),
        "largest": lambda: random_.choice([TOP, -TOP, 0.0, 1.0], count),
        "only the largest": lambda: np.full(100, TOP),
        "only the smallest": lambda: np.full(100, -TOP),
    }[kind]()


KINDS = ("normal", "lognormal", "discrete", "mostly zero", "years", "years and parts", "timestamps", "huge range",
         "subnormal", "constant", "two values", "largest", "only the largest", "only the smallest")  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_numeric_columns_equal_numpy(tmp_path: Path, kind: str) -> None:
    raw = numbers(kind)
    column = column_of(tmp_path / "t.csv", raw.tolist())
    assert column.kind == "numeric"
    assert (column.minimum, column.maximum) == (raw.min(), raw.max())
    exact = math.fsum(raw / raw.size) if kind != "subnormal" else raw.mean()
    assert column.mean == pytest.approx(exact, rel=1e-12, abs=float(np.abs(raw).max()) * 1e-13)
    with np.errstate(over="ignore"):
        deviations = np.minimum(np.abs(raw - column.mean), TOP)
    scale = float(deviations.max())
    expected = scale * float(np.sqrt(((deviations / scale) ** 2).mean())) if scale else 0.0
    # Cells of the grid are narrow, but a factor of two wide where the range is that of all floats.
    assert column.sd == pytest.approx(expected, rel=0.5 if kind == "huge range" else 0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_live_rows_like_the_reference_fall_into_the_same_bins(tmp_path: Path, kind: str) -> None:
    raw = numbers(kind)
    column = column_of(tmp_path / "t.csv", raw.tolist())
    placed = NumberBins([column.edges]).place(raw[:, None], np.zeros((raw.size, 1), bool))
    assert np.bincount(placed[:, 0], minlength=16).tolist() == list(column.counts)
    assert column.counts[BELOW] == column.counts[ABOVE] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_edges_lie_at_the_quantiles_as_near_as_ties_allow(tmp_path: Path, kind: str) -> None:
    raw = np.sort(numbers(kind))
    column = column_of(tmp_path / "t.csv", raw.tolist())
    assert list(column.edges) == sorted(set(column.edges))
    assert 2 <= len(column.edges) <= 13
    inner = np.array(column.edges[1:-1])
    shares = np.searchsorted(raw, inner, "left") / raw.size
    ties = np.unique(raw, return_counts=True)[1].max() / raw.size
    for quantile in QUANTILES:
        # An edge is near, or a value so frequent that no edge can be.
        if inner.size and ties < 0.2:
            assert np.abs(shares - quantile).min() <= ties + 0.01
    if ties < 0.005:
        assert len(column.edges) == 13


def test_missing_and_non_finite_cells_of_text_are_told_apart(tmp_path: Path) -> None:
    cells = ["1.5", "", "NA", "nan", "null", "inf", "-inf", "Infinity", " 2 ", "1e3"]
    column = column_of(tmp_path / "t.csv", cells)
    assert column.kind == "numeric"
    assert (column.counts[MISSING], column.counts[NONFINITE], column.finite) == (4, 3, 3)
    assert column.mean == pytest.approx((1.5 + 2 + 1000) / 3)


def test_a_column_of_nothing_is_all_missing(tmp_path: Path) -> None:
    column = column_of(tmp_path / "t.csv", [None] * 50)
    assert (column.kind, column.counts) == ("categorical", (0, 0, 50))


def test_categories_are_ordered_by_frequency_then_name(tmp_path: Path) -> None:
    column = column_of(tmp_path / "t.csv", ["b"] * 20 + ["a"] * 20 + ["ü"] * 30 + [None] * 5)
    assert (column.kind, column.categories, column.counts) == ("categorical", ("ü", "a", "b"), (30, 20, 20, 0, 0, 5))


def test_rarer_categories_share_a_bin(tmp_path: Path) -> None:
    values = [f"c{place:02d}" for place in range(40) for _ in range(50 - place)]
    column = column_of(tmp_path / "t.csv", values)
    assert column.categories == tuple(f"c{place:02d}" for place in range(20))
    assert column.others == tuple(f"c{place:02d}" for place in range(20, 40))
    assert column.counts[20:] == (sum(50 - place for place in range(20, 40)), 0, 0)


def test_no_category_of_fewer_than_ten_rows_is_written(tmp_path: Path) -> None:
    values = ["often"] * 100 + ["ten"] * 10 + ["nine"] * 9 + ["Jane Doe"]
    profile, notes = profile_of(tmp_path / "t.csv", {"x": values})
    column = profile.features[0]
    assert column.categories == ("often", "ten")
    assert column.counts == (100, 10, 0, 10, 0)
    written = bytes_of(tmp_path / "p.json", profile)
    assert b"nine" not in written
    assert b"Jane" not in written
    assert "10 rows are expected as unseen: 10 rows hold values that fewer than 10 rows have" in notes[0]


@pytest.mark.parametrize("value", ["jane.doe@example.org", "4111 1111 1111 1111", "4111111111111111x"[:16], "x" * 2000])
def test_what_names_people_or_is_no_name_is_not_written_however_frequent(tmp_path: Path, value: Any) -> None:
    values = [value] * 40 + ["a"] * 60
    profile, _ = profile_of(tmp_path / "t.csv", {"x": values}, kinds={"x": "categorical"})
    assert profile.features[0].categories == ("a",)
    assert profile.features[0].counts == (60, 0, 40, 0)
    assert value.encode() not in bytes_of(tmp_path / "p.json", profile)


def test_a_column_of_addresses_is_text(tmp_path: Path) -> None:
    values = [f"user{place % 20}@example.org" for place in range(1000)]
    profile, notes = profile_of(tmp_path / "t.csv", {"x": values})
    assert profile.features[0].kind == "text"
    assert "1000 rows hold values that look like e-mail addresses" in notes[0]
    assert b"example" not in bytes_of(tmp_path / "p.json", profile)


def test_values_of_text_columns_are_never_in_the_file(tmp_path: Path) -> None:
    source = random.Random(2)
    values = [f"{source.choice(['alpha', 'beta'])} secret{place}" for place in range(500)]
    profile, notes = profile_of(tmp_path / "t.csv", {"x": values})
    column = profile.features[0]
    assert column.kind == "text"
    assert "refused as categories, and watched as text instead (500 rows hold values that fewer than 10" in notes[0]
    written = bytes_of(tmp_path / "p.json", profile)
    for word in (b"secret", b"alpha", b"beta"):
        assert word not in written
    lengths = np.array([len(value) for value in values], float)
    assert column.mean == pytest.approx(lengths.mean())
    assert (column.minimum, column.maximum) == (lengths.min(), lengths.max())


def test_a_hundred_thousand_categories_are_text(tmp_path: Path) -> None:
    values = [f"id-{place}" for place in range(100_000)]
    profile, notes = profile_of(tmp_path / "t.csv", {"x": values})
    assert profile.features[0].kind == "text"
    assert any("over 10000 distinct values" in note for note in notes)
    assert len(bytes_of(tmp_path / "p.json", profile)) < 5000


@pytest.mark.parametrize("words", [("true", "false"), ("True", "False"), ("TRUE", "FALSE")])
def test_truth_values_are_boolean(tmp_path: Path, words: str) -> None:
    column = column_of(tmp_path / "t.csv", [words[0]] * 30 + [words[1]] * 3 + [None])
    assert (column.kind, column.categories, column.counts) == ("boolean", ("false", "true"), (3, 30, 0, 0, 1))


def test_zeros_and_ones_can_be_declared_boolean(tmp_path: Path) -> None:
    column = column_of(tmp_path / "t.csv", [1] * 30 + [0] * 12 + [None], kinds={"x": "boolean"})
    assert (column.categories, column.counts) == (("false", "true"), (12, 30, 0, 0, 1))


def test_numbers_can_be_declared_categories(tmp_path: Path) -> None:
    cells = ["3"] * 20 + ["3.0"] * 5 + ["1000000000000000"] * 15 + ["9007199254740993"] * 12
    column = column_of(tmp_path / "t.csv", cells, kinds={"x": "categorical"})
    assert column.categories == ("3", "1000000000000000", "9007199254740993")


def test_a_mixed_column_is_categorical_and_says_why(tmp_path: Path) -> None:
    profile, notes = profile_of(tmp_path / "t.csv", {"x": ["1"] * 50 + ["n.a."] * 20 + ["2"] * 40})
    assert profile.features[0].categories == ("1", "2", "n.a.")
    assert "not numeric because of values such as 'n.a.'" in notes[0]


def test_underscores_make_no_number(tmp_path: Path) -> None:
    assert column_of(tmp_path / "t.csv", ["1_000"] * 30).categories == ("1_000",)


@pytest.mark.parametrize(("values", "kind", "words"), [
    (["a"] * 20, "numeric", "declared numeric but holds no number"),
    (["1"] * 9 + ["a"] * 9, "numeric", "not numeric because of values such as 'a'"),
    ([None] * 20, "text", "declared text but holds none"),
    (["a"] * 20, "boolean", "declared boolean but holds neither"),
    ([f"{place}" for place in range(10_001)], "categorical", "over 10000 distinct values"),
])  # fmt: skip
def test_a_kind_that_does_not_fit_is_refused(tmp_path: Path, values: Any, kind: str, words: str) -> None:
    with pytest.raises(DataError, match=r"t\.csv: column 'x'") as caught:
        column_of(tmp_path / "t.csv", values, kinds={"x": kind})
    assert words in str(caught.value)


# --- the plan


def plan(path: Path, **changes: Any) -> Plan:
    source = write_csv(path / "t.csv", {"a": [1, 2], "b": [3, 4], "y": [0, 1], "p": [0.1, 0.2]})
    return Plan(**({"source": source, "predictions": ["p"], "target": "y"} | changes))


def test_predictions_target_and_ignored_are_no_features(tmp_path: Path) -> None:
    profile, _ = build(plan(tmp_path, ignored=["b"], model="m", version="7", trained_at=5.0))
    assert [column.name for column in profile.features] == ["a"]
    assert [column.name for column in profile.outputs] == ["p"]
    assert (profile.model, profile.version, profile.trained_at, profile.rows, profile.source) == (
        "m",
        "7",
        5.0,
        2,
        "t.csv",
    )


def test_outputs_keep_the_order_of_the_answer(tmp_path: Path) -> None:
    profile, _ = build(plan(tmp_path, predictions=["p", "a"]))
    assert [column.name for column in profile.outputs] == ["p", "a"]


@pytest.mark.parametrize(("changes", "words"), [
    ({"predictions": ["q"]}, "--prediction q: "), ({"target": "z"}, "--target z: "),
    ({"ignored": ["z"]}, "--ignore z: "),
    ({"kinds": {"z": "text"}}, "--kind z: "),
])  # fmt: skip
def test_unknown_columns_are_refused_by_name(tmp_path: Path, changes: Any, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(plan(tmp_path, **changes))
    assert str(caught.value).startswith(words)
    assert str(caught.value).endswith("has no such column, it has a, b, y, p")


@pytest.mark.parametrize(("changes", "words"), [
    ({"predictions": ["p", "p"]}, "--prediction p: given twice"),
    ({"predictions": ["y"]}, "--prediction y: a prediction cannot be the target or ignored"),
    ({"ignored": ["p"]}, "--prediction p: a prediction cannot be the target or ignored"),
])  # fmt: skip
def test_a_column_has_one_part_to_play(tmp_path: Path, changes: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        build(plan(tmp_path, **changes))


def test_something_must_be_left(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column is left to be a feature"):
        build(plan(tmp_path, ignored=["a", "b"]))
