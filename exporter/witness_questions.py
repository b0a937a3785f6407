"""What people ask about single exchanges, and the families that answer it; see `questions`."""

from typing import Final

from exporter import catalogue as c
from exporter.asked import Question, asked

WITNESSED: Final[tuple[Question, ...]] = (
    asked("Do spans arrive at their collector?", c.WITNESS.spans_offered, c.WITNESS.spans_exported,
          c.WITNESS.spans_dropped),
    asked("Is the prediction log complete?", c.WITNESS.lines_offered, c.WITNESS.lines_written,
          c.WITNESS.lines_dropped),
)  # fmt: skip
