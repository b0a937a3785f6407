"""The story: what happens to the clients and to the model server, chapter by chapter."""

from collections.abc import Callable
from typing import Final, NamedTuple

Row = dict[str, float]

SHORTEST_S: Final = 60.0
"""Below that the minutes of the rules are shorter than a scrape and an evaluation take."""
_MMHG_IN_KPA: Final = 7.50062
_STUCK_AT: Final = 91.0


def as_it_is(row: Row) -> Row:
    """Healthy traffic."""
    return row


def _in_kpa(row: Row) -> Row:
    return row | {"bp": row["bp"] / _MMHG_IN_KPA}


def _without_bmi(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "bmi"}


def _stuck(row: Row) -> Row:
    return row | {"s6": _STUCK_AT}


class Chapter(NamedTuple):
    """A part of the story."""

    minutes: float
    """In the time of the rules: as long as it would take in production."""
    text: str
    change: Callable[[Row], Row] = as_it_is
    """What a client does to each row before it sends it."""
    server: bool = True
    """Whether the model server runs."""


# Long enough, each, for the alerts that belong to it: see `for` and `keep_firing_for` in the rules.
WHOLE: Final = (
    Chapter(50, "healthy traffic, drawn from the training data"),
    Chapter(50, "a client sends blood pressure (bp) in kPa instead of mmHg", _in_kpa),
    Chapter(50, "that is mended, but a pipeline no longer sends the body mass index (bmi)", _without_bmi),
    Chapter(60, "bmi is back; the meter of blood sugar (s6) sticks at 91", _stuck),
    Chapter(40, "all is mended: recovery"),
    Chapter(25, "the model server dies", server=False),
    Chapter(25, "it is started again"),
)
MINUTES: Final = sum(chapter.minutes for chapter in WHOLE)
STORIES: Final = {"whole": WHOLE, "healthy": (Chapter(MINUTES, WHOLE[0].text),)}
