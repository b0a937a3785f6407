"""What is told of the last page: made when somebody asks, once for each page, on any thread."""

import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Final, Protocol, TypeVar

from exporter.collect.scene import Page
from exporter.config import Settings
from exporter.status import columns, models, scores, sidecar, versions
from exporter.status.facts import ColumnDetail, ColumnFacts, Judgement, Moment, StatusFacts, Trails
from exporter.status.failing import Failures
from exporter.status.judging import judged
from exporter.status.recent import Recent
from exporter.status.seen import Limits, Seen
from exporter.status.view import SIDES, View
from exporter.status.wording import text

_Key = tuple[str, str]
_MOST_COLUMNS: Final = 10_000
"""That are told of one page, or whose bins are in words: who asks for more has them made anew."""
_Any = TypeVar("_Any", bound=Hashable)
_Side = TypeVar("_Side", bound=Sequence[object])


class Panes(Protocol):
    """Who answers for what no page has."""

    def trails(self, model: str, version: str, side: str, names: Sequence[str]) -> Trails | None:
        """As `Source` has it."""
        ...

    def moment(self, model: str, version: str, side: str, names: Sequence[str], at: float) -> Moment | None:
        """As `Source` has it."""
        ...


class _NoPanes:
    """Where nobody keeps any."""

    def trails(self, *_: object) -> None:
        """There are none."""

    def moment(self, *_: object) -> None:
        """There is none."""


class Told:
    """Implements `source.Source`; the analyser shows it page after page."""

    def __init__(self, settings: Settings, limits: Callable[[], Limits], panes: Panes | None = None) -> None:
        """`limits` gives the thresholds of the alerts: it is asked once somebody looks."""
        self._settings, self._limits = settings, limits
        self._panes: Panes = panes or _NoPanes()
        self._failures, self._recent = Failures(), Recent()
        self._page: _Made | None = None
        self._texts: dict[tuple[str, str], Sequence[columns.Texts]] = {}

    def show(self, page: Page) -> None:
        """What is so now. Costs little: nothing is made before somebody asks."""
        self._failures.look(page)
        self._recent.look(page)
        self._page = _Made(page, self._settings, self._texts)

    def now(self) -> StatusFacts | None:
        """The whole status, but for the columns."""
        made = self._page
        return None if made is None else made.now(self._limits(), self._recent, self._failures)

    def columns(self, model: str, version: str, side: str) -> Sequence[ColumnFacts] | None:
        """All of one side."""
        made = self._page
        return None if made is None else made.columns(model, version, side)

    def column(self, model: str, version: str, side: str, name: str) -> ColumnDetail | None:
        """One of them, whole."""
        made = self._page
        return None if made is None else made.column((model, version), side, name)

    def trails(self, model: str, version: str, side: str, names: Sequence[str]) -> Trails | None:
        """The last panes of some columns."""
        return self._panes.trails(model, version, side, names)

    def moment(self, model: str, version: str, side: str, names: Sequence[str], at: float) -> Moment | None:
        """Some columns in the pane that has the moment `at`."""
        return self._panes.moment(model, version, side, names, at)


class _Made:
    """What was made of one page so far."""

    def __init__(self, page: Page, settings: Settings, texts: "dict[tuple[str, str], Sequence[columns.Texts]]") -> None:
        self._page, self._settings, self._texts = page, settings, texts
        self._lock = threading.RLock()
        self._views = tuple(View(scene, page) for scene in page.scenes if scene.visible)
        self._status: StatusFacts | None = None
        self._columns: dict[tuple[str, str, str], Sequence[ColumnFacts]] = {}

    def now(self, limits: Limits, recent: Recent, failures: Failures) -> StatusFacts:
        """All but the columns."""
        with self._lock:
            if self._status is None:
                seen = [Seen(view, self._settings, limits, recent) for view in self._views]
                self._status = self._told(seen, failures)
            return self._status

    def _told(self, seen: Sequence[Seen], failures: Failures) -> StatusFacts:
        found: Mapping[_Key, Judgement] = {one.view.key: judged(one) for one in seen}
        verdicts = {key: judgement.verdict for key, judgement in found.items()}
        told = (
            models.of(one, found[one.view.key], versions.of(one.view, self._views, verdicts)) for one in seen
        )  # fmt: skip
        return StatusFacts(
            time=self._page.health.snapshot_wall_s, refresh_seconds=self._settings.windows.snapshot_interval,
            models=tuple(told), sidecar=sidecar.of(self._page, failures.kept),
        )  # fmt: skip

    def columns(self, model: str, version: str, side: str) -> Sequence[ColumnFacts] | None:
        """All of one side; None where there is no such model or side."""
        with self._lock:
            key = (model, version, side)
            if key not in self._columns:
                found = self._side((model, version), side)
                if found is None:
                    return None
                _remember(self._columns, key, self._lines(*found))
            return self._columns[key]

    def column(self, key: _Key, side: str, name: str) -> ColumnDetail | None:
        """One of them, whole."""
        lines, found = self.columns(*key, side), self._side(key, side)
        facts = next((one for one in lines or () if one.name == name), None)
        if facts is None or found is None:
            return None
        view, _ = found
        shown = view.side(side)
        return None if shown is None else scores.of(shown, facts, view.now)

    def _side(self, key: _Key, side: str) -> tuple[View, str] | None:
        """Of the model that is called so; its profile may have nothing of that side."""
        view = next((one for one in self._views if tuple(map(text, one.key)) == key), None)
        return None if view is None or side not in SIDES else (view, side)

    def _lines(self, view: View, side: str) -> Sequence[ColumnFacts]:
        shown = view.side(side)
        if shown is None:
            return ()
        profile = view.scene.profile
        key = (profile.digest if profile else "", side)
        texts = self._texts.get(key)
        if texts is None:
            texts = [[(at, text(words)) for at, words in column.bins()] for column in shown.columns]
            _remember(self._texts, key, texts)
        return columns.of(shown, texts)


def _remember(kept: dict[_Any, _Side], key: _Any, side: _Side) -> None:
    """It, and of those that were there before as many as there is room for."""
    kept[key] = side
    while len(kept) > 1 and sum(map(len, list(kept.values()))) > _MOST_COLUMNS:
        kept.pop(next(iter(kept)), None)
