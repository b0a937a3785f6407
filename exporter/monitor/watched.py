"""One model and version that is watched: its monitor, and what must be kept of it."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.diagnosis.changes import Changes
from exporter.monitor import Monitor
from exporter.performance.deduced import in_words
from exporter.records import Label, Observation
from exporter.reference import Profile
from exporter.snapshots import Snapshot
from exporter.truths import Owner, Prediction
from exporter.versioned import SHADOW

_LOG = logging.getLogger("exporter.monitor")
Arrays = Mapping[str, NDArray[Any]]
SERIES: Final = "model"
"""What the names of arrays begin with that are of one model; all others are added up over models."""
_JUDGED: Final = f"{SERIES}.performance."
NAMED_MODEL, NAMED_VERSION = 0, 1
NAMED: Final = "named"
_COPIES: Final = 2
"""The live arrays, and those in the ledger."""
_MEMORY_SHARE: Final = 2
"""One part in so many of the analyser's memory may be arrays; payloads, pages and files need the rest."""


class Shown(NamedTuple):
    """One model of a page."""

    label: Label
    profile: Profile | None
    snapshot: Snapshot
    visible: bool
    """Whether it has series of its own; what is added up over models counts in any case."""

    @property
    def is_served(self) -> bool:
        """Whether it is shown, and not as copies of requests whose answers nobody gets."""
        found = self.snapshot.versioned
        return self.visible and (found is None or found.role != SHADOW)


class Watched:
    """A monitor under the name of its model."""

    __slots__ = (
        "_make", "_opened", "_unopened", "arrays", "changes", "label", "monitor", "named", "profile", "taken", "title",
    )  # fmt: skip

    def __init__(self, label: Label, profile: Profile | None, make: Callable[[Profile | None], Monitor]) -> None:
        self.label = label
        self.title = title(label)
        self._make = make
        self.changes = Changes()
        """What was changed of late that may have to do with a drift."""
        self.named: NDArray[np.int64] = np.zeros(2, np.int64)
        """Whether the traffic named the model, and the version: 0 or 1 each."""
        self._opened: list[Prediction] = []
        self._unopened = 0
        self._begin(profile)

    def _begin(self, profile: Profile | None) -> None:
        self.profile = profile
        self.monitor = self._make(profile)
        self.monitor.changes = self.changes
        self.taken: NDArray[np.int64] = np.zeros(1, np.int64)
        """1 from when the windows have what an earlier run kept of them, or there was nothing."""
        if self.monitor.unreadable:
            _LOG.warning(
                "%d columns of the profile of %r are hashed under a salt that salt_file does not hold: not scored",
                self.monitor.unreadable, self.label.model,
            )  # fmt: skip
        digest = profile.digest if profile else "none"
        self.arrays: Arrays = {NAMED: self.named, f"{SERIES}.{digest}.taken": self.taken,
                               **self.monitor.arrays(SERIES)}  # fmt: skip

    def greet(self, advice: str, otherwise: str) -> None:
        """Say that it is watched from now on.

        `advice` is what to do where it lacks a profile, `otherwise` what the one that it took calls it.
        """
        model, version = self.label
        if otherwise:
            _LOG.warning(
                "the traffic names the model %r, the profile %r: it has the same columns and is compared with it",
                model, otherwise,
            )  # fmt: skip
        elif advice:
            _LOG.warning(
                "the traffic names the model %r (version %r), for which there is no profile: nothing of it is scored."
                " %s", model, version, advice,
            )  # fmt: skip
        else:
            _LOG.info("watching the model %r, version %r", model, version)

    @property
    def idle(self) -> bool:
        """Whether it has not counted one request."""
        self.monitor.flush()
        return not self.arrays[f"{SERIES}.traffic.codes"].any()

    @property
    def size(self) -> int:
        """Bytes of its arrays."""
        return sum(array.nbytes for array in self.arrays.values())

    def load(self, kept: Arrays) -> None:
        """Go on with what was kept under the same names and in the same shapes; all else begins anew."""
        exact = True
        for name, array in self.arrays.items():
            old = kept.get(name)
            if old is not None and (old.dtype, old.shape) == (array.dtype, array.shape):
                array[...] = old
            else:
                exact = False
        if not exact:  # windows of another length lack what a file may have
            self.taken[0] = 0
        self._tell_of_another_task(kept)

    def _tell_of_another_task(self, kept: Arrays) -> None:
        before, now = ({name for name in one if name.startswith(_JUDGED)} for one in (kept, self.arrays))
        if before and now and not before & now and self.monitor.performing:
            task = in_words(self.monitor.performing.task)
            _LOG.warning("the model %r, version %r, predicts otherwise than before: %s; its performance begins anew",
                         *self.label, task)  # fmt: skip

    def absorb(self, kept: Arrays) -> None:
        """Add what is no model's own of one that is watched no longer, so that sums over models do not go back."""
        for name, old in kept.items():
            own = self.arrays.get(name)
            shared = name != NAMED and not name.startswith(f"{SERIES}.")
            if shared and own is not None and (old.dtype, old.shape) == (own.dtype, own.shape):
                own += old

    def refer(self, profile: Profile | None) -> None:
        """Compare with another reference from now on, or none: requests go on, bins and windows begin anew."""
        self.monitor.flush()
        self._collect()
        before, was = self.arrays, self.profile
        self._begin(profile)
        self.load(before)
        told = profile.short_digest if profile else "none"
        if was and was.provisional and not (profile and profile.provisional):
            _LOG.warning("the model %r, version %r, has the profile %s in place of its provisional reference %s",
                         *self.label, told, was.short_digest)  # fmt: skip
        else:
            _LOG.info("the model %r, version %r, has the profile %s", *self.label, told)

    def opened(self) -> tuple[list[Prediction], int]:
        """Predictions that wait for their truth from now on, and how many more there was no room for; call `flush`."""
        self._collect()
        found, self._opened = self._opened, []
        dropped, self._unopened = self._unopened, 0
        return found, dropped

    def _collect(self) -> None:
        performing = self.monitor.performing
        if performing:
            owner = Owner(*self.label, performing.task.written)
            found, dropped = performing.take()
            self._opened += [Prediction(one.key, owner, one.at_ms, one.content) for one in found]
            self._unopened += dropped


Found = tuple[Watched, Observation]
"""Whose an exchange is, and what was decoded of it as it is called here."""


def bare(snapshot: Snapshot) -> Snapshot:
    """Of requests, without one prediction: whatever else there is to say is said under another name."""
    nothing = dict.fromkeys(("features", "outputs", "failed", "segments", "evidence", "grouped", "aged"))
    return replace(snapshot, **nothing)  # type: ignore[arg-type]  # they may all be None


def are_small(watched: Iterable[Watched], memory_limit: int) -> bool:
    """Whether an analyser that may have so much memory has enough for all of these."""
    return sum(one.size for one in watched) * _COPIES <= memory_limit // _MEMORY_SHARE


def title(label: Label) -> str:
    """A label as the name of its chapter."""
    return json.dumps(label)


def untitled(text: str) -> Label:
    """The label of a chapter."""
    return Label(*json.loads(text))
