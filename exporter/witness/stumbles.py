"""Faults of our own, told once each: an exchange that nobody foresaw must not end the analyser."""

import logging
from typing import Final

_LOG = logging.getLogger("exporter.witness")
_MOST: Final = 20
_told: Final[set[str]] = set()


def tell(error: Exception) -> None:
    """Log it with its trace, if none like it was."""
    words = f"{type(error).__name__} {error.__traceback__.tb_lineno if error.__traceback__ else 0}"
    if words not in _told and len(_told) < _MOST:
        _told.add(words)
        _LOG.error("of a single exchange nothing was kept", exc_info=error)
