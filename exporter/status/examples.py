"""Rows that failed a check, as the page has them."""

from collections.abc import Mapping

from exporter.config import Settings
from exporter.status.facts import ExampleFacts, ExampleFlag
from exporter.status.view import View
from exporter.status.wording import text
from exporter.witnessed import Example


def of(view: View, settings: Settings) -> tuple[ExampleFacts, ...] | None:
    """The newest first; None where settings show none."""
    if not settings.examples.enable:
        return None
    return tuple(map(_fact, view.page.examples.get(view.key, ())))


def _fact(one: Example) -> ExampleFacts:
    flags = tuple(ExampleFlag(text(column), check) for column, check in one.flags)
    return ExampleFacts(
        one.wall_s, one.code, text(one.request_id), one.trace_id, one.row, flags, _values(one.features),
        _values(one.outputs),
    )  # fmt: skip


def _values(values: Mapping[str, str]) -> Mapping[str, str]:
    return {text(name): text(value) for name, value in values.items()}
