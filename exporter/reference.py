"""The nouns of the reference: a column as the training data had it, and the profile of a model.

Bins of the ordered kinds: 00 below, 01-12 inside, 13 above, 14 missing (NaN too), 15 non-finite (a wrong type too);
of the others: the listed categories, then other, unseen and missing.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Protocol

DEFAULT: Final = "default"
"""What a model is called that nobody names."""
UNKNOWN: Final = "unknown"
"""And its version."""
BELOW: Final = 0
MOST_INSIDE: Final = 12
ABOVE: Final = 13
MISSING: Final = 14
NONFINITE: Final = 15
NUMERIC_BINS: Final = 16
MOST_BINS: Final = 99
"""Bin labels have two digits."""
KINDS: Final = ("numeric", "categorical", "boolean", "text")
ORDERED_KINDS: Final = ("numeric", "text")
QUALITY: Final = ("missing", "nonfinite", "out_of_range", "unseen")
"""Ways of a value not to be as it should."""


@dataclass(frozen=True, slots=True)
class Column:
    """One feature or output as the training data had it."""

    name: str
    kind: str
    """One of KINDS. Text is watched by the length of its values alone."""
    counts: tuple[int, ...]
    """Rows per bin, in bin order: 16 for the ordered kinds, else the categories, other, unseen, missing."""
    edges: tuple[float, ...] = ()
    """Of the inside bins, half-open, ascending: one more than there are bins. Ordered kinds only."""
    mean: float = 0.0
    sd: float = 0.0
    minimum: float = 0.0
    maximum: float = 0.0
    categories: tuple[str, ...] = ()
    """Those with a bin of their own, most frequent first."""
    others: tuple[str, ...] = ()
    """Those that share the bin `other`."""

    @property
    def ordered(self) -> bool:
        """Whether the bins are intervals of numbers."""
        return self.kind in ORDERED_KINDS

    @property
    def rows(self) -> int:
        """Values the reference holds, missing ones included."""
        return sum(self.counts)

    @property
    def finite(self) -> int:
        """Finite numbers among them."""
        return sum(self.counts[BELOW : ABOVE + 1]) if self.ordered else 0

    def quality_bins(self) -> dict[str, tuple[int, ...]]:
        """The bins of values that are not as they should be, by QUALITY."""
        if self.ordered:
            return {"missing": (MISSING,), "nonfinite": (NONFINITE,), "out_of_range": (BELOW, ABOVE)}
        return {"missing": (len(self.counts) - 1,), "unseen": (len(self.counts) - 2,)}

    def centres(self) -> tuple[tuple[int, float], ...]:
        """Where the ordered bins lie: the middle of an inside bin, the outer edge of the open ones."""
        if not self.ordered:
            return ()
        inside = [(low / 2 + high / 2) for low, high in pairwise(self.edges)]
        return tuple(
            zip(
                (BELOW, *range(1, len(inside) + 1), ABOVE),
                (self.edges[0], *inside, self.edges[-1]),
                strict=True,
            )
        )

    def bins(self) -> tuple[tuple[int, str], ...]:
        """The bins that exist, with what they hold in words."""
        if not self.ordered:
            return tuple(enumerate((*self.categories, "other", "unseen", "missing")))
        inside = [(place, _interval(low, high)) for place, (low, high) in enumerate(pairwise(self.edges), 1)]
        below, above = f"below {self.edges[0]:.6g}", f"{self.edges[-1]:.6g} and above"
        return ((BELOW, below), *inside, (ABOVE, above), (MISSING, "missing"), (NONFINITE, "non-finite"))


def _interval(low: float, high: float) -> str:
    start, end = f"{low:.6g}", f"{high:.6g}"
    return start if start == end else f"{start} to {end}"


@dataclass(frozen=True, slots=True)
class Profile:
    """The reference of one model and version."""

    model: str
    version: str
    trained_at: float | None
    """Unix time, where it was stated."""
    rows: int
    source: str
    features: tuple[Column, ...]
    outputs: tuple[Column, ...]
    digest: str = ""
    """SHA-256 of the canonical document, hexadecimal."""

    @property
    def short_digest(self) -> str:
        """The label `profile` on /metrics."""
        return self.digest[:8]


class References(Protocol):
    """Which profile belongs to which model."""

    @property
    def changes(self) -> int:
        """How often a model came by another profile."""

    @property
    def errors(self) -> int:
        """Files that could not be used."""

    @property
    def model(self) -> str:
        """What the model is called where neither settings nor traffic name it."""

    def of(self, model: str, version: str) -> Profile | None:
        """The profile of a model's version, None where it has none. Any thread may ask."""

    def offered(self, model: str) -> Profile | None:
        """A profile of another name that may be the model's, should its columns be. Any thread may ask."""

    def take(self, model: str) -> None:
        """From now on what was offered is the model's."""

    def leave(self, model: str) -> None:
        """It is not, after all."""

    def version_of(self, model: str) -> str:
        """The version of a model where neither settings nor traffic name it."""
