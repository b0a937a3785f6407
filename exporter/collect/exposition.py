"""Families by model as Prometheus text: the lines that text 0.0.4 and OpenMetrics 1.0 have alike, and their heads.

Written here because prometheus_client needs some 15 to 60 µs a series, and a page has ten thousand; it is the tests'
oracle, and writes those few that are not by model (see `library`). What stands before a number is the same from page to
page, so a `Writer` keeps it: a series then costs little more than one formatting of its number.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from prometheus_client.utils import floatToGoString

from exporter.collect.labels import bounded
from exporter.families import COUNTER, HISTOGRAM, Family
from exporter.snapshots import Histogram

Labels = tuple[str, ...]
Exemplars = Mapping[str, Mapping[Labels, str]]
"""What stands behind samples in OpenMetrics, by family and labels; of a bucket its end is the last of these."""
NO_EXEMPLARS: Final[Mapping[Labels, str]] = {}
_TOTAL: Final = "_total"
_HEAD: Final = 4
"""Labels that begin most label sets: model, version, profile, and the column. There are as many as columns."""
_MOST_TAILS: Final = 1000
"""What may follow them: windows, bins, ranks. Beyond so many each is another one, such as texts."""
_DIGITS: Final = frozenset("0123456789")
_SPELLED: Final = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}


class Samples(NamedTuple):
    """A family with its values by label values (in the order of the family's labels)."""

    family: Family
    values: Sequence[tuple[Labels, float]]


class Unmade(NamedTuple):
    """A family whose samples are made if somebody shows it: each may be asked for once."""

    family: Family
    values: Iterable[tuple[Labels, float]]


class Distributions(NamedTuple):
    """A histogram family with its counts by label values."""

    family: Family
    bounds: Sequence[float]
    values: Sequence[tuple[Labels, Histogram]]


class Block(NamedTuple):
    """A family as it stands on a page."""

    name: str
    """As in the catalogue."""
    head: bytes
    """HELP and TYPE, as text 0.0.4 has them."""
    open_head: bytes
    """And as OpenMetrics has them: a counter is without `_total` there, and there is a UNIT."""
    body: bytes
    """Its lines, in both formats the same but for exemplars."""
    series: int
    open_body: bytes | None = None
    """As OpenMetrics has them, where any has an exemplar."""


class _Lines(NamedTuple):
    """What stands before the numbers of a family, by the label values."""

    labels: tuple[Labels, ...]
    before: tuple[str, ...]
    """Empty where it stands before another number already."""


class Writer:
    """Writes families, and keeps from page to page what stands before their numbers: as much as the last page had."""

    def __init__(self) -> None:
        self._lines: dict[str, _Lines] = {}

    def block(self, item: Samples | Distributions, exemplars: Mapping[Labels, str] = NO_EXEMPLARS) -> Block:
        """One family. ValueError where labels are not as many as the family has."""
        family = item.family
        lines = _histogram(item) if isinstance(item, Distributions) else self._samples(item)
        body = "".join(lines).encode()
        return Block(family.name, *heads(family), body, len(lines), _open_body(item, lines, exemplars))

    def _samples(self, item: Samples) -> list[str]:
        labels = tuple(of for of, _ in item.values)
        lines = self._lines.get(item.family.name)
        if lines is None or lines.labels != labels:
            lines = self._lines[item.family.name] = _Lines(labels, tuple(_once(_before(item.family, labels))))
        pairs = zip(lines.before, item.values, strict=True)
        return [f"{before}{number(value)}\n" for before, (_, value) in pairs if before]


def _open_body(item: Samples | Distributions, lines: Sequence[str], exemplars: Mapping[Labels, str]) -> bytes | None:
    """Lines with what stands behind them; None where nothing does."""
    if not exemplars:
        return None
    behind = dict[str, str]()
    is_histogram = isinstance(item, Distributions)
    name = f"{item.family.name}{'_bucket' if is_histogram else ''}"
    names = (*item.family.labels, "le") if is_histogram else item.family.labels
    for labels, text in exemplars.items():
        behind[f"{name}{_label_set(names, labels)}"] = text
    found = ((line, behind.get(line.rpartition(" ")[0])) for line in lines)
    return "".join(f"{line[:-1]}{text}\n" if text else line for line, text in found).encode()


def made(item: Samples | Unmade | Distributions) -> Samples | Distributions:
    """A family with its samples."""
    return Samples(item.family, list(item.values)) if isinstance(item, Unmade) else item


def heads(family: Family) -> tuple[bytes, bytes]:
    """What stands above a family's lines: in text 0.0.4, and in OpenMetrics."""
    base = family.name.removesuffix(_TOTAL) if family.type == COUNTER else family.name
    text, quoted = _escape_help(family.help), _escape(family.help)
    unit = f"# UNIT {base} {family.unit}\n" if family.unit else ""
    return (
        f"# HELP {family.name} {text}\n# TYPE {family.name} {family.type}\n".encode(),
        f"# TYPE {base} {family.type}\n{unit}# HELP {base} {quoted}\n".encode(),
    )


def ends(bounds: Iterable[float]) -> list[str]:
    """Values of the label `le`: OpenMetrics wants 1.0 where text 0.0.4 would take 1, and a series has one name."""
    return [*(floatToGoString(bound) for bound in bounds), "+Inf"]  # type: ignore[no-untyped-call]


def number(value: float) -> str:
    """A value as Prometheus writes it: exact, shortest, integers without a point."""
    text = repr(value)
    if text[-2:] == ".0":
        return text[:-2] if text != "-0.0" else "0"
    return text if text[-1] in _DIGITS else _spelled(value)


def _spelled(value: float) -> str:
    """One whose `repr` is no number: truth, numpy's own, and what is not finite."""
    if isinstance(value, int):
        return str(int(value))
    text = repr(float(value))
    return _SPELLED.get(text) or number(float(value))


def _before(family: Family, labels: Sequence[Labels]) -> Iterator[str]:
    """What stands before the numbers. Each part of a label set is bounded and escaped once."""
    heads, tails = dict[Labels, str](), dict[Labels, str]()
    for of in labels:
        first, rest = of[:_HEAD], of[_HEAD:]
        head, tail = heads.get(first), tails.get(rest)
        if head is None:
            head = heads[first] = _opened(family.labels[:_HEAD], first)
        if tail is None:
            if len(tails) >= _MOST_TAILS:
                tails.clear()
            tail = tails[rest] = _closed(family.labels, rest)
        yield f"{family.name}{head}{tail} "


def _once(texts: Iterable[str]) -> Iterator[str]:
    """Texts, empty in place of one that was there before: no series is on a page twice."""
    known = set[str]()
    for text in texts:
        yield "" if text in known else text
        known.add(text)


def _opened(names: Sequence[str], values: Sequence[str]) -> str:
    """The first labels of a set, and its brace; nothing where there are no labels."""
    return ("{" if names else "") + ",".join(_pairs(names, values))


def _closed(names: Sequence[str], values: Sequence[str]) -> str:
    """The labels behind these, of all names."""
    return "".join(f",{pair}" for pair in _pairs(names[_HEAD:], values)) + ("}" if names else "")


def _label_set(names: Sequence[str], values: Sequence[str]) -> str:
    return _opened(names[:_HEAD], values[:_HEAD]) + _closed(names, values[_HEAD:])


def _pairs(names: Sequence[str], values: Sequence[str]) -> Iterator[str]:
    return (f'{name}="{_escape(bounded(value))}"' for name, value in zip(names, values, strict=True))


def _escape(value: str) -> str:
    text = value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return text.encode("utf-8", "replace").decode()


def _escape_help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _histogram(item: Distributions) -> list[str]:
    family = item.family
    if family.type != HISTOGRAM:
        raise ValueError(f"{family.name} is no histogram")
    lines = []
    sets = _once(_label_set(family.labels, labels) for labels, _ in item.values)
    for own, (labels, histogram) in zip(sets, item.values, strict=True):
        if not own and family.labels:
            continue
        running = 0
        for bound, count in zip(ends(item.bounds), histogram.counts, strict=True):
            running += count
            lines.append(f"{family.name}_bucket{_label_set((*family.labels, 'le'), (*labels, bound))} {running}\n")
        lines.append(f"{family.name}_count{own} {running}\n")
        lines.append(f"{family.name}_sum{own} {number(histogram.total)}\n")
    return lines
