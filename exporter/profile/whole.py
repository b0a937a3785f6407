"""What is known of a table as a whole, and of its columns once all is counted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from exporter.calibration.reference_error import reference_error
from exporter.errors import DataError
from exporter.profile import importance
from exporter.profile.clock import MICROSECONDS
from exporter.profile.draft import Draft
from exporter.reference import Column, Profile, TimeSpan


def complete(profile: Profile, weights: Mapping[str, float]) -> Profile:
    """A profile whose counts are final, with what follows from them. ConfigError where `weights` name other features.

    Importance is what `weights` say, else what it was said to be before, else estimated.
    """
    target = profile.target and profile.target._replace(column=_with_errors([profile.target.column])[0])
    features, outputs = _with_errors(profile.features), _with_errors(profile.outputs)
    exact = replace(profile, features=features, outputs=outputs, target=target, digest="")
    if weights:
        return importance.given(exact, weights)
    return exact if exact.importance == importance.GIVEN else importance.estimated(exact)


def _with_errors(columns: Iterable[Column]) -> tuple[Column, ...]:
    return tuple(replace(column, reference_error=reference_error(np.array(column.counts))) for column in columns)


def span(draft: Draft, source: str, column: str, zone: str) -> TimeSpan:
    """When the rows of a table are from. DataError where none says so."""
    first, last = draft.calendar.first, draft.calendar.last
    if first is None or last is None:
        raise DataError(f"{source}: column {column!r} holds no time")
    return TimeSpan(column, zone, first / MICROSECONDS, last / MICROSECONDS)


def influenced(draft: Draft, source: str, name: str) -> float:
    """The share of rows that a flag says true of. DataError where it says anything else than true and false."""
    try:
        (column,) = draft.builders[name].build()
    except ValueError as error:
        raise DataError(f"{source}: {error}") from None
    false, true, *others, _ = column.counts
    if sum(others):
        raise DataError(f"{source}: column {name!r} is neither true, false, 1 nor 0 in {sum(others):,} rows")
    if not false + true:
        raise DataError(f"{source}: column {name!r} holds nothing")
    return true / (false + true)


def notes(draft: Draft) -> Iterator[str]:
    """What people should know about its column of time."""
    if draft.time and draft.calendar.missing:
        yield f"{draft.time.column}: {draft.calendar.missing:,} rows without a time are in no hour"


def require_columns(source: str, names: Sequence[str], fields: Iterable[Sequence[str]]) -> None:
    """DataError where a table lacks one of the profile's columns."""
    for name in (name for group in fields for name in group):
        if name not in names:
            raise DataError(f"{source}: no column {name!r}, which the profile has")
