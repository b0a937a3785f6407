"""Which profile counts for a model now: its own, as adoptions have it at this time, or else the provisional one.

A provisional reference never stands in the way of a real one, and waits behind it.
"""

import logging
import math
from collections.abc import Callable
from typing import Final, NamedTuple

from exporter.profile.in_force import in_force, is_in_force, next_expiry
from exporter.profile.veiled import Veils
from exporter.records import Label
from exporter.reference import Profile
from exporter.references import References
from exporter.scalars.private import DENIED, Private

_LOG = logging.getLogger("exporter.profile")
_MOST_KNOWN: Final = 4096


class _Known(NamedTuple):
    """A profile with adoptions, as it is written and as it counts."""

    written: Profile
    counting: Profile


class Standing:
    """The references there are, and those that were made of live traffic."""

    def __init__(self, real: References, clock: Callable[[], float], private: Private | None = None) -> None:
        """`clock` gives Unix time; what is `private` is hidden from whoever asks for a profile."""
        self._real = real
        self._private = private
        self._veils = Veils(private) if private else None
        self._clock = clock
        self._provisional: dict[Label, Profile] = {}
        self._known: dict[str, _Known] = {}
        """By the digest of what is written."""
        self._due = math.inf
        """When the next adoption expires."""
        self._over = -math.inf
        """When the last one did that has: before that moment, should a clock be put back, it counts once more."""
        self._own_changes = 0

    @property
    def changes(self) -> int:
        """How often a model came by another profile; looks whether an adoption has expired."""
        if not self._over <= self._clock() < self._due:
            self._look_again()
        return self._real.changes + self._own_changes

    @property
    def errors(self) -> int:
        """Files that could not be used."""
        return self._real.errors

    @property
    def model(self) -> str:
        """What the model is called where neither settings nor traffic name it."""
        return self._real.model

    def of(self, model: str, version: str) -> Profile | None:
        """What counts for a model's version now, None where it has no profile. Any thread may ask."""
        return self._counting(self._real.of(model, version) or self._provisional.get(Label(model, version)))

    def offered(self, model: str) -> Profile | None:
        """A profile of another name that may be the model's. Any thread may ask."""
        return self._counting(self._real.offered(model))

    def take(self, model: str) -> None:
        """From now on what was offered is the model's."""
        self._real.take(model)

    def leave(self, model: str) -> None:
        """It is not, after all."""
        self._real.leave(model)

    def version_of(self, model: str) -> str:
        """The version of a model where neither settings nor traffic name it."""
        return self._real.version_of(model)

    # provisional ones

    def provisional(self, label: Label) -> Profile | None:
        """The provisional reference of a model's version, be it in force or behind a real one; as it is written."""
        return self._provisional.get(label)

    def put(self, label: Label, profile: Profile) -> None:
        """Have a provisional reference from now on."""
        self._provisional[label] = profile
        self._own_changes += 1

    def drop(self, label: Label) -> None:
        """Have none any more."""
        if self._provisional.pop(label, None):
            self._own_changes += 1

    # adoptions

    def _counting(self, profile: Profile | None) -> Profile | None:
        if profile is not None and profile.adoptions:
            profile = (self._known.get(profile.digest) or self._know(profile, self._clock())).counting
        return self._veils(profile) if profile and self._veils else profile

    def _know(self, profile: Profile, now: float) -> _Known:
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        known = self._known[profile.digest] = _Known(profile, in_force(profile, now))
        over = [one.expires_at for one in profile.adoptions if one.expires_at is not None and one.expires_at <= now]
        self._over = max(self._over, *over, -math.inf)
        self._due = min(self._due, next_expiry(profile, now) or math.inf)
        return known

    def _look_again(self) -> None:
        """Have every profile count as it does now."""
        now = self._clock()
        self._due, self._over = math.inf, -math.inf
        for written, before in list(self._known.values()):
            after = self._know(written, now).counting
            for one in before.adoptions:
                if not is_in_force(one, now):
                    _LOG.warning(
                        "what %s adopted for %s %r of the model %r has expired: its training data count again",
                        one.author, one.side, self._called(one.name), written.model,
                    )  # fmt: skip
            self._own_changes += after.digest != before.digest

    def _called(self, name: str) -> str:
        """What a column is called in the log."""
        shown = self._private.name(name) if self._private else name
        return "a column" if shown == DENIED else shown
