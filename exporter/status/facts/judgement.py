"""What is said of a model in a word, and why."""

from dataclasses import dataclass

ACT, WATCH, BLIND, LEARNING, HEALTHY = VERDICTS = ("act", "watch", "blind", "learning", "healthy")
"""What is said of a model, the most urgent first: somebody should get up; look in the morning; too little of it is
seen to say; there is not enough yet to compare; nothing is wrong that is looked at."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One of the things that a verdict rests on."""

    code: str
    """The alert that says the same, where there is one: `ModelDrift`; else a word of its own."""
    verdict: str
    """One of VERDICTS: what it would make of the model alone."""
    text: str
    """A sentence."""
    since: float | None = None
    column: str = ""
    """Of what feature or output; empty where it is of the model."""
    runbook: str = ""
    """Where to read on; empty where nothing is written."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be said of one model in a word, and why."""

    verdict: str
    sentence: str
    reasons: tuple[Reason, ...] = ()
    """The most urgent first."""
    unseen: tuple[str, ...] = ()
    """What is not observed, and why, each a sentence."""
