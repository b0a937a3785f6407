"""What one page shows, of what there is: the model that is meant, a page of its columns, the moment that is chosen."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from exporter.status.facts import (
    VERDICTS,
    Bin,
    ColumnDetail,
    ColumnFacts,
    ModelFacts,
    Moment,
    MomentColumn,
    StatusFacts,
    Trails,
)
from exporter.status.source import Source
from exporter.web.status.asked import Asked
from exporter.web.status.drawing import Bars, bars, line

ROWS: Final = 50
"""Columns of a page."""
BESIDE: Final = 5
"""Columns of the other side that stand below."""
MODELS: Final = 20
"""Models of a page, where there are several."""
SIDES: Final = ("feature", "output")


class Row(NamedTuple):
    """A column, at the moment that is chosen."""

    column: ColumnFacts
    bars: Bars
    line: str
    bins: Sequence[Bin]
    samples: int
    total_variation: float | None
    critical: float | None
    """None where it is of a moment, for which there is no such number."""


class Table(NamedTuple):
    """Columns of one side."""

    side: str
    rows: Sequence[Row]
    total: int
    found: int
    """That are as they were asked for."""
    page: int
    pages: int


class Slider(NamedTuple):
    """The moments there are, Unix seconds."""

    first: int
    last: int
    step: int
    value: int
    is_now: bool


class Shown(NamedTuple):
    """All of it."""

    facts: StatusFacts
    models: Sequence[ModelFacts]
    model_pages: int
    chosen: ModelFacts | None
    main: Table | None
    beside: Table | None
    slider: Slider | None
    moment: Moment | None
    detail: ColumnDetail | None
    row: Row | None
    """Of the detail."""
    lacks: str
    """What could not be said this time; empty where nothing is missing."""


class _Asking:
    """One page's questions about panes. Where the analyser is too busy, the page comes without them."""

    def __init__(self, source: Source, model: ModelFacts, at: float | None) -> None:
        self._source, self._model, self._at = source, model, at
        self.moment: Moment | None = None
        self.trails: Trails | None = None
        self.is_busy = False

    def rows(self, side: str, columns: Sequence[ColumnFacts]) -> list[Row]:
        """Columns with how they went, and at the moment that is asked for."""
        if not columns:
            return []
        trails, moment = self._asked(side, [one.name for one in columns])
        self.trails, self.moment = self.trails or trails, self.moment or moment
        lines = {one.name: line(one.total_variation) for one in trails.columns} if trails else {}
        then = {one.name: one for one in moment.columns} if moment else None
        return [_row(one, lines.get(one.name, ""), then) for one in columns]

    def _asked(self, side: str, names: Sequence[str]) -> tuple[Trails | None, Moment | None]:
        """Who was too busy once is not waited for again."""
        if self.is_busy:
            return None, None
        try:
            trails = self._source.trails(self._model.model, self._model.version, side, names)
            return trails, self._moment(side, names, trails)
        except TimeoutError:
            self.is_busy = True
            return None, None

    def _moment(self, side: str, names: Sequence[str], trails: Trails | None) -> Moment | None:
        if self._at is None or not trails or not trails.starts or self._at >= trails.starts[-1]:
            return None
        at = max(self._at, trails.starts[0])
        return self._source.moment(self._model.model, self._model.version, side, names, at)

    def slider(self) -> Slider | None:
        """Where there are panes to choose from."""
        if self.trails is None or len(self.trails.starts) < 2:
            return None
        first, last = int(self.trails.starts[0]), int(self.trails.starts[-1])
        value = last if self.moment is None else int(self.moment.start)
        return Slider(first, last, max(round(self.trails.width_seconds), 1), value, self.moment is None)


def _row(column: ColumnFacts, path: str, then: Mapping[str, MomentColumn] | None) -> Row:
    if then is None:
        return Row(column, bars(column.bins), path, column.bins, column.samples, column.total_variation,
                   column.total_variation_critical)  # fmt: skip
    at = then.get(column.name)
    if at is None:
        empty = [Bin(one.bin, one.text, one.reference, None) for one in column.bins]
        return Row(column, bars(empty), path, empty, 0, None, None)
    return Row(column, bars(at.bins), path, at.bins, at.samples, at.total_variation, None)


def show(source: Source, facts: StatusFacts, asked: Asked) -> Shown:
    """What a page shows."""
    models = sorted(facts.models, key=lambda one: VERDICTS.index(one.judgement.verdict))
    chosen = _chosen(models, asked)
    model_pages = max(-(-len(models) // MODELS), 1)
    page = min(asked.models, model_pages)
    listed = models[(page - 1) * MODELS : page * MODELS]
    if chosen is None:
        return Shown(facts, listed, model_pages, None, None, None, None, None, None, None, "")
    asking = _Asking(source, chosen, asked.at)
    main = beside = detail = row = None
    if (word := _whole(asked)) is not None:
        detail = source.column(chosen.model, chosen.version, *word)
        row = asking.rows(word[0], [detail.column])[0] if detail else None
    else:
        main = _table(source, chosen, asked, asking)
        beside = _beside(source, chosen, asked, asking)
    lacks = (
        "The analyser is busy: how columns went, and other moments, are left out this once." if asking.is_busy else ""
    )
    return Shown(facts, listed, model_pages, chosen, main, beside, asking.slider(), asking.moment, detail, row, lacks)


def _chosen(models: Sequence[ModelFacts], asked: Asked) -> ModelFacts | None:
    """The one that is asked for, as far as anything is said; else the most urgent."""
    return next((one for one in models if asked.model in {None, one.model} and asked.version in {None, one.version}),
                None)  # fmt: skip


def _whole(asked: Asked) -> tuple[str, str] | None:
    """Side and name of the column that is shown whole."""
    if asked.feature is not None:
        return "feature", asked.feature
    return None if asked.output is None else ("output", asked.output)


def _table(source: Source, model: ModelFacts, asked: Asked, asking: _Asking) -> Table:
    columns = source.columns(model.model, model.version, asked.side) or ()
    wanted = asked.q.casefold()
    found = [
        one for one in columns
        if wanted in one.name.casefold() and asked.standing in {"", one.standing}
    ]  # fmt: skip
    pages = max(-(-len(found) // ROWS), 1)
    page = min(asked.page, pages)
    rows = asking.rows(asked.side, found[(page - 1) * ROWS : page * ROWS])
    return Table(asked.side, rows, len(columns), len(found), page, pages)


def _beside(source: Source, model: ModelFacts, asked: Asked, asking: _Asking) -> Table:
    side = SIDES[asked.side == "feature"]
    columns = source.columns(model.model, model.version, side) or ()
    return Table(side, asking.rows(side, columns[:BESIDE]), len(columns), len(columns), 1, 1)
