"""How many distinct values there are, of many columns: HyperLogLog registers in one array, to be kept and merged.

Flajolet, Fusy, Gandouet & Meunier, HyperLogLog (2007); few values are counted by the registers still empty (linear
counting). The standard error is 1.04 / √REGISTERS, and merging is taking the larger register.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

_BITS: Final = 10
REGISTERS: Final = 1 << _BITS
ERROR: Final = 1.04 / REGISTERS**0.5
"""Relative, one standard deviation: 3 %."""
_ALPHA: Final = 0.7213 / (1 + 1.079 / REGISTERS)
_LINEAR: Final = 2.5 * REGISTERS
"""Up to here the empty registers tell more."""
Hashes = NDArray[np.uint64]
Registers = NDArray[np.uint8]


def registers(columns: int) -> Registers:
    """Of so many columns that have seen nothing, shape (columns, REGISTERS)."""
    return np.zeros((columns, REGISTERS), np.uint8)


def of_numbers(values: NDArray[np.float64]) -> Hashes:
    """Hashes of numbers; both zeros are one, as are all NaN. The finaliser of SplitMix64 (Steele et al. 2014)."""
    canonical = np.where(np.isnan(values), np.nan, values + 0.0)
    mixed = canonical.view(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def of_texts(texts: Iterable[str]) -> Hashes:
    """Hashes of texts: the same in every process, which those of Python are not."""
    digests = b"".join(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def add(column: Registers, hashes: Hashes) -> None:
    """Add values by their hashes to the registers of one column, shape (REGISTERS,)."""
    places = (hashes >> np.uint64(64 - _BITS)).astype(np.int64)
    rest = hashes << np.uint64(_BITS)
    # The rank is the place of the first bit that is set: the exponent of a float tells it without a loop.
    high = (rest >> np.uint64(11)).astype(np.float64)
    ranks = np.where(high > 0, 54 - np.frexp(high)[1], 54).astype(np.uint8)
    np.maximum.at(column, places, ranks)


def estimate(all_registers: Registers) -> NDArray[np.float64]:
    """Distinct values of each column, shape (columns,)."""
    raw = _ALPHA * REGISTERS**2 / np.exp2(-all_registers.astype(np.float64)).sum(axis=1)
    empty = (all_registers == 0).sum(axis=1)
    with np.errstate(divide="ignore"):
        linear = REGISTERS * np.log(REGISTERS / empty)
    return np.asarray(np.where((raw <= _LINEAR) & (empty > 0), linear, raw))
