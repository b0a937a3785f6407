"""What becomes of predictions and truths, by what is known of their keys: the rules of `stores.Store`, once.

No store, no clock: a store reads what it has of the keys in question, lets the rules go over what came, and writes what
they found, all in one transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from exporter.feedback.stores import Limits
from exporter.truths import Owner, Prediction, Told, Truth

SEVERAL: Final = "predictions of several models have this id: say which model it is of"


class Kept(NamedTuple):
    """A prediction that a store has; of one with truth, that too."""

    owner: Owner
    number: int = 0
    """Of `Joined`; 0 while it is open."""
    told_ms: int = 0
    true: bytes = b""
    extra: bytes = b""


class Match(NamedTuple):
    """A prediction that has found its truth just now."""

    key: int
    owner: Owner
    number: int
    told_ms: int
    true: bytes
    extra: bytes


class Matching:
    """What is known of some keys, and what changes of it."""

    def __init__(self, limits: Limits, number: int, kept: Iterable[tuple[int, Kept]], early: Iterable[Truth]) -> None:
        """`number` is the last one that was used; `kept` and `early` are all that there is of the keys."""
        self._limits = limits
        self.number = number
        self._kept: dict[int, dict[Owner, Kept]] = defaultdict(dict)
        for key, one in kept:
            self._kept[key][one.owner] = one
        self._early: dict[int, dict[str, Truth]] = defaultdict(dict)
        for truth in early:
            self._early[truth.key][truth.model] = truth
        self.added: list[Prediction] = []
        self.matches: list[Match] = []
        self.early: list[Truth] = []
        """Truths that wait from now on."""
        self.ended: list[Truth] = []
        """Those that no longer do."""

    def open(self, prediction: Prediction) -> None:
        """Take a prediction, unless it was there before, and join it to the truth that is known already."""
        key, owner = prediction.key, prediction.owner
        if owner in self._kept[key]:
            return
        self.added.append(prediction)
        self._kept[key][owner] = Kept(owner)
        truth = self._waiting(key, owner.model) or self._told_of_another(key, owner)
        if truth is not None:
            self._match(owner, truth)

    def _waiting(self, key: int, model: str) -> Truth | None:
        """An early truth of a model, which has waited long enough."""
        early = self._early[key]
        truth = early.pop(model, None) or early.pop("", None)
        if truth is not None:
            self.ended.append(truth)
        return truth

    def _told_of_another(self, key: int, owner: Owner) -> Truth | None:
        """What all other versions of the same model have as their truth: this one answered the same request."""
        for one in self._kept[key].values():
            if one.number and one.owner.model == owner.model:
                return Truth(key, owner.model, one.told_ms, 0, one.true, one.extra)
        return None

    def tell(self, truth: Truth) -> Told:
        """Take a truth."""
        kept = [one for one in self._kept[truth.key].values() if truth.model in ("", one.owner.model)]
        if len({one.owner.model for one in kept}) > 1:
            return Told("malformed", detail=SEVERAL)
        still_open = [one.owner for one in kept if not one.number]
        for owner in still_open:
            self._match(owner, truth)
        if still_open:
            return Told("matched", tuple(still_open))
        known = [one.true for one in kept] or [one.content for one in self._alike(truth)]
        if known:
            return Told("duplicate" if truth.content in known else "conflicting")
        return self._wait(truth)

    def _alike(self, truth: Truth) -> Iterator[Truth]:
        """Early ones that may be of the same prediction."""
        for model, early in self._early[truth.key].items():
            if "" in (model, truth.model) or model == truth.model:
                yield early

    def _wait(self, truth: Truth) -> Told:
        age_ms = truth.told_ms - truth.predicted_ms if truth.predicted_ms else 0
        if age_ms > self._limits.retention_ms:
            return Told("late")
        if age_ms > self._limits.early_ms:
            return Told("orphan")
        self._early[truth.key][truth.model] = truth
        self.early.append(truth)
        return Told("early")

    def _match(self, owner: Owner, truth: Truth) -> None:
        self.number += 1
        match = Match(truth.key, owner, self.number, truth.told_ms, truth.content, truth.extra)
        self.matches.append(match)
        self._kept[truth.key][owner] = Kept(*match[1:])


def keys_of(ones: Sequence[Prediction] | Sequence[Truth]) -> list[int]:
    """Each key once, in order of size: neighbours lie together."""
    return sorted({one.key for one in ones})
