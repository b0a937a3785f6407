"""Who is asked for facts. Any thread may ask; nobody waits for long, and what was made is made once for each page."""

from collections.abc import Sequence
from typing import Protocol

from exporter.status.facts import ColumnDetail, ColumnFacts, Moment, StatusFacts, Trails


class Source(Protocol):
    """What the web side shows. A method gives None where there is no page yet, or no such model, column or moment."""

    def now(self) -> StatusFacts | None:
        """The whole status, but for the columns."""
        ...

    def columns(self, model: str, version: str, side: str) -> Sequence[ColumnFacts] | None:
        """All of one side that people may see, those with most evidence first, then by how much they moved."""
        ...

    def column(self, model: str, version: str, side: str, name: str) -> ColumnDetail | None:
        """One of them, whole."""
        ...

    def trails(self, model: str, version: str, side: str, names: Sequence[str]) -> Trails | None:
        """The last panes of some columns. TimeoutError where the analyser is too busy to say."""
        ...

    def moment(self, model: str, version: str, side: str, names: Sequence[str], at: float) -> Moment | None:
        """Some columns in the pane that has the moment `at`, Unix time. TimeoutError as above."""
        ...
