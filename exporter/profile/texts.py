"""Cells of a text file, where nothing but the text says what is a number, or missing."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from exporter.profile.cells import coded_names
from exporter.profile.pieces import Coded, Numbers

MISSING_TEXTS: Final = frozenset(
    ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-nan", "null", "NULL", "None", "none")
)


@dataclass(frozen=True)
class TextCells:
    """Some cells of one column."""

    texts: Sequence[str]
    nameless = False

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.texts)

    @property
    def missing(self) -> int:
        """How many say so."""
        return len(self.texts) - len(self._present)

    @cached_property
    def _present(self) -> Sequence[str]:
        if self._all_numbers is not None:
            return self.texts
        return [text for text in self.texts if text.strip() not in MISSING_TEXTS]

    @cached_property
    def _all_numbers(self) -> Numbers | None:
        """The short way, where nothing is missing."""
        numbers = _floats(self.texts)
        return None if numbers is None or np.isnan(numbers).any() else numbers

    def numbers(self) -> Numbers | None:
        """Those that are present, as numbers; None where one of them is none."""
        return _floats(self._present) if self._all_numbers is None else self._all_numbers

    def names(self) -> Counter[str]:
        """The texts themselves."""
        return Counter(self._present)

    def aligned(self) -> Numbers:
        """All of them."""
        return np.array([_aligned(text) for text in self.texts]) if self._all_numbers is None else self._all_numbers

    def coded(self) -> Coded:
        """All of them, as they are."""
        return coded_names([None if text.strip() in MISSING_TEXTS else text for text in self.texts])

    def instants(self) -> None:
        """Nothing says so."""

    def stranger(self) -> str:
        """The first that is no number."""
        return next((text for text in self._present if "_" in text or not is_number(text)), "")


def _floats(texts: Sequence[str]) -> Numbers | None:
    if "_" in "".join(texts):
        return None  # Python reads 1_000, nobody else does
    try:
        return np.fromiter(map(float, texts), np.float64, len(texts))
    except ValueError:
        return None


def _aligned(text: str) -> float:
    if text.strip() in MISSING_TEXTS:
        return math.nan
    return float(text) if "_" not in text and is_number(text) else math.inf


def is_number(text: str) -> bool:
    """Whether Python reads it as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
