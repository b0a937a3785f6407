"""Distinct values: as many as there are, within the error that the sketch states, in whatever order and parts."""

import numpy as np
import pytest

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


def test_equal_numbers_have_one_hash() -> None:
    other_nan = np.array([0x7FF8000000000001], np.uint64).view(np.float64)
    values = np.array([0.0, -0.0, np.nan, other_nan[0], 1.0, 1.0])
    assert len(set(cardinality.of_numbers(values).tolist())) == 3


def test_texts_of_any_letters_have_the_hash_they_had_yesterday() -> None:
    found = cardinality.of_texts(["", "ü", "\ud800"])
    assert found.tolist() == cardinality.of_texts(["", "ü", "\ud800"]).tolist()
    assert found[0] == int.from_bytes(bytes.fromhex("e4a6a0577479b2b4"), "little")


def test_ranks_are_the_place_of_the_first_set_bit() -> None:
    found = cardinality.registers(1)
    for place in range(54):
        found[:] = 0
        cardinality.add(found[0], np.array([1 << place], np.uint64))
        assert found[0, 0] == min(54, 64 - 10 - place)
