"""How many distinct values there are, of many columns: HyperLogLog registers in one array, to be kept and merged.

Flajolet, Fusy, Gandouet & Meunier, HyperLogLog (2007); few values are counted by the registers still empty (linear
counting). The standard error is 1.04 / √REGISTERS, and merging is taking the larger register.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

_BITS: Final = 9
REGISTERS: Final = 1 << _BITS
ERROR: Final = 1.04 / REGISTERS**0.5
"""Relative, one standard deviation: 4.6 %."""
_ALPHA: Final = 0.7213 / (1 + 1.079 / REGISTERS)
_LINEAR: Final = 2.5 * REGISTERS
"""Up to here the empty registers tell more."""
_BEHIND: Final = np.uint64((1 << 64 - _BITS) - 1)
_FIRST: Final = np.int8(63 - _BITS)
_POWERS: Final = np.exp2(-np.arange(65 - _BITS, dtype=np.float64))
_IN_CACHE: Final = 1 << 15
"""Values that are worked on together: a third of the time that many more take, whose parts have left the cache."""
Hashes = NDArray[np.uint64]
Registers = NDArray[np.int8]


def registers(columns: int) -> Registers:
    """Of so many columns that have seen nothing, shape (columns, REGISTERS)."""
    return np.zeros((columns, REGISTERS), np.int8)


def of_numbers(values: NDArray[np.float64]) -> Hashes:
    """Hashes of numbers, of which the high bits are good; both zeros are one.

    The finaliser of SplitMix64 (Steele, Lea & Flood, Fast splittable pseudorandom number generators, 2014), but for its
    last step, which serves the low bits.
    """
    with np.errstate(invalid="ignore"):  # a NaN may be a signalling one; it is not there, and left out later
        mixed = (values + 0.0).view(np.uint64)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    return mixed


def of_texts(texts: Iterable[str]) -> Hashes:
    """Hashes of texts: the same in every process, which those of Python are not."""
    digests = b"".join(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def add_numbers(found: Registers, values: NDArray[np.float64], present: NDArray[np.bool_] | None = None) -> None:
    """Add values of shape (rows, columns) to registers of shape (columns, REGISTERS); some may not be there."""
    rows = max(1, _IN_CACHE // max(1, values.shape[1]))
    starts = np.arange(0, found.size, REGISTERS)
    flat = found.reshape(-1)
    for start in range(0, len(values), rows):
        hashes = of_numbers(values[start : start + rows])
        ranks = _ranks(hashes)
        if present is not None:
            np.putmask(ranks, ~present[start : start + rows], 0)
        np.maximum.at(flat, (_places(hashes) + starts).ravel(), ranks.ravel())


def add(column: Registers, hashes: Hashes) -> None:
    """Add values by their hashes to the registers of one column, shape (REGISTERS,)."""
    np.maximum.at(column, _places(hashes), _ranks(hashes))


def _places(hashes: Hashes) -> NDArray[np.int64]:
    return np.asarray((hashes >> np.uint64(64 - _BITS)).view(np.int64))


def _ranks(hashes: Hashes) -> NDArray[np.int8]:
    """The place of the first bit that is set behind those of the register: a float's exponent tells it at once.

    Of an exponent its last eight bits are enough: -1 where only the last bit is set, one more for each before it.
    """
    exponents = (hashes & _BEHIND).view(np.int64).astype(np.float64).view(np.int64)
    exponents >>= 52
    return np.asarray(_FIRST - exponents.astype(np.int8))


def estimate(all_registers: Registers) -> NDArray[np.float64]:
    """Distinct values of each column, shape (columns,)."""
    raw = _ALPHA * REGISTERS**2 / _POWERS[all_registers].sum(axis=1)
    empty = (all_registers == 0).sum(axis=1)
    with np.errstate(divide="ignore"):
        linear = REGISTERS * np.log(REGISTERS / empty)
    return np.asarray(np.where((raw <= _LINEAR) & (empty > 0), linear, raw))
