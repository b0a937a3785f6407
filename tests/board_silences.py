"""Which queries of the dashboards find nothing in which state, and why: whatever is not listed finds something."""

from collections.abc import Iterable, Mapping
from typing import Final

from board_asking import Answer
from board_worlds import BROKEN, DRIFTED, HEALTHY, ROLLED

Queries = tuple[str, ...]
"""Panels or annotations, `board: title`, or one query of them: `board: title, letter`. `*: title` is on every board."""
SILENT: Final[Mapping[str, Mapping[str, Queries]]] = {
    HEALTHY: {},
    DRIFTED: {},
    ROLLED: {},
    BROKEN: {},
}
"""By state, reason by reason."""
SOMETIMES: Final[Queries] = ()
"""Of these, what may find something, by chance."""
NEVER: Final[Mapping[str, str]] = {}
"""What finds nothing in any of these worlds, and whose test has it."""


def why(answer: Answer) -> str:
    """The reason why it may find nothing; empty where there is none."""
    reasons = SILENT[answer.state].items()
    return next((reason for reason, queries in reasons if _means(queries, answer)), NEVER.get(answer.query, ""))


def mistaken(answers: Iterable[Answer]) -> set[str]:
    """What is said to find nothing, and does."""
    return {str(one) for one in answers if one.series and why(one) and not _means(SOMETIMES, one)}


def strange(queries: set[str]) -> set[str]:
    """What the table says of queries that nobody asks."""
    listed = {name for reasons in SILENT.values() for names in reasons.values() for name in names}
    there = {name for query in queries for name in _names(query)}
    return (listed | {*SOMETIMES} | {*NEVER}) - there


def _means(queries: Queries, answer: Answer) -> bool:
    return not _names(answer.query).isdisjoint(queries)


def _names(query: str) -> set[str]:
    panel = query.rpartition(", ")[0]
    return {query, panel, f"*: {panel.partition(': ')[2]}"}
