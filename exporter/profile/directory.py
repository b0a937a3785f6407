"""Which profile belongs to which model: one for all that may be its, or a directory of them.

In a directory the path says whose a profile is: `{model}/{version}.json`, else `{model}/default.json`, else
`{model}.json`; what it says of its own model is not looked at. Files are looked at every few seconds by a thread of the
directory's own, read where they changed, and never waited for long. What cannot be used changes nothing: the profile
before stays in force, as it does where a file vanishes.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from exporter.errors import ExporterError
from exporter.locations import Location
from exporter.profile import document
from exporter.profile.signature import Signature, signature_of
from exporter.reference import DEFAULT, UNKNOWN, Profile

_LOG = logging.getLogger("exporter.profile")
_LOOK_S: Final = 2.0
_PATIENCE_S: Final = 1.0
"""So long a model that is new waits for its profile, so that its first rows are compared, too."""
_LONGEST_NAME: Final = 128
_MOST_WISHES: Final = 4096


class OneProfile:
    """A profile, or none, for the model that it names, and for any where it names none. It never changes.

    Servers and training jobs often call a model differently. Whoever has the profile's columns may take it.
    """

    changes: Final = 0
    errors: Final = 0

    def __init__(self, profile: Profile | None, given: str | None = None) -> None:
        """`given` is what the operator says that its model is called."""
        self._profile = profile
        self._given = given
        self._taken: set[str] = set()

    @property
    def model(self) -> str:
        """What the profile calls its model."""
        return self._profile.model if self._profile else DEFAULT

    def of(self, model: str, _: str = "") -> Profile | None:
        """The profile, where it may be that model's; any version."""
        named = self.model == DEFAULT or model in {self.model, self._given, DEFAULT}
        return self._profile if named or model in self._taken else None

    def offered(self, model: str) -> Profile | None:
        """The profile, where the model is called otherwise and has not taken it yet."""
        return None if self.of(model) else self._profile

    def take(self, model: str) -> None:
        """The profile is the model's, too."""
        self._taken.add(model)

    def leave(self, model: str) -> None:
        """It is not, after all: nothing is remembered of a model for which there is no room."""
        self._taken.discard(model)

    def version_of(self, model: str) -> str:
        """The version that the profile names."""
        profile = self.of(model)
        return profile.version if profile else UNKNOWN


class Wish(NamedTuple):
    """A model whose profile is wanted."""

    model: str
    version: str


class Found(NamedTuple):
    """What was found for it last."""

    place: str
    signature: object
    """By which it is told whether what is there has changed."""
    profile: Profile | None
    """None where nothing usable is there; that before stays in force."""
    fault: str = ""
    """Why it cannot be used."""


Look = Callable[[Wish, Found | None], Found | None]
"""What is found for a wish now, given what was found last: that itself where nothing has changed."""


class ProfilesByName:
    """Profiles by the names of models. Only models that were asked for are looked after."""

    model: Final = DEFAULT

    def __init__(self, look: Look) -> None:
        self._look_for = look
        self._wishes: dict[Wish, threading.Event] = {}
        """With what is set once they were looked at."""
        self._found: dict[Wish, Found] = {}
        self._is_slow = False
        self._look_now = threading.Event()
        self.errors = 0
        """Profiles that could not be used: files each once until they change, others at each look."""
        self.changes = 0
        """How often a model came by another profile."""
        threading.Thread(target=self._watch, name="profiles", daemon=True).start()

    def of(self, model: str, version: str) -> Profile | None:
        """The profile of a model's version as it is now; one that was never asked for before is waited for, a while."""
        wish = Wish(model, version)
        seen = self._wishes.get(wish)
        if seen is None:
            if len(self._wishes) >= _MOST_WISHES or not _are_names(model, version):
                return None
            seen = self._wishes[wish] = threading.Event()
            self._look_now.set()
        if not seen.is_set() and not self._is_slow:
            self._is_slow = not seen.wait(_PATIENCE_S)
        found = self._found.get(wish)
        return found.profile if found else None

    def offered(self, _: str) -> None:
        """Nothing: the path says whose a profile is."""

    def take(self, model: str) -> None:
        """Nothing was offered."""

    def leave(self, model: str) -> None:
        """Nothing was taken."""

    def version_of(self, _: str) -> str:
        """A version that nobody names has no name here: it is not to change with a file."""
        return UNKNOWN

    # in the thread

    def _watch(self) -> None:
        while True:
            self._look_now.clear()
            for wish, seen in sorted(self._wishes.items(), key=lambda item: item[1].is_set()):
                try:
                    self._look(wish)
                except Exception:  # noqa: BLE001 (whatever it was, the next look may succeed)
                    _LOG.exception("looking for the profile of %r failed", wish.model)
                seen.set()
            self._is_slow = False
            self._look_now.wait(_LOOK_S)

    def _look(self, wish: Wish) -> None:
        before = self._found.get(wish)
        found = self._look_for(wish, before)
        if found is None or found is before:
            return
        old = before.profile if before else None
        if found.fault:
            self.errors += 1
            if before is None or (before.signature, before.fault) != (found.signature, found.fault):
                rest = "the profile before it stays in force" if old else "there is none before it"
                _LOG.error("%s; %s", found.fault, rest)
        elif found.profile and (old is None or old.digest != found.profile.digest):
            self.changes += 1
            old = found.profile
        self._found[wish] = found._replace(profile=old)


def in_directory(path: str) -> ProfilesByName:
    """Those in a directory, the most particular first."""
    directory = Path(path)
    return ProfilesByName(lambda wish, before: _look_among(_places(directory, wish), before))


def at_path(template: Location) -> ProfilesByName:
    """Those at paths with `{model}` and `{version}` in them."""
    return ProfilesByName(lambda wish, before: _look_among((Path(template.of(*wish).text),), before))


def _look_among(paths: tuple[Path, ...], before: Found | None) -> Found | None:
    for path in paths:
        signature = signature_of(path)
        if signature is None:
            continue
        if before is not None and (before.place, before.signature) == (str(path), signature):
            return before
        return _read(path, signature)
    return before


def _read(path: Path, signature: Signature) -> Found:
    try:
        return Found(str(path), signature, document.load(str(path)))
    except ExporterError as error:
        return Found(str(path), signature, None, str(error))


def _places(directory: Path, wish: Wish) -> tuple[Path, Path, Path]:
    own = directory / wish.model
    return own / f"{wish.version}.json", own / "default.json", directory / f"{wish.model}.json"


def _are_names(*words: str) -> bool:
    """Whether these can be names of files in here, and lead nowhere else."""
    return all(
        0 < len(word) <= _LONGEST_NAME and word.isprintable() and "/" not in word and not word.startswith(".")
        for word in words
    )  # fmt: skip
