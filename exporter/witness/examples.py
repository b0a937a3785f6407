"""The last rows of each model that failed a check, for people to look at: in memory alone, and few of them."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from exporter.config import Settings
from exporter.records import Failure, Table
from exporter.reference import Profile
from exporter.scalars.private import Private
from exporter.scalars.salted import Salt
from exporter.witness.fields import Fields, Said
from exporter.witness.naming import ids_shown
from exporter.witness.seeing import Seen
from exporter.witness.traces import Trace
from exporter.witnessed import Example

_LONGEST: Final = 200
"""Characters of a value."""
_MOST_FIELDS: Final = 100
"""Of a row, on each side."""
_MOST_OF_EXCHANGE: Final = 5
"""Rows of one exchange: a batch that is wrong as a whole is no reason to forget all others."""


class Reservoir:
    """Of all models."""

    def __init__(self, settings: Settings, salt: Salt | None, private: Private | None) -> None:
        self._fields = Fields(Said(settings.examples.fields), salt, private)
        self._ids = ids_shown(settings.request_id, self._fields).of_request
        self._most = settings.examples.limit
        self._held: dict[tuple[str, str], deque[Example]] = {}

    def take(self, seen: Seen, trace: Trace | None) -> None:
        """An exchange, some rows of which failed."""
        if not seen.flags:
            return
        by_row: dict[int, list[tuple[str, str]]] = {}
        for flag in seen.flags:
            if not flag.column or self._fields.shows_column(seen.watched.profile, flag.column):
                by_row.setdefault(flag.row, []).append((flag.column, flag.check))
        some = sorted(by_row)[:_MOST_OF_EXCHANGE]
        if not some:
            return
        profile, most = seen.watched.profile, some[-1] + 1
        features = self._rows(seen.decoded.features, profile, "feature", most)
        outputs = self._rows(seen.decoded.predictions, profile, "output", most)
        label = seen.watched.label
        held = self._held.setdefault((label.model, label.version), deque(maxlen=self._most))
        for row in some:
            held.append(Example(
                seen.exchange.wall_ns / 1e9, seen.known.request_id if self._ids else "",
                trace.trace_id if trace else "", seen.exchange.status, row, tuple(by_row[row]),
                _in_words(features, row), _in_words(outputs, row),
            ))  # fmt: skip

    def _rows(
        self, table: Table | Failure | None, profile: Profile | None, side: str, most: int
    ) -> Sequence[Mapping[str, Any]]:
        return self._fields.rows(table, profile, side, most) if isinstance(table, Table) else ()

    def found(self) -> dict[tuple[str, str], tuple[Example, ...]]:
        """By model and version, the newest first."""
        return {key: tuple(reversed(held)) for key, held in self._held.items()}


def _in_words(rows: Sequence[Mapping[str, Any]], row: int) -> Mapping[str, str]:
    if row >= len(rows):
        return {}
    return {name: _word(value) for name, value in list(rows[row].items())[:_MOST_FIELDS]}


def _word(value: object) -> str:
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
