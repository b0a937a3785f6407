"""A profile as a page for people."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from exporter.adoption import Adoption
from exporter.profile.terminal import Paper, cut, padded, printable, sparkline, wide
from exporter.reference import MISSING, Column, Profile
from exporter.target import Target

_BAR: Final = 24
_SPARK: Final = 14
"""Characters of a histogram on one line: those of an ordered column's bins."""
_TAIL: Final = 0.02
"""Of the values; outer bins that hold no more are not drawn, or one far value would leave the others no room."""
_FEW: Final = 6
_SHOWN_CLASSES: Final = 5
_LONGEST_NAME: Final = 32
_LONGEST_BIN: Final = 40
_BESIDE_NAME: Final = 52
"""Characters of a line, and the fewest that its words need."""
_COUNTS: Final = 28
"""Characters of a bin's place, share and count."""
_BESIDE_BIN: Final = _COUNTS + 10
_PLAIN: Final = Paper()
_NOTABLE_DEPENDENCE: Final = 1.1
_NOTABLE_WANDER: Final = 0.001


def summary(profile: Profile, paper: Paper = _PLAIN) -> str:
    """What it is, what to know about it, and a line per column: the more important ones first, where that is known."""
    lines = [*_head(profile, paper), *(paper.warning(f"! {paper.cut(line, 2)}") for line in warnings(profile))]
    most = paper.narrowed(_LONGEST_NAME, _BESIDE_NAME)
    name = min(most, max(wide(printable(column.name)) for column in (*profile.features, *profile.outputs)))
    weighs = any(column.importance is not None for column in profile.features)
    for title, columns in (("feature", _ordered(profile.features)), ("output", profile.outputs)):
        lines += (_line(title, column, (name, weighs), paper) for column in columns)
    return "\n".join(lines)


def page(profile: Profile, names: Sequence[str], paper: Paper = _PLAIN) -> str:
    """The summary, and of the columns of these names all bins with their shares."""
    truth = [profile.target.column] if profile.target else []
    columns = [column for column in (*_ordered(profile.features), *profile.outputs, *truth) if column.name in names]
    tables = ["\n".join(_detail(profile, column, paper)) for column in columns]
    return "\n\n".join((summary(profile, paper), *tables))


# --- what it is


def _head(profile: Profile, paper: Paper) -> Iterator[str]:
    title = f"{cut(profile.model, 80)} {cut(profile.version, 80)}"
    known = f": {profile.rows:,} rows of {profile.source}" + (
        f", profile {profile.short_digest}" if profile.digest else ""
    )
    yield paper.bold(title) + paper.cut(known, wide(title))
    for word, text in _facts(profile):
        yield f"  {paper.dim(f'{word:12}')}{paper.cut(text, 14)}"


def _facts(profile: Profile) -> Iterator[tuple[str, str]]:
    """What is known beside the columns, each with a word for it."""
    if profile.trained_at is not None:
        yield "trained at", _day(profile.trained_at)
    if profile.time is not None:
        span = profile.time
        yield "data of", f"{_day(span.first)} to {_day(span.last)}, by {span.column}, hours of the week in {span.zone}"
    if profile.performance:
        measures = (f"{measure} {value:.6g}" for measure, value in profile.performance.items())
        yield "performance", ", ".join(measures) + ", at the training"
    if profile.target is not None:
        yield "truth", _truth(profile.target)
    if profile.influenced is not None:
        yield "influenced", f"{profile.influenced:.1%} of the rows by the model itself"
    for one in profile.segments:
        yield "segments", f"{one.name}: {', '.join(one.values)}"
    if profile.together is not None:
        fields, axes = len(profile.together.fields), len(profile.together.axes)
        yield "together", f"{fields} numeric features as one, {profile.together.name}: along {axes} axes, and off them"
    if profile.unusual is not None:
        share = profile.unusual.beyond / profile.unusual.rows
        yield "unusual", f"{share:.2%} of the rows, by their features all together"
    if profile.importance:
        yield "importance", profile.importance


_RIGHT, _WRONG = range(2)


def _truth(target: Target) -> str:
    """What is predicted, by which outputs, and how wrong it was."""
    said = " and ".join(filter(None, (target.label, ", ".join(target.scores))))
    if not target.classes:
        wrong = f", half of the errors below {target.edges[0]:.4g}" if target.edges else ""
        return f"{target.column.name}, a number, predicted by {said}{wrong}"
    classes = ", ".join(target.classes[:_SHOWN_CLASSES]) + (", …" if len(target.classes) > _SHOWN_CLASSES else "")
    wrong = f", {target.errors[_WRONG] / sum(target.errors):.2%} wrong" if target.errors else ""
    return f"{target.column.name}, of {classes}, predicted by {said}{wrong}{_calibrated(target)}"


def _calibrated(target: Target) -> str:
    if not target.scores:
        return ""
    if not target.calibrations:
        return ", scores say nothing about it"
    bent = any(one.scores != one.shares for one in target.calibrations)
    return ", scores are read as probabilities by a calibration" if bent else ", scores are probabilities"


def warnings(profile: Profile) -> Iterator[str]:
    """What somebody should know who relies on it, a line each."""
    if profile.provisional:
        yield "provisional: made of live traffic, not of training data; what was wrong with that looks normal"
    yield from _small(profile)
    for one in profile.adoptions:
        until = f", until {_day(one.expires_at)}" if one.expires_at is not None else ""
        when = f"adopted as normal at {_day(one.adopted_at)}"
        yield f"{one.name}: the last {one.window} {when} by {one.author}{until}: {one.reason}"


