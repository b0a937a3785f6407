"""Families as Prometheus text, version 0.0.4.

Written here because prometheus_client needs some 15 to 60 µs a series; it is the tests' oracle. What model, profile and
column are called is escaped once a page, and each label behind them once a family, so that a series costs little more
than one formatting of a number.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from exporter.families import HISTOGRAM, Family
from exporter.snapshots import Histogram

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
Labels = tuple[str, ...]
_HEAD: Final = 4
"""Labels that begin most label sets: model, version, profile, and the column. There are as many as columns."""
_MOST_TAILS: Final = 1000
"""What may follow them: windows, bins, ranks. Beyond so many each is another one, such as texts."""
_AT_ONCE: Final = 2048
"""Series to a piece of text."""
_SPELLED: Final = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf", "-0.0": "0"}


class Samples(NamedTuple):
    """A family with its values by label values (in the order of the family's labels)."""

    family: Family
    values: Sequence[tuple[Labels, float]]


class Distributions(NamedTuple):
    """A histogram family with its counts by label values."""

    family: Family
    bounds: Sequence[float]
    values: Sequence[tuple[Labels, Histogram]]


class Writer:
    """Writes the families of one page, piece by piece: neither samples nor text need be in memory as a whole."""

    def __init__(self) -> None:
        self._heads: dict[Labels, dict[Labels, str]] = {}
        """The text of the first labels by their names and values: many families have the same."""

    def pieces(self, item: Samples | Distributions) -> Iterator[bytes]:
        """One family."""
        family = item.family
        yield f"# HELP {family.name} {_escape_help(family.help)}\n# TYPE {family.name} {family.type}\n".encode()
        if isinstance(item, Distributions):
            yield "".join(_histogram(item)).encode()
            return
        heads, tails = self._heads.setdefault(family.labels[:_HEAD], {}), dict[Labels, str]()
        for start in range(0, len(item.values), _AT_ONCE):
            part = item.values[start : start + _AT_ONCE]
            yield "".join([_line(family, labels, value, heads, tails) for labels, value in part]).encode()


def render(collected: Iterable[Samples | Distributions]) -> bytes:
    """A page of some families."""
    writer = Writer()
    return b"".join(piece for item in collected for piece in writer.pieces(item))


def number(value: float) -> str:
    """A value as Prometheus writes it: exact, shortest, integers without a point."""
    if isinstance(value, int):
        return str(int(value))  # True is 1
    text = repr(float(value))
    return text[:-2] if text.endswith(".0") and text != "-0.0" else _SPELLED.get(text, text)


def _line(family: Family, labels: Labels, value: float, heads: dict[Labels, str], tails: dict[Labels, str]) -> str:
    first, rest = labels[:_HEAD], labels[_HEAD:]
    head, tail = heads.get(first), tails.get(rest)
    if head is None:
        head = heads[first] = _opened(family.labels[:_HEAD], first)
    if tail is None:
        if len(tails) >= _MOST_TAILS:
            tails.clear()
        tail = tails[rest] = _closed(family.labels, rest)
    return f"{family.name}{head}{tail} {number(value)}\n"


def _opened(names: Sequence[str], values: Sequence[str]) -> str:
    """The first labels of a set, and its brace; nothing where there are no labels."""
    return ("{" if names else "") + ",".join(_pairs(names, values))


def _closed(names: Sequence[str], values: Sequence[str]) -> str:
    """The labels behind these, of all names."""
    return "".join(f",{pair}" for pair in _pairs(names[_HEAD:], values)) + ("}" if names else "")


def _label_set(names: Sequence[str], values: Sequence[str]) -> str:
    return _opened(names, values) + _closed(names[:_HEAD], ())


def _pairs(names: Sequence[str], values: Sequence[str]) -> Iterator[str]:
    return (f'{name}="{_escape(value)}"' for name, value in zip(names, values, strict=True))


def _escape(value: str) -> str:
    text = value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return text.encode("utf-8", "replace").decode()


def _escape_help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _histogram(item: Distributions) -> Iterable[str]:
    family = item.family
    if family.type != HISTOGRAM:
        raise ValueError(f"{family.name} is no histogram")
    bounds = [*(number(bound) for bound in item.bounds), "+Inf"]
    for labels, histogram in item.values:
        running = 0
        for bound, count in zip(bounds, histogram.counts, strict=True):
            running += count
            yield f"{family.name}_bucket{_label_set((*family.labels, 'le'), (*labels, bound))} {running}\n"
        yield f"{family.name}_sum{_label_set(family.labels, labels)} {number(histogram.total)}\n"
        yield f"{family.name}_count{_label_set(family.labels, labels)} {running}\n"
