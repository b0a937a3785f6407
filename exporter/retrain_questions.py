"""What people ask about asking for a retraining, and the families that answer it; see `questions`."""

from typing import Final

from exporter import catalogue as c
from exporter.asked import Section, asked

RETRAINING: Final = Section("Whether to train again", (
    asked(
        "Has anybody been asked to train the model again, when, and with what advice?",
        c.RETRAIN.state, c.RETRAIN.asked, c.RETRAIN.advice,
    ),
    asked("How near is it to that?", c.RETRAIN.ratio, c.RETRAIN.held),
    asked(
        "Did the events arrive?",
        c.RETRAIN.events, c.RETRAIN.waiting, c.RETRAIN.retries, c.RETRAIN.failures,
    ),
    asked("Why was nobody asked?", c.RETRAIN.suppressed, c.RETRAIN.alerts),
))  # fmt: skip
