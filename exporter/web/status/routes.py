"""The addresses of the API, what each may be asked, and what it answers: of this the document is made, too.

Names of models, versions and columns are any text, so that they are parameters and never part of a path.
"""

import math
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

from exporter.status.facts import STANDINGS, ColumnDetail, ColumnFacts, ModelFacts, Moment, StatusFacts, Trails
from exporter.status.panes import MOST_NAMES
from exporter.status.source import Source
from exporter.web.status.answers import ColumnPage, ModelLine, ModelList
from exporter.web.status.query import Asked, Parameter, Refused, named, shown

_Fact = TypeVar("_Fact")
SIDES: Final = ("feature", "output")
_LATEST: Final = 4_000_000_000
_MOST_PAGES: Final = 1_000_000
_MOST_PER_PAGE: Final = 100

_MODEL: Final = (
    Parameter("model", "The model's name; may be left out where there is one.", {"type": "string"}),
    Parameter("version", "Its version; may be left out where there is one.", {"type": "string"}),
)
_SIDE: Final = Parameter("side", "Features or outputs.", {"type": "string", "enum": SIDES}, default="feature")
_NAMES: Final = Parameter("name", f"A column, up to {MOST_NAMES} times; without, those with most evidence.",
                          {"type": "string"}, most=MOST_NAMES)  # fmt: skip
_OF_COLUMNS: Final = (*_MODEL, _SIDE)


class Question(NamedTuple):
    """What somebody asks, at one moment."""

    source: Source
    now: StatusFacts
    asked: Asked

    def model(self) -> ModelFacts:
        """The one that is meant."""
        asked = {word: self.asked[word] for word in ("model", "version") if self.asked[word] is not None}
        found = [one for one in self.now.models if all(getattr(one, word) == said for word, said in asked.items())]
        if len(found) == 1:
            return found[0]
        there = named(f"{shown(one.model)} {shown(one.version)}" for one in found or self.now.models)
        if found:
            raise Refused(400, f"several models are so, say which by model and version: {there}")
        raise Refused(404, f"no model is so; there are: {there}")

    def columns(self, of: ModelFacts) -> Sequence[ColumnFacts]:
        """All of the side that is meant."""
        found = self.source.columns(of.model, of.version, self.asked["side"])
        if found is None:
            raise Refused(404, "the model is not compared with anything: it has no profile")
        return found

    def names(self, of: ModelFacts) -> Sequence[str]:
        """Of the columns that are meant."""
        said: Sequence[str] = self.asked["name"]
        return said or [one.name for one in islice(self.columns(of), MOST_NAMES)]


class Route(NamedTuple):
    """One address."""

    path: str
    says: str
    """What it is good for, in a line."""
    answers: type
    of: Callable[[Question], Any]
    parameters: Sequence[Parameter] = ()


def _models(question: Question) -> ModelList:
    lines = [ModelLine(one.model, one.version, one.judgement.verdict, one.judgement.sentence)
             for one in question.now.models]  # fmt: skip
    return ModelList(question.now.time, lines)


def _features(question: Question) -> ColumnPage:
    asked, model = question.asked, question.model()
    part, standing = (asked["search"] or "").casefold(), asked["standing"]
    found = [one for one in question.columns(model)
             if part in one.name.casefold() and standing in {None, one.standing}]  # fmt: skip
    page, size = asked["page"], asked["per_page"]
    return ColumnPage(
        question.now.time, model.model, model.version, asked["side"], len(found), page,
        max(1, math.ceil(len(found) / size)), found[(page - 1) * size : page * size],
    )  # fmt: skip


def _feature(question: Question) -> ColumnDetail:
    model, name = question.model(), question.asked["name"]
    return _there(question.source.column(model.model, model.version, question.asked["side"], name), name)


def _trails(question: Question) -> Trails:
    model = question.model()
    names, side = question.names(model), question.asked["side"]
    return _there(question.source.trails(model.model, model.version, side, names), *names)


def _moment(question: Question) -> Moment:
    model = question.model()
    names, side, at = question.names(model), question.asked["side"], question.asked["at"]
    found = question.source.moment(model.model, model.version, side, names, at)
    return _there(found, *names, otherwise=", or nothing is known of that moment")


def _there(found: _Fact | None, *names: str, otherwise: str = "") -> _Fact:
    if found is None:
        raise Refused(404, f"no such column is watched{otherwise}: {named(map(shown, names), 3)}")
    return found


ROUTES: Final = (
    Route("/api/v1/status", "All of the status, but for the columns.", StatusFacts, lambda question: question.now),
    Route("/api/v1/models", "The models that are watched, and what is to be said of each.", ModelList, _models),
    Route("/api/v1/model", "All of one model, but for its columns.", ModelFacts, Question.model, _MODEL),
    Route("/api/v1/features", "A model's columns, those with most evidence first, by pages.", ColumnPage, _features, (
        *_OF_COLUMNS,
        Parameter("search", "What names have in them, in capital letters or not.", {"type": "string"}),
        Parameter("standing", "Only those of which this is said.", {"type": "string", "enum": STANDINGS}),
        Parameter("page", "Which page.", {"type": "integer", "minimum": 1, "maximum": _MOST_PAGES}, default=1),
        Parameter("per_page", "Columns on a page.", {"type": "integer", "minimum": 1, "maximum": _MOST_PER_PAGE},
                  default=50),
    )),
    Route("/api/v1/feature", "All of one column: scores, windows, quality.", ColumnDetail, _feature, (
        *_OF_COLUMNS, Parameter("name", "The column.", {"type": "string"}, required=True),
    )),
    Route("/api/v1/trails", "How columns went, pane by pane, and where they are now.", Trails, _trails,
          (*_OF_COLUMNS, _NAMES)),
    Route("/api/v1/moment", "Columns in the pane of one moment.", Moment, _moment, (
        *_OF_COLUMNS, _NAMES,
        Parameter("at", "The moment, Unix time.", {"type": "number", "minimum": 0, "maximum": _LATEST}, required=True),
    )),
)  # fmt: skip
