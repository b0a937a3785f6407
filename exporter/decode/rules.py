"""What the operator says about payloads, where they do not say it themselves."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that decoding can be told. The default is to find out."""

    protocols: tuple[tuple[str, str], ...] = ()
    """Patterns of paths with the protocol that is spoken there, the first that fits wins."""
