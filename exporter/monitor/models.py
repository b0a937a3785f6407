"""Every model that is watched: one monitor for each model and version, as many as the operator allows.

A monitor is made for a prediction that was answered, never for a mere name: what fails, and what comes when there is no
room, is counted for the model `_other`. The one that is known before the first request is made in advance, so that its
series begin at 0; it leaves the page where the traffic names the model otherwise.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from exporter.config import Settings
from exporter.monitor import Monitor, attributing, door, due, versions
from exporter.monitor.ageing import Firsts
from exporter.monitor.chronicle import Chronicle
from exporter.monitor.gathering import same_clock, watching
from exporter.monitor.match import are_of
from exporter.monitor.naming import OTHER, Naming
from exporter.monitor.provisional import Provisionals
from exporter.monitor.said import NOTHING_SAID, Said
from exporter.monitor.watched import NAMED, SERIES, Arrays, Found, Shown, Watched, are_small, bare, untitled
from exporter.profile import overrides
from exporter.records import Exchange, Failure, Label, Observation, Owner, Table
from exporter.reference import UNKNOWN, Profile
from exporter.references import References


class Models:
    """All monitors. Exchanges in, arrays to be kept and snapshots out."""

    def __init__(
        self, settings: Settings, references: References, said: Said = NOTHING_SAID,
        provisional: Provisionals | None = None, wall: Callable[[float], float] = same_clock,
    ) -> None:  # fmt: skip
        """`provisional` makes references of models that have none; `wall` gives Unix time."""
        self._naming = Naming(settings.model, references, settings.versions)
        self._settings, self._references = settings, self._naming.references
        self._said, self._provisional, self._watching = said, provisional, watching(settings, wall)
        self.chronicle, self._door = Chronicle(), door.of(said)
        self._firsts, self._other = Firsts(), Watched(Label(OTHER, UNKNOWN), None, self._make)
        self.label_of = self._naming.label
        """Whose an exchange is that says this and that, or would be."""
        self.most = settings.models.limit
        """How many there may be. Any thread may ask."""
        self._watched: dict[Label, Watched] = {}
        self._advance = self._last_watched = self._add(self._naming.in_advance)
        self._seen = (0, 0)
        """Changes and errors of the profiles, as they were at the last look."""
        self.attributing = attributing.Attributing()
        """Whose arrays must be kept beside the chapters."""
        self._last: tuple[str, str, bool] | None = None
        """What the exchange before named, and whose it was: nearly all that follow are alike."""
        self.changed: set[str] = set()
        """Titles of the chapters that may differ from what was kept last; whoever keeps them clears it."""

    def _make(self, profile: Profile | None) -> Monitor:
        overrides.warn(self._said.overrides, profile)
        return Monitor(profile, self._settings.windows, self._settings.capture.probe_paths, self._said, self._watching)

    def _add(self, label: Label) -> Watched:
        watched = self._watched.setdefault(label, Watched(label, self._references.of(*label), self._make))
        watched.monitor.recall(self._firsts.of(label))
        return watched

    def __iter__(self) -> Iterator[Watched]:
        return iter(self._watched.values())

    def profile_of(self, observation: Observation) -> Profile | None:
        """What it would be compared with; nothing is looked up for a mere failure's name, or beyond the limit."""
        label = self._naming.label(observation)
        watched = self._watched.get(label)
        if watched is None and (observation.predictions == Failure("error_status") or self._is_full()):
            return None
        return watched.profile if watched else self._references.of(*label) or self._references.offered(label.model)

    # in

    def observe(self, exchange: Exchange, observation: Observation) -> Found | None:
        """Count an exchange for the model that it is of; which that is, but None where it is a health probe."""
        observation = self._door(observation)
        named = observation.model, observation.version, observation.shadow
        watched = self._last_watched if named == self._last else self._find(named, exchange, observation)
        is_traffic = watched.monitor.observe(exchange, observation)
        self.changed.add(watched.title)
        if watched.profile is None and self._provisional and not (observation.shadow or watched is self._other):
            self._provisional.observe(watched.label, exchange, observation)
        return (watched, observation) if is_traffic else None

    def _find(self, named: tuple[str, str, bool], exchange: Exchange, observation: Observation) -> Watched:
        label = self._naming.label(observation)
        watched = self._watched.get(label) or self._welcome(label, exchange, observation)
        self._last = None
        if watched is not self._other:
            self._naming.heard(watched, observation)
            self._last, self._last_watched = named, watched
        return watched

    def _welcome(self, label: Label, exchange: Exchange, observation: Observation) -> Watched:
        """Watch another model, where it is one; `_other` else."""
        refusal = attributing.refusal(label, exchange, observation, is_full=self._is_full())
        if refusal is None:
            offered = self._references.offered(label.model)
            watched = self._add(self._introduced(label, offered, observation))
            if self._fits(watched):
                self._naming.heard(watched, observation)
                self._naming.know(self)
                self._greet(watched, offered)
                return watched
            del self._watched[watched.label]
            if offered:
                self._references.leave(label.model)
            refusal = attributing.MEMORY
        self.attributing.refuse(refusal)
        return self._other

    def _introduced(self, label: Label, offered: Profile | None, observation: Observation) -> Label:
        """Whose an exchange is, should the model turn out to be the profile's, which calls it otherwise."""
        features = observation.features
        if offered is None or not isinstance(features, Table) or not are_of(offered.asked, features):
            return label
        self._references.take(label.model)
        return self._naming.label(observation)

    def _is_full(self) -> bool:
        return len(self._watched) - self._advance.idle >= self._settings.models.limit

    def _fits(self, watched: Watched) -> bool:
        """Whether there is memory for one more; the first ones must fit in any case."""
        return are_small(self, self._settings.analyser.memory_limit) or watched is self._advance

    def _greet(self, watched: Watched, offered: Profile | None) -> None:
        model, source = watched.label.model, self._settings.profile
        is_first = not any(one.label.model == model for one in self if one is not watched)
        advice = self._naming.advice(model, source) if is_first and source and not watched.profile else ""
        watched.greet(advice, offered.model if offered and watched.profile else "")

    def flush(self) -> None:
        """Bring what was observed into the arrays."""
        for watched in (one for one in self._all() if one.title in self.changed):
            watched.monitor.flush()

    def look_at_profiles(self) -> bool:
        """Compare with the profiles that there are now; whether anything that is kept has changed by that."""
        before, self._seen = self._seen, (self._references.changes, self._references.errors)
        if self._seen[0] != before[0]:
            self.refer()
        self.attributing.miss(self._seen[1] - before[1])
        return self._seen != before

    def refer(self) -> None:
        """Have every model compared with the profile that is now its own.

        One that has none any more keeps its last, unless that was provisional and somebody took it away.
        """
        for watched in self:
            profile, before = self._references.of(*watched.label), watched.profile
            if (profile and profile.digest) == (before and before.digest):
                continue
            if profile is not None or (before and before.provisional):
                watched.refer(profile)
                self.changed.add(watched.title)
                if self._provisional and not self._provisional.end(watched.label, profile, self._fits(watched)):
                    watched.refer(None)

    # what is kept

    def _all(self) -> Iterator[Watched]:
        yield self._other
        yield from self

    def chapters(self) -> dict[str, Arrays]:
        """What must be kept, by model; call `flush` first."""
        return {watched.title: watched.arrays for watched in self._all()}

    def restore(self, kept: Mapping[str, Arrays]) -> None:
        """Go on with what was kept, of the models that may still be called so."""
        self._other.load(kept.get(self._other.title, {}))
        for name, arrays in kept.items():
            if name != self._other.title:
                self._resume(untitled(name), arrays)
        self._naming.know(self)
        self._last = None
        self.changed.update(watched.title for watched in self._all())

    def _resume(self, label: Label, arrays: Arrays) -> None:
        offered = self._references.offered(label.model)
        if offered and any(name.startswith(f"{SERIES}.{offered.digest}.") for name in arrays):
            self._references.take(label.model)
        model, version = arrays[NAMED].astype(bool).tolist()
        watched = self._watched.get(label)
        if watched is None and self._naming.is_still(label, model, version):
            watched = self._add(label)
        if watched is None:
            self._other.absorb(arrays)
            return
        watched.load(arrays)
        self._naming.recall(watched)

    # out

    def shown(self, now: float) -> list[Shown]:
        """What there is to show at `now` (seconds, the exchanges' monotonic clock), in the order of names."""
        self.flush()
        self.chronicle.look(self._naming.served(self), self._watching.wall(now))
        found = sorted((self._show(watched, now) for watched in self), key=lambda one: one.label)
        found = versions.compared(due.dated(found, self._settings.staleness), self._settings, self._naming.is_shadow)
        return [*found, Shown(self._other.label, None, self._other.monitor.snapshot(now), not self._other.idle)]

    def _show(self, watched: Watched, now: float) -> Shown:
        snapshot, label = watched.monitor.snapshot(now), watched.label
        if snapshot.rows.observed or versions.first_s(snapshot) or not self._is_superseded(watched):
            return Shown(label, watched.profile, snapshot, True)
        return Shown(label, None, bare(snapshot), not watched.idle)

    def _is_superseded(self, watched: Watched) -> bool:
        """Whether it was made in advance, and the traffic calls the model otherwise: any, where nobody had named it."""
        served = self._naming.served(self) if watched is self._advance else ()
        others = [one.profile for one in served if one is not watched]
        return any(one is watched.profile for one in others) if self._naming.is_named else bool(others)

    def news(self, now: float) -> Iterator[str]:
        """Lines for the log about payloads that could not be decoded: a bounded number a minute."""
        for watched in self._all():
            yield from watched.monitor.news(now)

    # windows on disk

    def owners(self) -> list[Owner]:
        """Whose windows there are."""
        return [Owner(*one.label, one.profile.digest) for one in self if one.profile and not self._is_nobodys(one)]

    def _is_nobodys(self, watched: Watched) -> bool:
        """Whether it stands for a model that nobody has named yet, and has seen nothing."""
        return watched is self._advance and not self._naming.is_named and watched.idle and not watched.taken[0]

    def wants(self, owner: Owner) -> bool:
        """Whether windows that were kept would be this run's. Any thread may ask."""
        label = Label(owner.model, owner.version)
        profile = self._references.of(*label) or self._references.offered(label.model)
        return profile is not None and profile.digest == owner.profile and self._naming.is_still(label, True, True)

    def wanted(self, owner: Owner, held: Arrays) -> Arrays:
        """What would be this run's of all that was kept: of another profile since when the version answers, no more."""
        is_still = self._naming.is_still
        return held if self.wants(owner) else Firsts.among(held) if is_still(Label(*owner[:2]), True, True) else {}

    def lacks(self, owner: Owner) -> bool:
        """Whether windows have yet to take what was kept of them."""
        return (watched := self._of(owner)) is None or not watched.taken[0]

    def held(self, owner: Owner, now: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What an owner's windows hold at `now`, array by array; nothing may be counted before the last one."""
        watched = self._of(owner)
        if watched is not None:
            watched.monitor.flush()
            self.changed.add(watched.title)
            yield from watched.monitor.held(now)

    def put_back(self, owner: Owner, held: Arrays, shift_s: float, now: float) -> int:
        """Go on with windows that were held when the clock showed `shift_s` less: how many panes there were."""
        label = Label(owner.model, owner.version)
        if (offered := self._references.offered(label.model)) and offered.digest == owner.profile:
            self._references.take(label.model)
        known, watched = self._watched.get(label), self._of(owner)
        self._firsts.take(label, held, known.monitor if known else None)
        is_new = known is None and not self._is_full() and self.wants(owner)
        watched = self._add(label) if is_new else watched
        if watched is None:
            self.changed.update(self.chapters())
            return 0
        watched.monitor.flush()
        panes = watched.monitor.put_back(held, shift_s, now)
        watched.taken[0] = 1
        if is_new and not panes:
            del self._watched[label]
        elif is_new:
            self._is_back(watched)
        self._last = None
        self.changed.add(watched.title)
        return panes

    def returning(self, label: Label) -> Watched | None:
        """Who is called so, as an earlier run or another replica did; None where nobody may be, or half is full."""
        watched = self._watched.get(label)
        room = len(self._watched) - self._advance.idle < max(1, self.most // 2)
        if watched is None and room and self._naming.is_still(label, True, True):
            watched = self._add(label)
            self._is_back(watched)
        return watched

    def _is_back(self, watched: Watched) -> None:
        watched.named[:] = 1
        self._naming.recall(watched)
        self._naming.know(self)
        self._last = None

    def _of(self, owner: Owner) -> Watched | None:
        watched = self._watched.get(Label(owner.model, owner.version))
        return watched if watched and watched.profile and watched.profile.digest == owner.profile else None
