"""Provisional references: what a model without a profile is fed and answers at first is what it is compared with later.

Rows of requests that were answered are collected for each model and version on its own, until there are enough or they
are long enough ago; then they are one more profile, marked as provisional, and nothing that comes later changes it.
Only what the windows would count is collected: no request that failed, nothing of the model `_other`.
"""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from exporter.calibration.reference_error import reference_error
from exporter.errors import DataError
from exporter.monitor.collecting import Budget, Form, Side
from exporter.profile import document
from exporter.profile.parsing import Fault, stamp
from exporter.records import Exchange, Label, Observation, Table
from exporter.reference import Column, Profile
from exporter.sections import Provisional
from exporter.values import format_duration

_LOG = logging.getLogger("exporter.monitor")
_COLUMNS_AT_ONCE: Final = 2000
"""That all models together may collect; one takes up to 100 kB."""
_COLUMNS_PER_STEP: Final = 8
"""That are made at once: some twenty milliseconds."""
Arrays = Mapping[str, NDArray[Any]]
Keep = Callable[[Label, Profile], None]


class References(Protocol):
    """Where provisional references are put."""

    def provisional(self, label: Label) -> Profile | None:
        """The one of a model's version, in force or not."""

    def put(self, label: Label, profile: Profile) -> None:
        """Have one from now on."""

    def drop(self, label: Label) -> None:
        """Have none any more."""


class _Collecting:
    """The first rows of one model and version."""

    def __init__(self, settings: Provisional, budget: Budget, exchange: Exchange) -> None:
        self.features = Side("x", settings.max_columns, budget)
        self.outputs = Side("prediction", settings.max_columns, budget)
        self.began_s = exchange.ended_ns / 1e9
        self.first_wall_ns = self.last_wall_ns = exchange.wall_ns
        self.steps: Iterator[Profile | None] | None = None
        """The profile in the making; None as long as rows are collected."""

    @property
    def rows(self) -> int:
        """Of features, or of answers where these are all there is."""
        return self.features.rows or self.outputs.rows

    def add(self, exchange: Exchange, observation: Observation) -> None:
        """Take both sides of an exchange, as far as they were decoded."""
        if isinstance(observation.features, Table):
            self.features.add(observation.features, exchange.request.size)
        if isinstance(observation.predictions, Table):
            self.outputs.add(observation.predictions, exchange.response.size)
        self.last_wall_ns = max(self.last_wall_ns, exchange.wall_ns)

    def close(self) -> None:
        self.features.close()
        self.outputs.close()


