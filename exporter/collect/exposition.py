"""Families as Prometheus text, version 0.0.4.

Written here because prometheus_client needs some 15 to 60 µs a series; it is the tests' oracle. Label sets are
escaped once and kept from one page to the next, so that a snapshot costs one formatting of a number per series.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from exporter.families import HISTOGRAM, Family
from exporter.snapshots import Histogram

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
Labels = tuple[str, ...]


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
    """Writes the families of one page, each on its own: its samples need not be in memory with those of others."""

    def __init__(self) -> None:
        self._sets: _Sets = {}

    def text(self, item: Samples | Distributions) -> bytes:
        """One family."""
        family = item.family
        lines = [f"# HELP {family.name} {_escape_help(family.help)}\n# TYPE {family.name} {family.type}\n"]
        lines += _histogram(item) if isinstance(item, Distributions) else _lines(item, self._sets)
        return "".join(lines).encode()

    def close(self) -> None:
        """The page has all its families: the next one will mostly have the same label sets."""
        _last.clear()
        _last.update(self._sets)


def render(collected: Iterable[Samples | Distributions]) -> bytes:
    """A page of some families."""
    writer = Writer()
    text = b"".join([writer.text(item) for item in collected])
    writer.close()
    return text


def number(value: float) -> str:
    """A value as Prometheus writes it: exact, shortest, integers without a point."""
    if isinstance(value, int):
        return str(int(value))  # True is 1
    value = float(value)
    if value != value:  # noqa: PLR0124 (NaN)
        return "NaN"
    if value in {float("inf"), float("-inf")}:
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


_Sets = dict[Labels, dict[Labels, str]]
"""Label sets by the labels' names and values: many families have the same."""
_last: Final[_Sets] = {}
"""Those of the last page alone, or models that come and go would fill it."""


def _lines(item: Samples, sets: _Sets) -> list[str]:
    name, names = item.family.name, item.family.labels
    known, now = _last.get(names, {}), sets.setdefault(names, {})
    lines = []
    for labels, value in item.values:
        found = now.get(labels)
        if found is None:
            found = now[labels] = known.get(labels) or _label_set(names, labels)
        lines.append(f"{name}{found} {number(value)}\n")
    return lines


def _label_set(names: Sequence[str], values: Sequence[str]) -> str:
    if not names:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in zip(names, values, strict=True)) + "}"


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
