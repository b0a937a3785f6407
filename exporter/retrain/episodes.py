"""When somebody is asked, and how often: once an episode.

An episode begins when something is found and ends when everything has been well for `retrain.reset` without a break: a
finding that comes and goes is one. Between its line and a lower one a finding is neither. Somebody is asked when
something has been found for `retrain.hold` all in all, is found now, and nothing speaks against it. No clock: `now` is
Unix time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from exporter.retrained import COOLING, FIRED, HOLDING, IDLE
from exporter.retraining import Retrain

_LONGEST_GAP_S: Final = 300.0
"""Between two looks: what was in between of a longer one nobody knows."""


@dataclass(slots=True)
class Memory:
    """What is remembered of one model, version and profile. Times are Unix times, 0 for never."""

    began: float = 0.0
    """When the episode did."""
    held: float = 0.0
    """Seconds in which something was found."""
    calm: float = 0.0
    """Seconds for which everything has been well again without a break."""
    found: bool = False
    """Whether something was found at the last look."""
    well: bool = False
    """Whether everything was well then."""
    kinds: list[str] = field(default_factory=list)
    """What was found in this episode."""
    asked: float = 0.0
    """In this episode."""
    last: float = 0.0
    """When somebody was asked last, in whatever episode."""
    advice: str = ""
    """Of that time."""
    dry: bool = False
    """Whether that was only written into the log."""
    good: bool = False
    """Whether the model was ever seen to be as good as in training."""
    looked: float = 0.0
    held_back: list[str] = field(default_factory=list)
    """Why nobody was asked, of this episode: each is counted once."""

    def document(self) -> dict[str, Any]:
        """Plain data."""
        return {name: getattr(self, name) for name in self.__slots__}

    def look(self, now: float, said: Retrain, *, found: bool, well: bool) -> bool:
        """Go on until `now`; whether something is found again in an episode in which somebody was asked."""
        gap_s = min(max(now - self.looked, 0.0), _LONGEST_GAP_S) if self.looked else 0.0
        is_again = found and not self.found and self.asked > 0
        if found:
            self.began = self.began or now
            self.held += gap_s * self.found
        self.calm = self.calm + gap_s * self.well if well else 0.0
        self.found, self.well, self.looked = found, well, now
        if well and self.calm >= said.reset:
            self._end()
        return is_again

    def _end(self) -> None:
        self.began = self.held = self.calm = self.asked = 0.0
        self.held_back, self.kinds = [], []

    def find(self, kinds: Iterable[str]) -> None:
        """These are found: what nobody can look at any more is not over by that."""
        self.kinds += [kind for kind in kinds if kind not in self.kinds]

    def not_later_than(self, now: float) -> None:
        """A clock that was ahead when somebody was asked must not hold back for as long as it was."""
        self.began, self.asked, self.last = min(self.began, now), min(self.asked, now), min(self.last, now)

    def is_due(self, said: Retrain) -> bool:
        """Whether somebody is to be asked, should nothing speak against it."""
        return self.found and not self.asked and self.held >= said.hold

    def hold_back(self, reason: str) -> bool:
        """Whether this is the first time of the episode that nobody is asked for this reason."""
        is_first = reason not in self.held_back
        if is_first:
            self.held_back.append(reason)
        return is_first

    def ask(self, now: float, advice: str, *, dry: bool) -> None:
        """Somebody is asked."""
        self.asked = self.last = now
        self.advice, self.dry = advice, dry

    def forget_dry(self) -> None:
        """What was only written into the log has not been sent: it may be, from now on."""
        if self.dry:
            self.asked = self.last = 0.0
            self.advice, self.dry = "", False

    def state(self, cools: Callable[[], bool]) -> str:
        """One of `retrained.STATES`; `cools` says whether the model's cool-down goes on."""
        if self.asked:
            return FIRED
        if self.began:
            return COOLING if cools() else HOLDING
        return COOLING if cools() else IDLE


def memory_of(document: dict[str, Any]) -> Memory:
    """The inverse of `Memory.document`; what it does not know is passed over. TypeError, ValueError."""
    known = Memory()
    for name, value in document.items():
        if name in Memory.__slots__:
            kind = type(getattr(known, name))
            setattr(known, name, kind(value))
    return known
