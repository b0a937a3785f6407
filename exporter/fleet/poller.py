"""Asks for pane after pane once each is over, and has every fleet take its counts.

What Prometheus did not answer is asked for again, so that after a restart of either nothing is missing that Prometheus
has; panes that are over for longer than `catch_up` are left out. No pane is taken twice.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Final, Protocol

from exporter.errors import ConfigError, PrometheusError
from exporter.evidence.planned import Planned
from exporter.evidence.terms import Terms
from exporter.fleet import answers, queries
from exporter.fleet.answers import Fault, Fleet, Known, Place
from exporter.fleet.keeping import Keeping
from exporter.fleet.settings import Settings
from exporter.fleet.watched import Told, Watched
from exporter.prometheus import Series

_LOG = logging.getLogger("exporter.fleet")
_REFER_EVERY_PANES: Final = 15
_FORGET_AFTER_S: Final = 86400.0
_LONGEST_PAUSE_S: Final = 30.0
_AHEAD_PANES: Final = 60
"""So many panes after the newest there are where a clock was wrong, and was set back."""
_SHORTEST_PAUSE_S: Final = 0.1
REASONS: Final = ("access", "answer", "partial")


class Client(Protocol):
    """Who is asked."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What came with the last answer."""

    def query(self, expression: str, at: float | None = None) -> list[Series]:
        """What an expression is at a Unix time. PrometheusError, ConfigError."""


