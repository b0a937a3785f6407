"""What OpenTelemetry's variables say to all implementations alike (its specification, `SDK environment variables`).

A value that is none is as good as none, and logged: the specification forbids to fail because of it.
"""

import logging
import os
from typing import Final

from exporter.contexts import FORMATS
from exporter.traced import SAMPLERS

_LOG = logging.getLogger("exporter.witness")
_DEFAULT_SAMPLER: Final = "parentbased_always_on"


def is_disabled() -> bool:
    """Whether nobody in this container is to trace at all."""
    return os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def propagators() -> tuple[str, ...]:
    """Formats of trace contexts, in the order given; none where it says nothing, or nothing that is known here."""
    said = [one.strip().lower() for one in os.environ.get("OTEL_PROPAGATORS", "").split(",")]
    return tuple(dict.fromkeys(name for one in said for name, of in FORMATS.items() if one in of.propagators))


def sampler() -> str:
    """One of SAMPLERS."""
    said = os.environ.get("OTEL_TRACES_SAMPLER", "").strip().lower()
    if said and said not in SAMPLERS:
        _LOG.warning("OTEL_TRACES_SAMPLER is none that is known here: %s counts", _DEFAULT_SAMPLER)
    return said if said in SAMPLERS else _DEFAULT_SAMPLER


def ratio() -> float:
    """Of the samplers that draw by lot."""
    try:
        found = float(os.environ.get("OTEL_TRACES_SAMPLER_ARG") or 1.0)
    except ValueError:
        found = -1.0
    if not 0.0 <= found <= 1.0:
        _LOG.warning("OTEL_TRACES_SAMPLER_ARG must be from 0 to 1: 1 counts")
        return 1.0
    return found


def number(name: str, otherwise: int) -> int:
    """A whole number above zero."""
    said = os.environ.get(name, "").strip()
    if not said:
        return otherwise
    if not said.isdigit() or not int(said[:9]) > 0:
        _LOG.warning("%s must be a whole number above zero: %d counts", name, otherwise)
        return otherwise
    return int(said[:9])
