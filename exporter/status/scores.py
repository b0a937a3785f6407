"""All of one column: every statistic in every window, beside what chance makes of it."""

from collections.abc import Iterator

from exporter.snapshots import IMPACT, Scores
from exporter.status import quality
from exporter.status.facts import ColumnDetail, ColumnFacts, Score, WindowFacts
from exporter.status.known import known
from exporter.status.view import Side
from exporter.status.wording import text


def of(side: Side, facts: ColumnFacts, now: float) -> ColumnDetail:
    """Of one that is told in a line already. Of one that is ignored there is no more."""
    at = next(place for place, column in enumerate(side.columns) if text(column.name) == facts.name)
    if side.ignored[at]:
        return ColumnDetail(facts, (), (), ())
    windows = tuple(_window(one, at, now) for one in side.windows)
    return ColumnDetail(facts, windows, tuple(_scores(side, at)), tuple(quality.of_column(side, at)))


def _window(one: Scores, at: int, now: float) -> WindowFacts:
    samples = int(one.samples[at])
    return WindowFacts(one.window, samples, bool(one.sufficient[at]), began(one, now) if samples else None)


def began(one: Scores, now: float) -> float | None:
    """When the oldest pane of a window begins that holds anything."""
    reach = known(one.reach_s)
    return None if reach is None else now - reach


def _scores(side: Side, at: int) -> Iterator[Score]:
    for name in side.windows[0].values:
        if name != IMPACT:
            for one in side.windows:
                critical = one.critical.get(name)
                limit = None if critical is None else known(float(critical[at]))
                yield Score(name, one.window, known(float(one.values[name][at])), limit)