_MUCH: Final = 0.05
"""Half of what counts as drift where nobody says what is tolerated."""


def _small(profile: Profile) -> Iterator[str]:
    columns = [column for column in (*profile.features, *profile.outputs) if (column.reference_error or 0) > _MUCH]
    if columns:
        worst = max(columns, key=lambda column: column.reference_error or 0)
        others = f"; {len(columns) - 1} other columns are hardly better known" if len(columns) > 1 else ""
        yield (
            f"small reference: a table of so many rows may be off by {worst.reference_error:.1%} of the values of"
            f" {worst.name} by chance alone, and less drift than that cannot be told{others}"
        )


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


# --- a line per column


def _ordered(columns: Sequence[Column]) -> list[Column]:
    return sorted(columns, key=lambda column: -(column.importance or 0))  # equal ones stay as they are


def _line(title: str, column: Column, cells: tuple[int, bool], paper: Paper) -> str:
    """`cells` say how wide names are, and whether there is a cell for the importance."""
    name, weighs = cells
    share = "" if column.importance is None else f"{column.importance:.0%}"
    weight = f"{share:>4} " if weighs else ""
    left = f"  {title:8}"
    text = paper.cut(_brief(column), len(left), name, 2, 12, len(weight), _SPARK, 2)
    shown = f"{paper.dim(left)}{paper.bold(padded(column.name, name))}  {column.kind:12}{weight}"
    return f"{shown}{paper.bars(_spark(column))}  {text}".rstrip()


def _spark(column: Column) -> str:
    """How its values lie: the categories in their order, or numbers by their density."""
    shares = _density(column) if column.ordered else [float(count) for count in column.counts[:-2]]
    return sparkline(shares[:_SPARK]).ljust(_SPARK)


def _density(column: Column) -> list[float]:
    """Of numbers but for their tails, in steps of equal width: bins hold equal shares, and would look alike."""
    inside = list(zip(pairwise(column.edges), column.counts[1:], strict=False))
    if len(inside) < _FEW:  # a few values, each a bin of its own
        return [float(count) for _, count in inside]
    rows = sum(count for _, count in inside)
    while len(inside) > 1 and inside[-1][1] <= _TAIL * rows:
        inside.pop()
    while len(inside) > 1 and inside[0][1] <= _TAIL * rows:
        inside.pop(0)
    low, high = inside[0][0][0], inside[-1][0][1]
    if not 0 < high - low < math.inf:  # one value alone
        return [float(column.rows)]
    steps = [low + (high - low) * at / _SPARK for at in range(_SPARK + 1)]
    return [
        sum(count * max(0.0, min(end, right) - max(start, left)) / (end - start) for (start, end), count in inside)
        for left, right in pairwise(steps)
    ]


def _brief(column: Column) -> str:
    missing = column.counts[MISSING] if column.ordered else column.counts[-1]
    gap = f", {missing / column.rows:.1%} missing" if missing else ""
    if column.ordered:
        what = "length " if column.kind == "text" and not column.scalar else ""
        return f"{what}{column.minimum:.6g} to {column.maximum:.6g}, mean {column.mean:.6g}, sd {column.sd:.4g}{gap}"
    shown = ", ".join(column.categories[:5]) + (", …" if len(column.categories) > 5 else "")
    more = f" and {len(column.others)} rarer ones" if column.others else ""
    return f"{len(column.categories)} categories{more}: {shown}{gap}"


# --- a column's bins


def _detail(profile: Profile, column: Column, paper: Paper) -> Iterator[str]:
    yield f"{paper.bold(paper.cut(column.name, 16))} {paper.dim(f'({column.kind})')}"
    yield from (paper.dim(f"  {paper.cut(line, 2)}") for line in _more(column))
    yield from _bars(column, column.counts, paper)
    for one in profile.adoptions:
        side = profile.features if one.side == "features" else profile.outputs
        if one.name == column.name and column in side:
            yield paper.warning(f"  {paper.cut(_adopted(one), 2)}")
            yield from _bars(column, one.counts, paper)


def _more(column: Column) -> Iterator[str]:
    """What is known beyond its bins, in words."""
    if column.origin:
        yield f"the {column.scalar} of {column.origin}"
    if column.salt:
        yield f"categories are hashed, with the salt {column.salt}"
    if column.distinct is not None:
        yield f"some {column.distinct:,} different numbers"
    if column.reference_error is not None:
        yield f"a table of so many rows may be off by {column.reference_error:.1%} of its values by chance alone"
    if (column.dependence or 1) >= _NOTABLE_DEPENDENCE:
        yield f"its rows come as if {column.dependence:.3g} were one"
    if (column.wander or 0) >= _NOTABLE_WANDER:
        yield f"an hour of the training data may differ by {column.wander:.1%} of its values from all of them"


def _adopted(one: Adoption) -> str:
    return f"adopted by {one.author}, {sum(one.counts):,} values of {one.window} before {_day(one.adopted_at)}:"


def _bars(column: Column, counts: Sequence[int], paper: Paper) -> Iterator[str]:
    bins = [(place, printable(text)) for place, text in column.bins() if counts[place] or not column.ordered]
    width = min(max((wide(text) for _, text in bins), default=0), paper.narrowed(_LONGEST_BIN, _BESIDE_BIN))
    longest = paper.narrowed(_BAR, width + _COUNTS)
    rows, highest = max(1, sum(counts)), max(*counts, 1)
    for place, text in bins:
        count = counts[place]
        bar = "█" * round(longest * count / highest)
        yield f"  {place:02d} {padded(text, width)} {count / rows:7.2%} {count:>12,} {paper.bars(bar)}".rstrip()
