"""What is said beside a truth: how much it weighs, what it was worth, of which segments it is; how it is written."""

import json
from typing import Final, NamedTuple

HEAVIEST: Final = 1000.0
"""The largest weight."""
MOST_WORTH: Final = 1e12
"""The largest business value, and the lowest with a minus."""
_PARTS: Final = 1_000_000
"""Weights and values are taken to six decimals, as whole numbers, so that sums of them are the same in any order."""
_WEIGHT, _VALUE, _SEGMENTS = "w", "v", "s"


class Extra(NamedTuple):
    """Of one truth."""

    weight: float = 1.0
    """From 0 to HEAVIEST, to six decimals."""
    value: float | None = None
    """Its business value."""
    segments: tuple[tuple[str, str], ...] = ()
    """What divides the traffic, and the value; in the order of the names."""


NOTHING_ELSE: Final = Extra()


def pack(extra: Extra) -> bytes:
    """As stores keep it; nothing where nothing is said."""
    said: dict[str, object] = {}
    if extra.weight != 1.0:
        said[_WEIGHT] = round(extra.weight * _PARTS)
    if extra.value is not None:
        said[_VALUE] = extra.value
    if extra.segments:
        said[_SEGMENTS] = dict(extra.segments)
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode() if said else b""


def unpack(content: bytes) -> Extra:
    """As it was packed."""
    if not content:
        return NOTHING_ELSE
    said = json.loads(content)
    segments = tuple(sorted(said.get(_SEGMENTS, {}).items()))
    return Extra(said.get(_WEIGHT, _PARTS) / _PARTS, said.get(_VALUE), segments)
