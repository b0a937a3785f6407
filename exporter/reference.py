"""The nouns of the reference: a column as the training data had it, and the profile of a model.

Bins of the ordered kinds: 00 below, 01-12 inside, 13 above, 14 missing (NaN too), 15 non-finite (a wrong type too);
of the others: the listed categories, then other, unseen and missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final, NamedTuple

from exporter.adoption import Adoption
from exporter.segmentations import Segmented
from exporter.target import Target

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
KINDS: Final = ("numeric", "categorical", "boolean", "text", "embedding")
ORDERED_KINDS: Final = ("numeric", "text", "embedding")
HOURS: Final = 168
"""Of a week, from Monday 00:00 of the local time."""
OUT_OF_RANGE: Final = "out_of_range"
QUALITY: Final = ("missing", "nonfinite", OUT_OF_RANGE, "unseen")
"""Ways of a value not to be as it should."""


class Association(NamedTuple):
    """What the model answered where a feature's value was in a bin."""

    output: str
    """Numbers as they are, truth values as 0 and 1, categories as 1 for the most frequent one."""
    counts: tuple[int, ...]
    """Rows by bin of the feature that have a finite answer."""
    means: tuple[float, ...]
    """Of their answers; 0 where there are none."""


@dataclass(frozen=True, slots=True)
class Column:
    """One feature or output as the training data had it."""

    name: str
    kind: str
    """One of KINDS. Texts and embeddings are watched by scalars that are computed of them, a column each."""
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
    origin: str = ""
    """The field of a payload, or the embedding, that it is computed from; itself where empty."""
    scalar: str = ""
    """What is computed: `length`, say. Empty for values as they come."""
    salt: str = ""
    """Fingerprint of the salt with which the categories are hashed; empty where they are written as they are."""
    importance: float | None = None
    """Share of all features' importance, 0 to 1."""
    reference_error: float | None = None
    """What the total variation of so many rows drawn from this very distribution exceeds once in a hundred times."""
    dependence: float | None = None
    """How many rows come as one, from 1: the factor by which counts of a minute vary more than independent rows do."""
    wander: float | None = None
    """Total variation by which an hour of the training data may differ from their mean, sampling noise taken off."""
    distinct: int | None = None
    """Different finite numbers among the rows, estimated within some 5 %. Ordered kinds only."""
    hours: tuple[tuple[int, ...], ...] = ()
    """Rows per bin in each of the 168 hours of a week; empty without a column of time."""
    association: tuple[Association, ...] = ()
    """With each of the outputs."""

    @property
    def field(self) -> str:
        """What a payload calls it, or the embedding."""
        return self.origin or self.name

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

    @property
    def different(self) -> int | None:
        """Different values that it is known to have: of categories those that may be written down."""
        if self.ordered:
            return self.distinct
        return len(self.others) + sum(rows > 0 for _, rows in zip(self.categories, self.counts, strict=False))

    @property
    def present(self) -> int:
        """Values that are there: finite numbers, or names."""
        return self.finite if self.ordered else sum(self.counts[:-1])

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


class Embedding(NamedTuple):
    """A vector that is watched by scalars: how it lies to the centroid and the principal axes of the training data."""

    name: str
    fields: tuple[str, ...]
    """What payloads call its dimensions."""
    centroid: tuple[float, ...]
    """Shape (dimensions,)."""
    axes: tuple[tuple[float, ...], ...]
    """Principal axes of unit length, the longest variance first; shape (axes, dimensions)."""


class Together(NamedTuple):
    """Numeric features that are watched as one, too; each of them is a column of its own all the same."""

    name: str
    """The origin of the columns that are computed of them."""
    fields: tuple[str, ...]
    centre: tuple[float, ...]
    scales: tuple[float, ...]
    axes: tuple[tuple[float, ...], ...]
    """Of unit length, in standardised features; shape (axes, fields)."""


class Unusual(NamedTuple):
    """When a row of features is unusual: where it reaches a point, in units of `sketch.rarity`."""

    point: int
    rows: int
    """Of the training data."""
    beyond: int
    """Those of them that reach it."""


class Side(NamedTuple):
    """What payloads of one side have, and what is watched of it: features or outputs."""

    columns: tuple[Column, ...]
    fields: tuple[str, ...]
    """Of a payload, in order. What a column is computed from is among them, or an embedding of them."""
    embeddings: tuple[Embedding, ...] = ()
    unusual: Unusual | None = None
    together: Together | None = None

    @property
    def plain(self) -> tuple[str, ...]:
        """The fields that are no dimension of an embedding."""
        dimensions = {field for one in self.embeddings for field in one.fields}
        return tuple(field for field in self.fields if field not in dimensions)

    @property
    def as_sent(self) -> tuple[Column, ...]:
        """A column for each field that is watched, called like it; those of embeddings have no bins."""
        first = {column.field: column for column in reversed(self.columns)}
        holders = {field: one.name for one in self.embeddings if one.name in first for field in one.fields}
        return tuple(
            replace(first[field], name=field, kind="text" if first[field].scalar else first[field].kind, origin="")
            if field in first else Column(field, "embedding", ())
            for field in self.fields if field in first or field in holders
        )  # fmt: skip


class TimeSpan(NamedTuple):
    """When the training data are from."""

    column: str
    zone: str
    """IANA name of the zone in which hours of the week are counted."""
    first: float
    """Unix time, as is the last."""
    last: float


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
    fields: tuple[str, ...] = ()
    """What a payload's fields are called, in order, where they are not the features."""
    embeddings: tuple[Embedding, ...] = ()
    time: TimeSpan | None = None
    influenced: float | None = None
    """Share of the rows that the model itself had influenced."""
    performance: Mapping[str, float] = field(default_factory=dict)
    """Of the training, by whatever name."""
    importance: str = ""
    """Where the features' importance is from: `given`, `estimated`, or empty."""
    together: Together | None = None
    unusual: Unusual | None = None
    """Of the features; None where it is not known, or not true of the columns in force."""
    provisional: bool = False
    """Whether it was made of live traffic, because there was no other."""
    adoptions: tuple[Adoption, ...] = ()
    segments: tuple[Segmented, ...] = ()
    target: Target | None = None
    """None where the training data have no column of the truth."""
    replaced: tuple[tuple[str, Column], ...] = ()
    """Of a profile in force: side, and column as the training data had it, where what was adopted counts instead."""
    answers: tuple[str, ...] = ()
    """What the fields of an answer are called, in order, where they are not those of the outputs."""
    called: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What people and payloads call fields and columns that are hidden here: for looking up, never to be shown."""
    written: str = ""
    """Digest of the profile of which this one hides a part; empty where nothing is hidden."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The fields that a payload of features has, in order."""
        return self.fields or tuple(column.name for column in self.features)

    @property
    def asked(self) -> Side:
        """The side of the features."""
        return Side(self.features, self.inputs, self.embeddings, self.unusual, self.together)

    @property
    def answered(self) -> Side:
        """The side of the outputs."""
        return Side(self.outputs, self.answers or tuple(dict.fromkeys(column.field for column in self.outputs)))

    def salted_otherwise(self, fingerprint: str) -> Column | None:
        """The first column that is hashed under another salt than that of a fingerprint."""
        truth = () if self.target is None else (self.target.column,)
        columns = (*self.features, *self.outputs, *truth)
        return next((one for one in columns if one.salt not in {"", fingerprint}), None)

    @property
    def known_by(self) -> str:
        """The digest by which people know it: that of what is written."""
        return self.written or self.digest

    @property
    def short_digest(self) -> str:
        """The label `profile` on /metrics."""
        return self.known_by[:8]
