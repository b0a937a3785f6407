"""Who is to be asked, of all models: what is found of each, what speaks against it, and the event. No I/O, no clock."""

import logging
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from exporter.records import Label
from exporter.reference import Profile
from exporter.retrain import event, findings
from exporter.retrain.advice import Advised, Facts, advise
from exporter.retrain.alerts import Firing
from exporter.retrain.episodes import Memory
from exporter.retrain.event import Event, Key, Said
from exporter.retrain.findings import Finding, Found
from exporter.retrained import ModelRetrain
from exporter.retraining import CONCEPT, DRIFT, ESTIMATED, PERFORMANCE, SLOW_DRIFT, Retrain
from exporter.snapshots import Snapshot

_LOG = logging.getLogger("exporter.retrain")
_OF_TRUTH: Final = frozenset(("ModelConceptDrift", "ModelPerformanceBelowTraining"))
"""Alerts that say that the model is worse; others say that its traffic moved."""
_MOST: Final = 4
"""Versions and profiles that are remembered, of each model that may be watched."""
UNDELIVERED: Final = "undelivered"


class Watched(NamedTuple):
    """One model as it is now."""

    label: Label
    profile: Profile
    snapshot: Snapshot


class _Standing(NamedTuple):
    """What there is of one model now."""

    key: Key
    one: Watched
    found: Found
    kinds: tuple[Finding, ...]
    """Those that are a reason."""
    firing: tuple[str, ...]
    """Names of alerts."""


