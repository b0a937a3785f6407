"""What the monitor asks of profiles, wherever they come from: which one belongs to which model."""

from typing import Protocol

from exporter.reference import Profile


class References(Protocol):
    """Which profile belongs to which model."""

    @property
    def changes(self) -> int:
        """How often a model came by another profile."""

    @property
    def errors(self) -> int:
        """Files that could not be used."""

    @property
    def model(self) -> str:
        """What the model is called where neither settings nor traffic name it."""

    def of(self, model: str, version: str) -> Profile | None:
        """The profile of a model's version, None where it has none. Any thread may ask."""

    def offered(self, model: str) -> Profile | None:
        """A profile of another name that may be the model's, should its columns be. Any thread may ask."""

    def take(self, model: str) -> None:
        """From now on what was offered is the model's."""

    def leave(self, model: str) -> None:
        """It is not, after all."""

    def version_of(self, model: str) -> str:
        """The version of a model where neither settings nor traffic name it."""
