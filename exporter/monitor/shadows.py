"""Copies of requests, whose answers nobody gets: who is watched under which name for them.

What a shadow answers is of the version `VERSION-shadow`, so it is added to nothing that was served; it is compared with
the profile of the version that it stands beside.
"""

from exporter.records import Label
from exporter.reference import Profile
from exporter.references import References
from exporter.rollout import SUFFIX


def shadow_of(label: Label) -> Label:
    """What the shadow of a version is called."""
    return Label(label.model, label.version + SUFFIX)


class Served:
    """References of versions by what they are called where they are served."""

    def __init__(self, references: References) -> None:
        self._references = references

    @property
    def changes(self) -> int:
        """How often a model came by another profile."""
        return self._references.changes

    @property
    def errors(self) -> int:
        """Files that could not be used."""
        return self._references.errors

    @property
    def model(self) -> str:
        """What the model is called where neither settings nor traffic name it."""
        return self._references.model

    def of(self, model: str, version: str) -> Profile | None:
        """The profile of a model's version, of a shadow that of the version itself."""
        return self._references.of(model, version.removesuffix(SUFFIX))

    def offered(self, model: str) -> Profile | None:
        """A profile of another name that may be the model's, should its columns be."""
        return self._references.offered(model)

    def take(self, model: str) -> None:
        """From now on what was offered is the model's."""
        self._references.take(model)

    def leave(self, model: str) -> None:
        """It is not, after all."""
        self._references.leave(model)

    def version_of(self, model: str) -> str:
        """The version of a model where neither settings nor traffic name it."""
        return self._references.version_of(model)