class Poller:
    """All fleets. Memory: an engine for each of `limit` of them, and an answer of Prometheus."""

    def __init__(self, client: Client, settings: Settings, keeping: Keeping | None, now_s: float) -> None:
        """`now_s` is the Unix time, here and below."""
        self._client, self._settings, self._keeping = client, settings, keeping
        self._terms = Terms(settings.evidence, settings.pane, planned=Planned(settings.evidence.planned).during)
        self._watched: dict[Fleet, Watched] = {}
        self._present: dict[Fleet, int] = {}
        """The last pane in which each had replicas."""
        self._next: int | None = None
        """The pane to be asked for."""
        self._refer_at = 0
        """The pane with which references are asked for again."""
        self._looked_at: set[Fleet] = set()
        """Whose were asked for last, whether there were any or not."""
        self.failed: Counter[str] = Counter(dict.fromkeys(REASONS, 0))
        self.skipped = 0
        self.left_out = 0
        self.asked_until_s = now_s
        """Unix time of the end of the last pane that was asked for."""
        self.is_ready = False
        """Whether Prometheus has answered for a pane."""
        self._said = ""

    # in

    def poll(self, now_s: float) -> bool:
        """Have all panes taken that are over; whether Prometheus answered."""
        newest = int((now_s - self._settings.lag) // self._settings.pane) - 1
        partial = self.failed["partial"]
        try:
            self._go_back_to(newest)
            if self._next is None:
                self._next = self._first(newest)
            self._skip_to(newest - self._settings.catch_up)
            while self._next <= newest:
                self._pane(self._next)
                self._next += 1
        except (PrometheusError, ConfigError) as error:
            self._fail("access" if isinstance(error, ConfigError) else "answer", str(error))
            return False
        finally:
            if self._keeping:
                self._keeping.keep_when_due(self._watched.values(), now_s)
        if self.failed["partial"] == partial:
            self._said = ""
        return True

    def pause_s(self, now_s: float, is_fine: bool) -> float:
        """How long to wait before the next `poll`."""
        if not is_fine or self._next is None:
            return min(max(self._settings.pane / 4, _SHORTEST_PAUSE_S), _LONGEST_PAUSE_S)
        due_s = (self._next + 1) * self._settings.pane + self._settings.lag
        return min(max(due_s - now_s, _SHORTEST_PAUSE_S), _LONGEST_PAUSE_S)

    def end(self) -> None:
        """Write what must be kept, and let somebody else go on."""
        if self._keeping:
            self._keeping.keep(self._watched.values())
            self._keeping.let_go()

    def _first(self, newest: int) -> int:
        """The pane to begin with: behind what was kept, where anything was."""
        self._find(newest, self._replicas(newest))
        kept = [one.last for one in self._watched.values() if one.last is not None]
        return min(max(kept) + 1, newest) if kept else newest

    def _go_back_to(self, newest: int) -> None:
        """Begin anew where panes were asked for that are long to come, rather than wait for them and see nothing."""
        if self._next is not None and self._next > newest + _AHEAD_PANES:
            _LOG.warning("the clock was set back: evidence begins anew")
            self._watched.clear()
            self._present.clear()
            self._next = None

    def _skip_to(self, oldest: int) -> None:
        if self._next is not None and self._next < oldest:
            self.skipped += oldest - self._next
            _LOG.warning("%d panes are left out: they were over for too long", oldest - self._next)
            self._next = oldest

    def _pane(self, pane: int) -> None:
        replicas = self._replicas(pane)
        if pane >= self._refer_at or not replicas.keys() <= self._looked_at:
            self._find(pane, replicas)
        counts = self._counts(pane) if self._watched else {}
        for fleet, watched in self._watched.items():
            watched.replicas = replicas.get(fleet, 0)
            watched.take(pane, counts.get(fleet, {}))
        self._hear(pane)
        self._present |= dict.fromkeys(replicas, pane)
        self._forget(pane)
        self.asked_until_s = self._end_s(pane)
        self.is_ready = True

    def _hear(self, pane: int) -> None:
        """Learn what replicas say has happened, where there is anything to be named."""
        told = [one.told(self._end_s(pane)) for one in self._watched.values()]
        found = self._faults(pane) if any(one.named.any() for one in told if one) else {}
        for fleet, watched in self._watched.items():
            watched.faults = found.get(fleet, {})

    def _find(self, pane: int, replicas: Mapping[Fleet, int]) -> None:
        """Learn what replicas say of their columns, and watch fleets that are new."""
        self._refer_at, self._looked_at = pane + _REFER_EVERY_PANES, {*replicas}
        known = self._known(pane) if replicas else {}
        self.left_out = 0
        for fleet in sorted(replicas):
            columns = known.get(fleet)
            if columns:
                self._refer(fleet, columns, replicas)

    def _refer(self, fleet: Fleet, columns: Mapping[Place, Known], replicas: Mapping[Fleet, int]) -> None:
        if fleet in self._watched:
            self._watched[fleet].refer_to(columns)
        elif self._has_room(replicas):
            watched = self._watched[fleet] = Watched(fleet, columns, self._terms)
            is_old = self._keeping is not None and self._keeping.restore(watched, self._refer_at + _AHEAD_PANES)
            _LOG.info("watching %s, %d columns%s", fleet, len(columns), ", as it was kept" if is_old else "")
        else:
            self.left_out += 1

    def _has_room(self, replicas: Mapping[Fleet, int]) -> bool:
        """Whoever has no replicas any more makes room."""
        if len(self._watched) >= self._settings.limit:
            gone = [fleet for fleet in self._watched if fleet not in replicas]
            if gone:
                self._drop(min(gone, key=lambda fleet: self._present.get(fleet, 0)))
        return len(self._watched) < self._settings.limit

    def _forget(self, pane: int) -> None:
        oldest = pane - _FORGET_AFTER_S / self._settings.pane
        for fleet in [fleet for fleet, last in self._present.items() if last < oldest]:
            self._drop(fleet)

    def _drop(self, fleet: Fleet) -> None:
        watched = self._watched.pop(fleet, None)
        self._present.pop(fleet, None)
        if watched and self._keeping:
            self._keeping.keep([watched])
            self._keeping.forget(fleet)

    # asking

    def _end_s(self, pane: int) -> float:
        return (pane + 1) * self._settings.pane

    def _ask(self, expression: str, pane: int) -> list[Series]:
        found = self._client.query(expression, self._end_s(pane))
        if self._client.warnings:
            self._fail("partial", "; ".join(self._client.warnings))
        return found

    def _replicas(self, pane: int) -> dict[Fleet, int]:
        by, matchers = self._settings.by, self._settings.selector or ""
        return answers.replicas(self._ask(queries.replicas(by, matchers), pane), by)

    def _counts(self, pane: int) -> answers.Counts:
        by, matchers, pane_s = self._settings.by, self._settings.selector or "", self._settings.pane
        found = [self._ask(queries.counted(side, by, matchers, pane_s), pane) for side in queries.SIDES]
        return answers.counts(found, queries.SIDES, by)

    def _known(self, pane: int) -> dict[Fleet, dict[Place, Known]]:
        by, matchers = self._settings.by, self._settings.selector or ""
        found = [self._ask(queries.referred(side, by, matchers), pane) for side in queries.SIDES]
        return answers.known(found, queries.SIDES, by)

    def _faults(self, pane: int) -> dict[Fleet, dict[Place, Fault]]:
        by, matchers = self._settings.by, self._settings.selector or ""
        found = [self._ask(queries.diagnosed(side, by, matchers), pane) for side in queries.SIDES]
        return answers.faults(found, queries.SIDES, by)

    def _fail(self, reason: str, words: str) -> None:
        self.failed[reason] += 1
        if words != self._said:
            self._said = words
            _LOG.warning("%s", words)

    # out

    @property
    def errors(self) -> Mapping[str, int]:
        """Of what is kept, by STATE_ERRORS."""
        return self._keeping.errors if self._keeping else {}

    @property
    def watched(self) -> int:
        """How many fleets."""
        return len(self._watched)

    def told(self, now_s: float) -> list[Told]:
        """What there is to say of each fleet that has replicas, in the order of their names."""
        every = (one.told(now_s) for _, one in sorted(self._watched.items()))
        return [one for one in every if one is not None]
