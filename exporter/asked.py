"""The nouns of what people ask of the catalogue."""

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

from exporter.families import Family


class Question(NamedTuple):
    """A question in a user's words."""

    text: str
    answers: tuple[Family, ...]


class Section(NamedTuple):
    """What is asked of one thing."""

    title: str
    questions: tuple[Question, ...]


def asked(text: str, *answers: Family) -> Question:
    """A question with the families that answer it."""
    return Question(text, answers)


def every(*parts: Family | Iterable[Family]) -> tuple[Family, ...]:
    """Families, one by one or several together, in order."""
    return tuple(chain.from_iterable((part,) if isinstance(part, Family) else part for part in parts))
