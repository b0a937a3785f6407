"""Distinct values: as many as there are, within the error that the sketch states, in whatever order and parts."""

import numpy as np
import pytest
from numpy.typing import NDArray

from exporter.sketch import cardinality
from exporter.sketch.cardinality import ERROR


def estimated(hashes: cardinality.Hashes) -> float:
    found = cardinality.registers(1)
    cardinality.add(found[0], hashes)
    return float(cardinality.estimate(found)[0])


@pytest.mark.parametrize("distinct", [0, 1, 2, 10, 100, 1000, 2000, 3000, 10_000, 300_000])
def test_distinct_numbers_and_texts_are_counted_within_the_stated_error(distinct: int) -> None:
    random = np.random.default_rng(distinct)
    errors = []
    for _ in range(10):
        values = random.normal(size=distinct)
        errors.append(estimated(cardinality.of_numbers(np.concatenate((values, values[::-1])))) - distinct)
    texts = [f"value {random.integers(1 << 60)}" for _ in range(min(distinct, 10_000))]
    errors.append((estimated(cardinality.of_texts(texts)) - len(texts)) * max(1, distinct) / max(1, len(texts)))
    assert np.abs(errors).max() <= 4.5 * ERROR * distinct
    assert abs(np.mean(errors)) <= 4 * ERROR * distinct / np.sqrt(11) + 1e-9


def test_neither_order_nor_parts_change_a_register() -> None:
    hashes = cardinality.of_numbers(np.random.default_rng(1).normal(size=5000))
    one, two = cardinality.registers(1), cardinality.registers(2)
    cardinality.add(one[0], hashes)
    cardinality.add(two[0], hashes[3000:][::-1])
    cardinality.add(two[1], hashes[:3500])
    assert np.array_equal(one[0], two.max(axis=0))


def test_both_zeros_are_one_number() -> None:
    assert len(set(cardinality.of_numbers(np.array([0.0, -0.0, 1.0, 1.0, -1.0])).tolist())) == 3


@pytest.mark.parametrize(
    "values",
    [
        np.arange(20_000.0), np.arange(20_000) / 100, 1e9 + np.arange(20_000) * 60, np.exp2(np.arange(-1000, 1000)),
        np.float64(np.float32(np.linspace(0, 1, 20_000))), -np.arange(1.0, 20_001), np.arange(20_000) * 1e-300,
        np.arange(20_000.0) * 4096, np.arange(1, 20_001) / 7,
    ],
    ids=["whole", "cents", "times", "powers", "narrow", "negative", "tiny", "pages", "sevenths"],
)  # fmt: skip
def test_numbers_that_people_use_are_told_apart_as_well_as_those_of_chance(values: NDArray[np.float64]) -> None:
    parts = [values, values[::2], values[::7], values[:1000], values[-1700:]]
    for part in parts:
        assert abs(estimated(cardinality.of_numbers(part)) - part.size) <= 4 * ERROR * part.size


def test_many_columns_at_once_are_counted_as_one_by_one_and_without_what_is_missing() -> None:
    random = np.random.default_rng(5)
    values = np.round(random.normal(size=(5000, 7)), 2)
    present = random.random(values.shape) < 0.8
    together, alone = cardinality.registers(7), cardinality.registers(7)
    cardinality.add_numbers(together, values, present)
    for place in range(7):
        cardinality.add(alone[place], cardinality.of_numbers(values[present[:, place], place]))
    assert np.array_equal(together, alone)


def test_texts_of_any_letters_have_the_hash_they_had_yesterday() -> None:
    found = cardinality.of_texts(["", "ü", "\ud800"])
    assert found.tolist() == cardinality.of_texts(["", "ü", "\ud800"]).tolist()
    assert found[0] == int.from_bytes(bytes.fromhex("e4a6a0577479b2b4"), "little")


def test_ranks_are_the_place_of_the_first_set_bit() -> None:
    found = cardinality.registers(1)
    for place in range(54):
        found[:] = 0
        cardinality.add(found[0], np.array([1 << place], np.uint64))
        assert found[0, 0] == 64 - 9 - place
