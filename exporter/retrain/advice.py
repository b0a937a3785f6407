"""What to do about what was found of a model: train it again, think it over, repair what feeds it, or wait and see.

Training again helps where the world has moved and the data show it. It does not where the data are wrong, which would
then be trained on; nor where the model was never as good here as in training, which another one made the same way will
not be either. Inputs that moved are no harm by themselves: most models are as good after it.
"""

from typing import Final, NamedTuple

from exporter.retraining import FIX, RETRAIN, REWORK

WATCH: Final = ""
"""Advice to wait and see: nobody is asked."""


class Facts(NamedTuple):
    """What is known of one model at a moment. None is what nobody knows."""

    drift: bool
    """Whether there is evidence that inputs or predictions moved."""
    worse: bool | None
    """By truths: whether it is wrong more often than in training."""
    estimated_worse: bool | None = None
    """The same by its scores alone."""
    ever_good: bool | None = None
    """Whether it was ever seen to be as good as in training, since it is watched."""
    faults: tuple[str, ...] = ()
    """Sentences of what is wrong with the data."""
    provisional: bool = False
    """Whether it is compared with live traffic, as there is no profile of the training data."""


class Advised(NamedTuple):
    """What to do."""

    advice: str
    """Of `retraining.ADVICE`, or WATCH."""
    why: str


def advise(facts: Facts) -> Advised:
    """The first of these that is true."""
    if facts.faults:
        return Advised(FIX, f"the data look broken, and a model trained on them would be: {facts.faults[0]}")
    if facts.worse:
        return _of_worse(facts)
    if facts.estimated_worse and facts.worse is None:
        return Advised(RETRAIN, "its own scores say that it is worse than in training; no truth contradicts them yet")
    if not facts.drift:
        return Advised(WATCH, "nothing moved, and nothing says that it is worse than in training")
    return _of_moved(facts)


def _of_moved(facts: Facts) -> Advised:
    """Where the traffic has moved, and the model is not known to be worse."""
    if facts.provisional:
        return Advised(WATCH, "live traffic moved away from earlier traffic; of the training data nothing is known")
    if facts.worse is False:
        return Advised(WATCH, "the traffic moved, and truths show the model as good as in training")
    if facts.estimated_worse is False:
        return Advised(WATCH, "the traffic moved, and by its own scores the model is as good as in training")
    return Advised(RETRAIN, "the traffic moved away from the training data; whether the model is worse, nobody knows")


def _of_worse(facts: Facts) -> Advised:
    if facts.ever_good is False:
        return Advised(
            REWORK,
            "as long as it is watched here it was never as good as in training: one made the same way will not be",
        )
    if facts.drift:
        return Advised(RETRAIN, "the traffic moved away from the training data, and the model is wrong more often")
    return Advised(RETRAIN, "the traffic looks as in training, and the model is wrong more often: of the same inputs"
                            " something else comes now, which recent truths say and older ones contradict")  # fmt: skip
