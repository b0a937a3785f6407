"""Section of the settings about how old a model is: since when it is deployed, and how often it is trained anew.

What is said of models is one value for all of them, or a mapping by the model's name with `*` for all others. As in
`config`, which puts the section in its place.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from exporter.keys import setting
from exporter.values import Fault, duration, format_duration, number

ANY: Final = "*"
"""The key of what holds for models that are not named."""
_DAY_S: Final = 86400.0
_LATEST_S: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
ByModel = tuple[tuple[str, float], ...]
"""Name of a model, or ANY, and what is said of it."""


def moment(value: object) -> float:
    """Unix time from a date and time of RFC 3339, with UTC where it names no offset, or from a Unix time as it is.

    YAML without quotes has made a date of it already.
    """
    if isinstance(value, date):
        value = value.isoformat()
    try:
        seconds = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        seconds = math.nan
    except ValueError:
        seconds = _read(str(value))
    if not 0 < seconds < _LATEST_S:
        raise ValueError(f"must be a time such as 2026-03-01T12:00:00Z, or a Unix time in seconds, not {value!r}")
    return seconds


def _read(text: str) -> float:
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan


def by_model(parse: Callable[[object], float]) -> Callable[[object], ByModel]:
    """Of every model what `parse` makes of one value, of a mapping, or of its JSON text; Fault names the model."""

    def parse_all(value: object) -> ByModel:
        found = _mapping(value)
        if found is None:
            return ((ANY, parse(value)),)
        return tuple(_named(name, one, parse) for name, one in found.items())

    return parse_all


def _mapping(value: object) -> Mapping[object, object] | None:
    """By model; None where one value is meant for all."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError('must be one value, or JSON such as {"MODEL": ..., "*": ...}') from None
    if isinstance(value, list | tuple):  # as it travels to child processes
        try:
            return dict(value)
        except (TypeError, ValueError):
            raise ValueError("must be one value, or a mapping by model") from None
    return value if isinstance(value, Mapping) else None


def _named(name: object, value: object, parse: Callable[[object], float]) -> tuple[str, float]:
    if not isinstance(name, str) or not name:
        raise ValueError(f"must have names of models as its keys, not {name!r}")
    try:
        return name, parse(value)
    except ValueError as error:
        raise Fault(name, str(error)) from None


def of(said: ByModel, model: str) -> float | None:
    """What is said of one model; None where nothing is."""
    found = dict(said)
    return found.get(model, found.get(ANY))


@dataclass(frozen=True, slots=True)
class Staleness:
    """How old a model may become."""

    deployed_at: tuple[tuple[str, float], ...] = setting(
        (),
        "Since when the model is deployed: a time of RFC 3339, or a Unix time; or a mapping by model with * for the"
        " others, which is JSON outside of this file. Since its first answer here where left out.",
        by_model(moment),
        "{}",
    )
    retrain_every: tuple[tuple[str, float], ...] = setting(
        (),
        "How often the model is to be trained anew, such as 90d, from its training or else its deployment on; or a"
        " mapping by model with * for the others, which is JSON outside of this file.",
        by_model(duration),
        "{}",
    )
    trend: float = setting(
        90 * _DAY_S,
        "How far back errors are followed, day by day, for their trend; of a shorter time in ninetieths of it.",
        duration,
        "90d",
    )
    tolerance: float = setting(
        0.1,
        "By how much of the training's value a mean error of numbers may be larger before the model is due for"
        " training; of classes and rankings performance.tolerance holds.",
        number(0.0, 10.0),
    )

    def refuse_shorter(self, pane_s: float) -> None:
        """ValueError where the trend would have no panes."""
        if self.trend < pane_s:
            raise ValueError(
                f"staleness.trend: {format_duration(self.trend)} is shorter than windows.pane"
                f" ({format_duration(pane_s)})"
            )
