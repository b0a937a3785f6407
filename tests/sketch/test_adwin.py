"""ADWIN: what it lets go and when, as the library `river` does; and the same however bits come in batches."""

import math
import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from exporter.sketch.adwin import Adwin

ROWS = 6000


def stream(*shares: float) -> NDArray[np.bool_]:
    """So many bits of each share of ones."""
    draw = np.random.RandomState(7)  # frozen for good, and so is what river says of it
    return np.concatenate([draw.random_sample(ROWS) < share for share in shares])


def looked_at(bits: NDArray[np.bool_]) -> tuple[list[int], Adwin]:
    """After how many bits it let some go."""
    adwin, found = Adwin(), []
    for start in range(0, bits.size, 32):
        before = adwin.changes
        adwin.add(bits[start : start + 32])
        if adwin.changes > before:
            found.append(start + 32)
    return found, adwin


@pytest.mark.parametrize(
    ("shares", "changes", "width", "ones"),
    [
        ((0.1, 0.2), [6336, 6432, 6560, 6592, 6624, 7104], 6368, 1307),
        ((0.3, 0.05), [6112, 6144, 6208], 6048, 317),
        ((0.01, 0.03, 0.01), [8288, 8832, 10880, 15040, 16832], 6736, 84),
        ((0.5, 0.7, 0.5), [6208, 6240, 6272, 6304, 6656, 12128, 12160, 12192, 12416], 6096, 3031),
        ((0.1, 0.1), [], 12000, 1229),
        ((0.0, 1.0), [6016, 6048, 6112], 6000, 6000),
    ],
)
def test_it_lets_go_when_river_does_and_of_as_many(
    shares: tuple[float, ...], changes: list[int], width: int, ones: int
) -> None:
    """Expected is what `AdaptiveWindowing` of river 0.26.1 found, which its class ADWIN wraps."""
    found, adwin = looked_at(stream(*shares))
    assert found == changes
    assert (adwin.width, adwin.share) == (width, ones / width)


@pytest.mark.parametrize("seed", range(4))
def test_how_bits_come_in_batches_makes_no_difference(seed: int) -> None:
    bits, draw = stream(0.1, 0.2, 0.15), np.random.default_rng(seed)
    _, expected = looked_at(bits)
    adwin = Adwin()
    for part in np.split(bits, np.sort(draw.integers(0, bits.size, 50))):
        adwin.add(part)
    kept, other = expected.arrays("a"), adwin.arrays("a")
    assert all((kept[name] == other[name]).all() for name in kept)


def test_it_goes_on_from_what_was_kept() -> None:
    bits = stream(0.1, 0.2)
    _, expected = looked_at(bits)
    first, second = Adwin(), Adwin()
    first.add(bits[:7001])
    for name, array in second.arrays("a").items():
        array[...] = first.arrays("a")[name]
    second.add(bits[7001:])
    assert (second.width, second.share, second.changes) == (expected.width, expected.share, expected.changes)


def test_before_the_first_bit_there_is_no_share() -> None:
    adwin = Adwin()
    adwin.add(np.zeros(0, bool))
    assert math.isnan(adwin.share)
    assert (adwin.width, adwin.changes) == (0, 0)


def test_what_it_holds_does_not_grow_with_the_stream() -> None:
    adwin, bits = Adwin(), stream(0.1)
    adwin.add(bits)
    tracemalloc.start()
    for _ in range(10):
        adwin.add(bits)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert adwin.width == 11 * ROWS
    assert sum(array.nbytes for array in adwin.arrays("a").values()) < 2100
    assert grown < 10_000
