"""What Prometheus answers, as what is known of fleets: whose series they are, counts by bin, and references.

Memory: an answer's, which the client bounds. Series that are none of ours, or not whole, are left out.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from exporter.families import PROFILED, Columns
from exporter.override import TICKET
from exporter.prometheus import Labels, Series
from exporter.reference import MOST_BINS

_BIN_DIGITS: Final = 2


class Fleet(NamedTuple):
    """Replicas whose counts are added up: all that have a model, version and profile, and equal labels."""

    by: tuple[str, ...]
    """Values of the labels that tell fleets apart."""
    model: str
    version: str
    profile: str

    @property
    def labels(self) -> tuple[str, ...]:
        """Values of the labels of every series about it."""
        return *self.by, self.model, self.version, self.profile

    def __str__(self) -> str:
        of = ", ".join(filter(None, self.by))
        return f"{self.model} {self.version}{' of ' * bool(of)}{of}, profile {self.profile}"


class Place(NamedTuple):
    """One column of a fleet."""

    side: int
    """0 for features, 1 for outputs."""
    name: str


Counts = dict[Fleet, dict[Place, dict[int, int]]]
"""By column and bin."""


class Fault(NamedTuple):
    """What most replicas say has happened to a column, of those that say anything."""

    code: str
    text: str
    """The sentence of most of them."""
    replicas: int
    """That agree on the code."""


class Known(NamedTuple):
    """What replicas say of a column beside its counts."""

    rows: tuple[int, ...]
    """Of the reference, by bin; 0 where a bin does not exist."""
    exist: tuple[bool, ...]
    texts: tuple[str, ...]
    """What bins hold, in words."""
    is_ordered: bool
    numbers: Mapping[str, float]
    """By field of `Columns`, or word among its `known`."""
    is_ticket: bool
    """Whether the overrides let nothing but a ticket come of it."""


def fleet_of(labels: Labels, by: Sequence[str]) -> Fleet:
    """Whose a series is."""
    model, version, profile = (labels.get(name, "") for name in PROFILED)
    return Fleet(tuple(labels.get(name, "") for name in by), model, version, profile)


def counts(answers: Sequence[Iterable[Series]], sides: Sequence[Columns], by: Sequence[str]) -> Counts:
    """Of a pane, from an answer for each side."""
    found: Counts = defaultdict(lambda: defaultdict(dict))
    for side, answer in enumerate(answers):
        for labels, points in answer:
            name, place = labels.get(sides[side].label), _bin(labels)
            value = points[-1][1] if points else math.nan
            if name is not None and place is not None and math.isfinite(value) and value >= 0:
                found[fleet_of(labels, by)][Place(side, name)][place] = round(value)
    return found


def replicas(answer: Iterable[Series], by: Sequence[str]) -> dict[Fleet, int]:
    """How many there are of each fleet; of those that are compared with a profile."""
    found = {
        fleet_of(labels, by): int(points[-1][1]) for labels, points in answer if points and math.isfinite(points[-1][1])
    }
    return {fleet: many for fleet, many in found.items() if fleet.profile}


def known(
    answers: Sequence[Iterable[Series]], sides: Sequence[Columns], by: Sequence[str]
) -> dict[Fleet, dict[Place, Known]]:
    """All columns with a reference, from an answer for each side; in the order of their names, features first."""
    parts: defaultdict[Fleet, defaultdict[Place, _Parts]] = defaultdict(lambda: defaultdict(_Parts))
    for side, answer in enumerate(answers):
        words = _words(sides[side])
        for labels, points in answer:
            word, name = words.get(labels.get("__name__", "")), labels.get(sides[side].label)
            if word is not None and name is not None and points and math.isfinite(points[-1][1]):
                parts[fleet_of(labels, by)][Place(side, name)].take(word, labels, points[-1][1])
    return {fleet: dict(_whole(columns)) for fleet, columns in parts.items()}


def faults(
    answers: Sequence[Iterable[Series]], sides: Sequence[Columns], by: Sequence[str]
) -> dict[Fleet, dict[Place, Fault]]:
    """What has happened to columns, from an answer for each side; nothing where no code has more than half the voices.

    Replicas see other rows each and so other numbers: they agree where they name the same kind of fault.
    """
    voices: defaultdict[Fleet, defaultdict[Place, Counter[tuple[str, str]]]]
    voices = defaultdict(lambda: defaultdict(Counter))
    for side, answer in enumerate(answers):
        for labels, points in answer:
            name = labels.get(sides[side].label)
            if name is not None and points and math.isfinite(points[-1][1]):
                said = labels.get("code", ""), labels.get("text", "")
                voices[fleet_of(labels, by)][Place(side, name)][said] += int(points[-1][1])
    return {
        fleet: {place: fault for place, said in columns.items() if (fault := _agreed(said))}
        for fleet, columns in voices.items()
    }


def _agreed(voices: Counter[tuple[str, str]]) -> Fault | None:
    by_code = Counter[str]()
    for (code, _), replicas in voices.items():
        by_code[code] += replicas
    code, most = by_code.most_common(1)[0]
    if 2 * most <= by_code.total():
        return None
    text = min((-replicas, text) for (of, text), replicas in voices.items() if of == code)[1]
    return Fault(code, text, most)


def _whole(columns: "Mapping[Place, _Parts]") -> Iterator[tuple[Place, Known]]:
    for place in sorted(columns):
        found = columns[place].known()
        if found is not None:
            yield place, found


def _words(side: Columns) -> dict[str, str]:
    fields = ("reference_ratio", "reference_samples", "bin_step", "bin_info", "override_info", "tolerance", "weight",
              "snoozed_until")  # fmt: skip
    return {getattr(side, one).name: one for one in fields} | {one.name: word for word, one in side.known.items()}


def _bin(labels: Labels) -> int | None:
    text = labels.get("bin", "")
    return int(text) if len(text) == _BIN_DIGITS and text.isascii() and text.isdigit() else None


class _Parts:
    """Of one column, while an answer is read."""

    def __init__(self) -> None:
        self.shares: dict[int, float] = {}
        self.texts: dict[int, str] = {}
        self.numbers: dict[str, float] = {}
        self.is_ordered = self.is_ticket = False

    def take(self, word: str, labels: Labels, value: float) -> None:
        """One series."""
        place = _bin(labels)
        if word == "reference_ratio" and place is not None:
            self.shares[place] = value
        elif word == "bin_info" and place is not None:
            self.texts[place] = labels.get("text", "")
        elif word == "bin_step":
            self.is_ordered = True
        elif word == "override_info":
            self.is_ticket |= labels.get("severity") == TICKET
        elif word not in {"reference_ratio", "bin_info"}:
            self.numbers[word] = value

    def known(self) -> Known | None:
        """All of it; None where it has no reference that adds up."""
        total = self.numbers.pop("reference_samples", 0.0)
        bins = max(self.shares, default=-1) + 1
        rows = tuple(round(self.shares.get(place, 0.0) * total) for place in range(bins))
        if not 0 < bins <= MOST_BINS + 1 or not total or sum(rows) != round(total):
            return None
        exist = tuple(place in self.shares for place in range(bins))
        texts = tuple(self.texts.get(place, f"{place:02d}") for place in range(bins))
        return Known(rows, exist, texts, self.is_ordered, self.numbers, self.is_ticket)
