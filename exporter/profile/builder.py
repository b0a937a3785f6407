"""From the values of a column to its reference: one pass, memory that does not grow with the rows.

While the kind is open a column is summarised both ways, as numbers and as categories; a summary that no longer
fits is dropped. Everything is counted on mergeable sketches, so the order of the rows does not change a bit.
"""

import math
import re
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.reference import MISSING, NONFINITE, NUMERIC_BINS, Column
from exporter.sketch.binning import category_name, truth_name
from exporter.sketch.exact_sum import ExactSum
from exporter.sketch.grid import Grid

QUANTILES: Final = (0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
"""Inner edges; the outer ones are the smallest and the largest value: 12 bins inside."""
MOST_CATEGORIES: Final = 20
MOST_OTHERS: Final = 1000
LEAST_CATEGORY_ROWS: Final = 10
"""A rarer category is not written down: a profile must not identify anybody."""
_MOST_DISTINCT: Final = 10_000
_LEAST_CATEGORY_COVERAGE: Final = 0.5
_MISSING_TOKENS: Final = frozenset(
    ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-nan", "null", "NULL", "None", "none")
)
_TRUTHS: Final = frozenset(("true", "false"))
_LONGEST_CATEGORY: Final = 1024
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_CARD: Final = re.compile(r"[0-9](?:[ -]?[0-9]){12,18}")
_LARGEST_BELOW_MAX: Final = math.nextafter(sys.float_info.max, 0.0)
"""An edge above every value needs room for itself."""


class Numbers:
    """The numeric view of a column."""

    def __init__(self) -> None:
        self.grid = Grid()
        self.sum = ExactSum()
        self.missing = 0
        self.nonfinite = 0
        self._minimum = math.inf
        self._maximum = -math.inf

    def update(self, values: NDArray[np.float64], missing: int) -> None:
        """Add values, NaN being missing, and a number of missing ones."""
        finite = values[np.isfinite(values)]
        infinite = int(np.isinf(values).sum())
        self.missing += missing + values.size - finite.size - infinite
        self.nonfinite += infinite
        if finite.size:
            self.grid.update(np.minimum(finite, _LARGEST_BELOW_MAX))
            self.sum.update(finite)
            self._minimum = min(self._minimum, float(finite.min()))
            self._maximum = max(self._maximum, float(finite.max()))

    def column(self, name: str, kind: str) -> Column:
        """The reference of an ordered column that has at least one finite number."""
        edges, inside = _quantile_bins(self.grid)
        counts = [0] * NUMERIC_BINS
        counts[1 : 1 + len(inside)] = inside
        counts[MISSING], counts[NONFINITE] = self.missing, self.nonfinite
        mean = self.sum.mean()
        centres = self.grid.centres()
        sd = _standard_deviation(centres.tolist(), self.grid.counts.tolist(), mean)
        low, high = self._minimum + 0.0, self._maximum + 0.0  # no -0.0: which zero came first must not show
        return Column(name, kind, tuple(counts), edges, mean, sd, low, high)


def _standard_deviation(centres: list[float], counts: list[int], mean: float) -> float:
    """Of the grid's cells about the exact mean; scaled, so that squares neither overflow nor vanish."""
    deviations = [min(abs(centre - mean), sys.float_info.max) for centre in centres]
    scale = max(deviations)
    if len(centres) == 1 or not scale:
        return 0.0
    squares = math.fsum(count * (one / scale) ** 2 for one, count in zip(deviations, counts, strict=True))
    return scale * math.sqrt(squares / sum(counts))


def _quantile_bins(grid: Grid) -> tuple[tuple[float, ...], list[int]]:
    """Edges on cell bounds nearest to the quantiles, and the exact counts between them."""
    before = np.concatenate(([0], grid.counts.cumsum()))
    inner = before[1:-1]
    cuts = set()
    for quantile in QUANTILES:
        if inner.size:
            cuts.add(int(np.abs(inner - quantile * before[-1]).argmin()) + 1)
    places = [0, *sorted(cuts), grid.cells.size]
    low = grid.lower_bounds()
    edges = (*(float(low[place]) for place in places[:-1]), grid.upper_bound())
    return edges, [int(before[b] - before[a]) for a, b in pairwise(places)]


class ColumnBuilder:
    """One column under construction."""

    def __init__(self, name: str, declared: str | None) -> None:
        self.name = name
        self.note = ""
        """What the person who builds the profile should know."""
        self._declared = declared
        self._rows = 0
        self._missing = 0
        self._numbers: Numbers | None = Numbers()
        self._names: Counter[str] | None = Counter()
        self._lengths: Numbers | None = Numbers()

    @property
    def by_name(self) -> bool:
        """Whether the values are declared to be names, even where they look like numbers."""
        return self._declared in {"categorical", "boolean"}

    def add_tokens(self, tokens: Sequence[str]) -> None:
        """Add cells of a text file, where nothing says what is a number or missing but the text."""
        present = [token for token in tokens if token.strip() not in _MISSING_TOKENS]
        self._count(len(tokens), len(tokens) - len(present))
        if self._numbers is not None:
            try:
                values = np.array([float(token) for token in present], np.float64)
                if any("_" in token for token in present):
                    raise ValueError  # Python reads 1_000, nobody else does
            except ValueError:
                self._not_numbers(present)
            else:
                self._numbers.update(values, len(tokens) - len(present))
        self._add_names(present)

    def add_numbers(self, values: NDArray[np.float64], missing: NDArray[np.bool_]) -> None:
        """Add typed numbers; `missing` marks those that are null."""
        self._count(values.size, int(missing.sum()))
        self._lengths = None
        present = values[~missing]
        if self._numbers is not None:
            self._numbers.update(present, int(missing.sum()))
        if self.by_name:
            names = [name for name in map(category_name, present.tolist()) if name is not None]
            self._missing += present.size - len(names)
            self._add_names(names)

    def add_values(self, values: Sequence[object]) -> None:
        """Add typed text or truth values; None is missing."""
        present = [name for name in map(category_name, values) if name is not None]
        self._count(len(values), len(values) - len(present))
        self._numbers = None
        self._add_names(present)

    def _count(self, rows: int, missing: int) -> None:
        self._rows += rows
        self._missing += missing

    def _not_numbers(self, present: Sequence[str]) -> None:
        numeric_so_far = self._numbers is not None and self._numbers.sum.count
        self._numbers = None
        bad = next(token for token in present if "_" in token or not _is_number(token))
        if numeric_so_far or any(_is_number(token) for token in present[:20]):
            self.note = f"not numeric because of values such as {bad[:20]!r}"

    def _add_names(self, present: Sequence[str]) -> None:
        if self._names is not None:
            self._names.update(present)
            if len(self._names) > _MOST_DISTINCT:
                self._names = None
        if self._lengths is not None:
            self._lengths.update(np.array([len(text) for text in present], np.float64), 0)

    # the end

    def build(self) -> Column:
        """The column's reference. ValueError where the declared kind does not fit."""
        kind = self._declared or self._infer()
        if kind == "numeric":
            if self._numbers is None or not self._numbers.sum.count:
                raise ValueError(f"column {self.name!r} is declared numeric but {self.note or 'holds no number'}")
            return self._numbers.column(self.name, kind)
        if kind == "text":
            if self._lengths is None or not self._lengths.sum.count:
                raise ValueError(f"column {self.name!r} is declared text but holds none")
            self._lengths.missing = self._missing
            return self._lengths.column(self.name, kind)
        if self._names is None:
            raise ValueError(f"column {self.name!r} is declared {kind} but has over {_MOST_DISTINCT} distinct values")
        names = self._spell(self._names)
        if kind == "boolean" and names and not names.keys() & _TRUTHS:
            raise ValueError(f"column {self.name!r} is declared boolean but holds neither true, false, 1 nor 0")
        return self._categorical(kind, names)

    def _infer(self) -> str:
        if self._numbers is not None and self._numbers.sum.count:
            return "numeric"
        if self._names is None:
            return self._as_text(f"over {_MOST_DISTINCT} distinct values")
        names = self._spell(self._names)
        if not names:
            self.note = "no value at all: any that comes will be unseen"
        if names and set(names) <= _TRUTHS:
            return "boolean"
        writable = sum(rows for name, rows in names.items() if _writable(name, rows))
        if writable < _LEAST_CATEGORY_COVERAGE * names.total():
            return self._as_text(f"most values occur fewer than {LEAST_CATEGORY_ROWS} times, or name people")
        return "categorical"

    def _as_text(self, why: str) -> str:
        self.note = f"{why}: watched by length alone" + (f"; {self.note}" if self.note else "")
        return "text"

    def _spell(self, names: Counter[str]) -> Counter[str]:
        """One spelling per category: `True` is true; `3.0` is 3 where all are numbers."""
        spelt: Counter[str] = Counter()
        truths = self._declared == "boolean" or all(name.lower() in _TRUTHS for name in names)
        for name, rows in names.items():
            one = _number_name(name) if self._numbers is not None else name
            spelt[truth_name(one) if truths else one] += rows
        return spelt

    def _categorical(self, kind: str, names: Counter[str]) -> Column:
        ranked = sorted(names.items(), key=lambda item: (-item[1], item[0]))
        known = [one for one in ranked if _writable(*one)]
        if kind == "boolean":
            known = [(truth, names.get(truth, 0)) for truth in ("false", "true")]
        listed = known[:MOST_CATEGORIES]
        others = known[MOST_CATEGORIES : MOST_CATEGORIES + MOST_OTHERS]
        other_rows = sum(rows for _, rows in others)
        unseen = names.total() - sum(rows for _, rows in listed) - other_rows
        if unseen:
            self.note = (
                f"{unseen} rows hold values too rare, too long or too personal to be written: expected as unseen"
            )
        missing = self._rows - names.total()  # NaN alone has no kind: missing, too
        counts = (*(rows for _, rows in listed), other_rows, unseen, missing)
        return Column(
            self.name, kind, counts,
            categories=tuple(name for name, _ in listed), others=tuple(name for name, _ in others),
        )  # fmt: skip


def _writable(name: str, rows: int) -> bool:
    """Whether a category may stand in a profile: it must not identify anybody."""
    if rows < LEAST_CATEGORY_ROWS or len(name) > _LONGEST_CATEGORY or _EMAIL.fullmatch(name):
        return False
    return not _CARD.fullmatch(name) or not _is_card(name)


def _is_card(name: str) -> bool:
    """The check digit of payment cards (Luhn)."""
    digits = [int(letter) for letter in reversed(name) if letter.isdigit()]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


def _number_name(token: str) -> str:
    # Whole numbers by their digits: a float would lose those beyond 2^53.
    if _WHOLE.fullmatch(token.strip()):
        return category_name(int(token)) or token
    return category_name(float(token)) or token if _is_number(token) else token


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True
