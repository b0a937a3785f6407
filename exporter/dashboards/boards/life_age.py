"""Of the life board: how old the model and what it was trained on are."""

from collections.abc import Iterator

from exporter import catalogue as c
from exporter.dashboards.looks import PLAIN
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import of


def panels() -> Iterator[Panel]:
    """When it was trained, and on what."""
    unknown = {"noValue": "the profile does not say"}
    small = {"colorMode": "none"}
    yield Panel("stat", "Trained", "When the model was trained, as its profile says.", "dateTimeFromNow",
                [Query(f"max({of(c.TRAINED)}) * 1000", instant=True)], 12, 5, PLAIN | unknown, small)  # fmt: skip
    yield Panel("stat", "Newest row it was trained on", "What came into the world since then, the model has never"
                " seen.", "dateTimeFromNow", [Query(f"max({of(c.PROFILE_TIME)}) * 1000", instant=True)], 12, 5,
                PLAIN | unknown, small)  # fmt: skip
