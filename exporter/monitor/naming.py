"""Whose an exchange is, by what the operator says, what the traffic names, and what the profile says.

Settings win. What names no model is of the only model that traffic named, if it is one, and else of the one that the
profile names, or `default`. What names no version is of the version that the model's traffic named last, and else of
the profile's, or `unknown`.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from exporter import locations
from exporter.identity import Model
from exporter.monitor.shadows import Served, shadow_of
from exporter.monitor.watched import NAMED_MODEL, NAMED_VERSION, Watched
from exporter.records import Label, Observation
from exporter.reference import DEFAULT
from exporter.references import References
from exporter.rollout import NO_VERSIONS, SUFFIX, Versions

OTHER: Final = "_other"
"""The model of all exchanges whose own is not watched."""
_LONGEST: Final = 128


class Naming:
    """What exchanges are called."""

    def __init__(self, given: Model, references: References, versions: Versions = NO_VERSIONS) -> None:
        """`versions` says what shadow traffic is, if there may be any."""
        self._has_shadows = versions.shadow is not None
        self._model = given.name
        self._version = given.version
        self.references: References = Served(references) if versions.shadow else references
        """Of versions by what they are called here."""
        self._only = ""
        """The one model that traffic has named so far; empty where there is none, or several."""
        self._last: dict[str, str] = {}
        """By model, the version that was named last."""

    @property
    def in_advance(self) -> Label:
        """Whose exchanges are, as far as that is known before the first one."""
        model = self._model or self.references.model
        return Label(model, self._version or self.references.version_of(model))

    @property
    def is_named(self) -> bool:
        """Whether settings or the profile name the model."""
        return self._model is not None or self.references.model != DEFAULT

    def label(self, observation: Observation) -> Label:
        """Whose an exchange is."""
        model = self._model or observation.model or self._nameless()
        version = self._version or observation.version or self._last.get(model)
        label = Label(model, version or self.references.version_of(model))
        return shadow_of(label) if observation.shadow else label

    def is_shadow(self, label: Label) -> bool:
        """Whether copies of requests are called so."""
        return self._has_shadows and label.version.endswith(SUFFIX)

    def _nameless(self) -> str:
        named = self.references.model
        return (self._only or named) if named == DEFAULT else named

    def served(self, all_watched: Iterable[Watched]) -> Iterator[Watched]:
        """Those that answer somebody."""
        return (one for one in all_watched if not self.is_shadow(one.label))

    def heard(self, watched: Watched, observation: Observation) -> None:
        """Remember what the traffic of a model that is watched has named; copies name no version for the others."""
        if observation.version and not self._version:
            if not observation.shadow:
                self._last[watched.label.model] = watched.label.version
            watched.named[NAMED_VERSION] = 1
        if observation.model and not self._model:
            watched.named[NAMED_MODEL] = 1

    def know(self, all_watched: Iterable[Watched]) -> None:
        """Take in which models there are."""
        named = {one.label.model for one in all_watched if one.named[NAMED_MODEL]}
        self._only = named.pop() if len(named) == 1 else ""

    def recall(self, watched: Watched) -> None:
        """Go on with what was heard of a model before."""
        if watched.named[NAMED_VERSION] and not self.is_shadow(watched.label):
            self._last[watched.label.model] = watched.label.version

    def is_still(self, label: Label, named_model: bool, named_version: bool) -> bool:
        """Whether an exchange may be called so, of which traffic named that much."""
        known = self.in_advance.model
        model = label.model == known or (named_model and self._model is None)
        version, own = self._version or self.references.version_of(label.model), label.version
        own = own.removesuffix(SUFFIX) if self.is_shadow(label) else own
        return model and (own == version or (named_version and self._version is None))

    def advice(self, model: str, profiles: str) -> str:
        """What to do where `profiles`, as in the settings, have none for a model that the traffic names."""
        place = locations.parse(profiles)
        profiles = place.shown
        if self.references.model == DEFAULT:  # a file that names no model is for all of them
            is_one = place.scheme != locations.FILE or place.is_template or profiles.endswith(".json")
            names = "" if is_one else ", as {model}/{version}.json or {model}.json"
            return f"Put one into {profiles}{names}"
        return f"If it is the one of {profiles}, set model.name to {model!r}"


def is_name(text: str) -> bool:
    """Whether a name from the traffic can be a label: short, printable, and not one of ours."""
    return len(text) <= _LONGEST and text.isprintable() and text != OTHER
