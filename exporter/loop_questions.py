"""What people ask about feedback loops, and the families that answer it; see `questions`."""

from typing import Final

from exporter import catalogue as c
from exporter.asked import Question, Section, asked

SECTION: Final = Section("Feedback loops: what points to them", (
    Question("Do predictions become more alike?", (
        c.SPREAD.entropy, c.SPREAD.entropy_critical, c.LOOPS.reference_entropy, c.SPREAD.effective, c.SPREAD.largest,
        c.SPREAD.largest_critical,
    )),
    Question("Of which predictions is the truth told?", (c.LOOPS.coverage, c.LOOPS.predictions, *c.SELECTED)),
    Question("Do inputs follow what was predicted?", (*c.RETURNED, c.LOOPS.info)),
    Question("What turns out where nobody follows the model?", (
        *c.GAP, c.LOOPS.exposed_mean, c.LOOPS.exposed_truths,
    )),
    asked("How much of its training data had the model a hand in?", c.PROFILE_INFLUENCED),
))  # fmt: skip