class Provisionals:
    """The provisional references of all models, made and in the making."""

    def __init__(
        self, settings: Provisional, references: References, kept: Arrays,
        hide: Callable[[Profile], Profile] = lambda profile: profile,
    ) -> None:  # fmt: skip
        """`kept` are the arrays of a predecessor, whose references go on as they are.

        `hide` is what becomes of a reference before anybody sees it, of one that it was done to nothing.
        """
        self._settings = settings
        self._hide = hide
        self._references = references
        self._budget = Budget(_COLUMNS_AT_ONCE)
        self._collecting: dict[Label, _Collecting] = {}
        self._given_up: set[Label] = set()
        self._kept: dict[Label, NDArray[np.uint8]] = {}
        self.changed = False
        """Whether `arrays` may differ from what was kept last; whoever keeps them clears it."""
        self._keep: Keep | None = None
        if settings.enable:
            for title, text in kept.items():
                self._resume(Label(*json.loads(title)), text.tobytes())

    def _resume(self, label: Label, text: bytes) -> None:
        try:
            self.put(label, document.loads(text, "ledger"))
        except DataError as error:  # of a predecessor of another version
            _LOG.error("the provisional reference of %r, version %r, begins anew: %s", *label, error)

    def keep_in(self, keep: Keep) -> None:
        """Have `keep` told what there is and what will be made, to put it where it outlives us."""
        self._keep = keep
        for label in self._kept:
            profile = self._references.provisional(label)
            if profile is not None:
                keep(label, profile)

    def arrays(self) -> Arrays:
        """What must be kept: the references that were made, by model."""
        return {json.dumps(label): text for label, text in self._kept.items()}

    # in

    def observe(self, label: Label, exchange: Exchange, observation: Observation) -> None:
        """Take an exchange of a model that has no profile."""
        if not self._settings.enable or (exchange.status and not 200 <= exchange.status < 300):
            return
        if not isinstance(observation.features, Table) and not isinstance(observation.predictions, Table):
            return
        collecting = self._collecting.get(label)
        if collecting is None:
            if label in self._given_up:
                return
            collecting = self._begin(label, exchange)
        if collecting.steps is None:
            collecting.add(exchange, observation)

    def _begin(self, label: Label, exchange: Exchange) -> _Collecting:
        settings = self._settings
        _LOG.info(
            "the model %r, version %r, has no profile: its first %d rows, or those of its first %s, become a"
            " provisional reference", *label, settings.rows, format_duration(settings.period),
        )  # fmt: skip
        collecting = self._collecting[label] = _Collecting(settings, self._budget, exchange)
        return collecting

    def progress(self, labels: Iterable[Label]) -> dict[tuple[str, str], int]:
        """Rows that models without a profile have so far, by label; empty where none are collected at all."""
        if not self._settings.enable:
            return {}
        return {label: self._collecting[label].rows if label in self._collecting else 0 for label in labels}

    # over time

    def advance(self, now: float) -> bool:
        """Make what is due, a little at a time; whether there is something new to be kept.

        `now` in seconds of the exchanges' monotonic clock.
        """
        for label, collecting in self._collecting.items():
            if collecting.steps is None and self._is_due(collecting, now):
                collecting.steps = _made(label, collecting)
            if collecting.steps is not None:
                return self._step(label, collecting, collecting.steps)
        return False

    def _is_due(self, collecting: _Collecting, now: float) -> bool:
        rows, settings = collecting.rows, self._settings
        return rows >= settings.rows or (rows >= settings.minimum_rows and now - collecting.began_s >= settings.period)

    def _step(self, label: Label, collecting: _Collecting, steps: Iterator[Profile | None]) -> bool:
        try:
            profile = next(steps)
        except StopIteration:
            return False
        except (Fault, ValueError) as error:
            self._end(label)
            self._given_up.add(label)
            _LOG.error("no provisional reference of the model %r, version %r, can be made: %s", *label, error)
            return False
        if profile is None:
            return False
        left_out = [form.left_out for side in (collecting.features, collecting.outputs) if (form := side.chosen)]
        profile = self._hide(profile)
        self.put(label, profile)
        _tell(label, profile, sum(left_out))
        if self._keep:
            self._keep(label, profile)
        return True

    def _end(self, label: Label) -> None:
        collecting = self._collecting.pop(label, None)
        if collecting is not None:
            collecting.close()

    def put(self, label: Label, profile: Profile) -> None:
        """Have a reference that was made here, or that somebody has kept."""
        self._end(label)
        profile = self._hide(profile)
        text = document.written(document.describe(profile)).encode()
        self._kept[label] = np.frombuffer(text, np.uint8)
        self.changed = True
        self._references.put(label, profile)

    def drop(self, label: Label) -> None:
        """Begin anew."""
        self._given_up.discard(label)
        self._kept.pop(label, None)
        self.changed = True
        self._references.drop(label)

    def end(self, label: Label, profile: Profile | None, fits: bool) -> bool:
        """A model has come by a profile, or lost its provisional one: whether that may stay so.

        What was collected is of no use any more. A provisional reference whose windows do not fit into memory may not.
        """
        self._end(label)
        if fits or profile is None or not profile.provisional:
            return True
        self.drop(label)
        self._given_up.add(label)
        _LOG.error("no room for the windows of a provisional reference of the model %r, version %r", *label)
        return False


def _made(label: Label, collecting: _Collecting) -> Iterator[Profile | None]:
    """The profile, in the end: None before it, after so many columns each. Fault, ValueError where it cannot be."""
    sides: list[tuple[Column, ...]] = []
    for form in (collecting.features.chosen, collecting.outputs.chosen):
        found: list[Column] = []
        for made, columns in enumerate(_columns(form), 1):
            found += [replace(one, reference_error=reference_error(np.array(one.counts))) for one in columns]
            if made % _COLUMNS_PER_STEP == 0:
                yield None
        sides.append(tuple(found))
    first, last = stamp(collecting.first_wall_ns // 10**9), stamp(collecting.last_wall_ns // 10**9)
    profile = Profile(
        model=label.model, version=label.version, trained_at=None, rows=collecting.rows,
        source=f"live traffic from {first} to {last}", features=sides[0], outputs=sides[1], provisional=True,
        fields=_fields(collecting.features.chosen, sides[0]),
    )  # fmt: skip
    yield document.parse(document.describe(profile))


def _fields(form: Form | None, columns: tuple[Column, ...]) -> tuple[str, ...]:
    """What payloads have, where that are not the columns: of arrays without names all places, watched or not."""
    watched = tuple(dict.fromkeys(column.field for column in columns))
    fields = form.places if form is not None and form.places else watched
    return () if fields == tuple(column.name for column in columns) else fields


def _columns(form: Form | None) -> Iterator[tuple[Column, ...]]:
    return iter(()) if form is None else form.columns()


def _tell(label: Label, profile: Profile, left_out: int) -> None:
    _LOG.warning(
        "the model %r, version %r, is compared with its own first %d rows from now on (provisional reference %s, %s)."
        " Give it a profile of its training data to take their place: inference-exporter profile build",
        *label, profile.rows, profile.short_digest, profile.source,
    )  # fmt: skip
    if left_out:
        _LOG.warning("it leaves out %d columns or more: provisional.max_columns is reached", left_out)
