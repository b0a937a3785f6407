"""What is predicted, and how a prediction and its truth are written for the time in between.

A prediction is a row of float64, little-endian, that are as they were answered: what is made of them later is what
would have been made of the raw rows. Behind them may stand of what it is a part (`monitor.belonging`). A truth is a
scalar of JSON in its one spelling.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.sketch.binning import category_name, truth_name

BINARY, MULTICLASS, REGRESSION, RANKING = "binary", "multiclass", "regression", "ranking"
OTHER: Final = "other"
"""Truths and answers of no class that is known."""
_DIGITS: Final = {"false": "0", "true": "1"}
NUMBER_BYTES: Final = 8
DEEPEST: Final = 1000
"""The longest ranking; what was right farther down was as good as not shown."""


@dataclass(frozen=True, slots=True)
class Task:
    """What one model predicts."""

    kind: str
    """One of `truths.TASKS`."""
    label: str = ""
    """The output that holds the class or the number; empty where scores alone are answered."""
    scores: tuple[str, ...] = ()
    """The outputs that hold the probability of each class; of two classes that of the positive alone."""
    classes: tuple[str, ...] = ()
    """In the order of their codes, 0 first; of two the second is the positive one. Beyond them comes OTHER."""
    threshold: float = 0.5
    centre: float = 0.0
    """Of numbers: what they lie about, and how far, so that sums of them can be whole numbers."""
    unit: float = 1.0
    ranks: int = 10
    """The k of rankings."""

    @property
    def fingerprint(self) -> str:
        """Changes with whatever changes what sums are of."""
        return _digest(self)

    @property
    def written(self) -> str:
        """Changes with whatever changes how a prediction is written: tasks that are alike in it read each other's."""
        return _digest((self.kind, self.label, self.scores, self.classes))

    @property
    def width(self) -> int:
        """Numbers of one prediction: its label (a code, or the number), then its scores."""
        return 1 + len(self.scores)

    @property
    def is_classification(self) -> bool:
        """Whether classes are predicted."""
        return self.kind in {BINARY, MULTICLASS}

    def labels(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Codes of the classes that scores of shape (rows, scores) say; NaN where one is missing."""
        if self.kind == BINARY:
            found = (scores[:, 0] >= self.threshold).astype(np.float64)
        else:
            found = np.nan_to_num(scores, nan=-np.inf).argmax(axis=1).astype(np.float64)
        found[~np.isfinite(scores).all(axis=1)] = np.nan
        return found

    def code(self, name: str | None) -> float:
        """Of a class by its name; OTHER is one more than the last, NaN is missing.

        What two classes that are called `not X` and X do not have is the first of them.
        """
        if name is None:
            return math.nan
        truth = truth_name(name)
        for spelled in (name, truth, _DIGITS.get(truth, name)):
            if spelled in self.classes:
                return float(self.classes.index(spelled))
        return 0.0 if self._is_rest else float(len(self.classes))

    @property
    def _is_rest(self) -> bool:
        """Whether the first class is all that the second is not."""
        return self.kind == BINARY and self.classes[:1] == (rest_of(self.classes[-1]),)

    def truth(self, content: bytes) -> "float | tuple[float, ...] | None":
        """What turned out: a code, a number, of rankings the relevances as shown; None if it cannot be one."""
        value = json.loads(content)
        if self.kind == RANKING:
            return _relevances(value)
        if self.is_classification:
            return None if isinstance(value, list) else self.code(category_name(value))
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _digest(told: object) -> str:
    return hashlib.sha256(repr(told).encode()).hexdigest()[:8]


def _relevances(value: object) -> tuple[float, ...] | None:
    """A list of relevances as shown, or the rank of the one thing that was right, from 1; 0 is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return (*(0.0,) * (value - 1), 1.0) if 0 < value <= DEEPEST else (0.0,)
    return tuple(map(float, value)) if isinstance(value, list) else None


class Rows(NamedTuple):
    """Predictions with their truths."""

    said: NDArray[np.float64]
    """Shape (rows, width): label, then scores; NaN is missing. A label that the scores must say is filled in."""
    true: NDArray[np.float64]
    """Codes or numbers, shape (rows,); of rankings the relevances in the order shown, shape (rows, ranks), NaN beyond
    what was shown."""
    weight: NDArray[np.float64]
    """From 0 on; 1 where nobody said one."""

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.said)


def rest_of(positive: str) -> str:
    """What the other one of two classes is called where nobody knows its name."""
    return f"not {positive}"


def pack(numbers: Sequence[float] | NDArray[np.float64]) -> bytes:
    """A prediction's content."""
    return np.asarray(numbers, "<f8").tobytes()


def pack_all(numbers: NDArray[np.float64], tails: NDArray[np.uint8]) -> bytes:
    """Contents of predictions of shape (rows, width) as one, each with bytes of its own behind it."""
    front = np.frombuffer(pack(numbers), np.uint8).reshape(len(numbers), -1)
    return np.concatenate([front, tails], axis=1).tobytes()


def unpack(contents: Sequence[bytes], width: int) -> NDArray[np.float64]:
    """Numbers of contents as they were packed, shape (rows, width); what may stand behind them is left out."""
    front = b"".join(content[: NUMBER_BYTES * width] for content in contents)
    return np.frombuffer(front, "<f8").reshape(len(contents), width).astype(np.float64)


def canonical(value: object) -> bytes:
    """A truth's content: one spelling for each scalar or list of numbers, so that 1 and 1.0 are the same truth."""
    return json.dumps(_spelled(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _spelled(value: object) -> object:
    if isinstance(value, list):
        return [_spelled(one) for one in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