class Deciding:
    """All models."""

    def __init__(self, said: Retrain, windows: tuple[float, ...], most: int, *, lasts: bool) -> None:
        """`windows` are those of performance, `most` models may be watched; `lasts`: memory outlives this process."""
        self._said, self._windows, self._most, self._lasts = said, windows, most, lasts
        self.memories: dict[Key, Memory] = {}
        self.events: dict[str, Event] = {}
        """Those on their way, by model."""
        self.suppressed, self.endings = Counter[str](), Counter[str]()
        """Since whoever counts them took them last."""
        self.shown: dict[tuple[str, str], ModelRetrain] = {}

    def resume(self, memories: Mapping[Key, Memory], events: Mapping[str, Event]) -> None:
        """Go on with what an earlier run remembered."""
        self.memories, self.events = dict(memories), dict(events)
        if not self._said.dry_run:
            for memory in self.memories.values():
                memory.forget_dry()

    def look(self, models: Iterable[Watched], firing: Iterable[Firing], now: float) -> None:
        """At all models; `now` is Unix time."""
        alerts = list(firing)
        for memory in self.memories.values():
            memory.not_later_than(now)
        self.shown = {one.label: self._look(self._standing(one, alerts), now) for one in models}
        self._tidy(now)

    def over(self, ended: Event) -> None:
        """An event is no longer on its way."""
        if self.events.get(ended.model) == ended:
            del self.events[ended.model]

    def _standing(self, one: Watched, alerts: Iterable[Firing]) -> _Standing:
        found = findings.found(one.snapshot, self._said, self._windows)
        kinds = tuple(finding for finding in found.findings if finding.kind in self._said.reasons)
        names = {
            alert.name for alert in alerts
            if alert.model == one.label.model and alert.version in {"", one.label.version}
        }  # fmt: skip
        return _Standing(Key(*one.label, one.profile.digest), one, found, kinds, tuple(sorted(names)))

    def _look(self, of: _Standing, now: float) -> ModelRetrain:
        memory = self.memories.setdefault(of.key, Memory())
        memory.find(one.kind for one in of.kinds if one.is_found)
        is_found = any(one.is_found for one in of.kinds) or bool(of.firing)
        if memory.look(now, self._said, found=is_found, well=self._is_well(of, memory)):
            self.suppressed["latched"] += 1
        memory.good = memory.good or _is_good(of.found)
        if memory.is_due(self._said):
            self._decide(of, memory, now)
        known = (one for one in of.found.findings if one.line > 0 and math.isfinite(one.value))
        ratios = {one.kind: one.value / one.line for one in known}
        state = memory.state(lambda: self._cools(of.key.model, now))
        return ModelRetrain(state, memory.held, ratios, memory.advice, memory.last)

    def _is_well(self, of: _Standing, memory: Memory) -> bool:
        """Whether everything is: what was found and cannot be looked at now, as no truths come, is not."""
        known = {one.kind for one in of.kinds}
        if of.found.of(PERFORMANCE):  # there is no estimate where truths are
            known.add(ESTIMATED)
        is_known = all(kind in known or kind not in self._said.reasons for kind in memory.kinds)
        return is_known and all(one.is_over for one in of.kinds) and not of.firing

    def _decide(self, of: _Standing, memory: Memory, now: float) -> None:
        details = findings.detailed(of.one.snapshot, of.one.profile)
        advised = advise(self._facts(of, memory, details.faults))
        reason = self._against(of, advised, now)
        if reason:
            self.suppressed[reason] += memory.hold_back(reason)
            return
        told = Said(of.key, of.found, details, advised, of.firing, memory.began)
        made = event.made(told, of.one.snapshot, now, self._said.cool_down)
        memory.ask(now, advised.advice, dry=self._said.dry_run)
        if self._said.dry_run:
            self.suppressed["dry_run"] += 1
            _LOG.warning("would be sent, but for retrain.dry_run: %s", made.body)
            return
        self.endings[UNDELIVERED] += made.model in self.events
        self.events[made.model] = made
        _LOG.warning("the model %r, version %r: %s: %s (event %s)", *of.key[:2], *advised, made.id)

    def _against(self, of: _Standing, advised: Advised, now: float) -> str:
        """Why nobody is asked; empty where nothing speaks against it."""
        if not any(one.is_found and one.enough for one in of.kinds) and not self._rests(of):
            return "evidence"
        if advised.advice not in self._said.advice:
            return "advice"
        return "cool_down" if self._cools(of.key.model, now) else ""

    def _rests(self, of: _Standing) -> bool:
        """Whether an alert is of a model of which enough is known here."""
        is_enough = any(self._has_truths(of) or name not in _OF_TRUTH for name in of.firing)
        return is_enough and of.found.rows >= self._said.minimum_rows

    def _has_truths(self, of: _Standing) -> bool:
        return of.found.truths >= self._said.minimum_truths

    def _cools(self, model: str, now: float) -> bool:
        last = max((memory.last for key, memory in self.memories.items() if key.model == model), default=0.0)
        return self._is_recent(last, now)

    def _is_recent(self, asked: float, now: float) -> bool:
        return asked > 0 and now - asked < self._said.cool_down

    def _facts(self, of: _Standing, memory: Memory, faults: tuple[str, ...]) -> Facts:
        found, alerts = of.found, of.firing
        is_told = self._has_truths(of) and any(name in _OF_TRUTH for name in alerts)
        worse = True if is_told else _any_found(found, CONCEPT, PERFORMANCE)
        return Facts(
            drift=bool(_any_found(found, DRIFT, SLOW_DRIFT)) or any(name not in _OF_TRUTH for name in alerts),
            worse=worse,
            estimated_worse=_any_found(found, ESTIMATED),
            ever_good=memory.good if memory.good or self._lasts else None,
            faults=faults,
            provisional=of.one.profile.provisional,
        )

    def _tidy(self, now: float) -> None:
        """The oldest of too many memories go, but none that a cool-down rests on unless it must."""
        beyond = len(self.memories) - _MOST * self._most
        if beyond > 0:
            rank = {key: (self._is_recent(one.last, now), one.looked) for key, one in self.memories.items()}
            for key in sorted(rank, key=lambda key: rank[key])[:beyond]:
                del self.memories[key]

    def marks(self) -> Iterator[object]:
        """What must be kept as soon as it changes."""
        for key, memory in self.memories.items():
            yield key, memory.began > 0, memory.asked, memory.last, memory.good, memory.dry
            yield from (*memory.held_back, *memory.kinds)
        yield from (one.id for one in self.events.values())


def _any_found(found: Found, *kinds: str) -> bool | None:
    """Whether one of some kinds is found, resting on enough; None where nothing is known of any."""
    known = [one for kind in kinds if (one := found.of(kind)) and one.enough]
    return any(one.is_found for one in known) if known else None


def _is_good(found: Found) -> bool:
    """Whether the model is seen to be as good as in training."""
    performance, concept = found.of(PERFORMANCE), found.of(CONCEPT)
    if performance is not None:
        return performance.enough and performance.is_over
    return concept is not None and concept.enough and concept.is_over
