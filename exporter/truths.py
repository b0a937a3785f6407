"""The nouns of late truth: what was predicted, what turned out, and what became of it. Plain data, as in records."""

import hashlib
from typing import Final, NamedTuple

OUTCOMES: Final = ("matched", "early", "late", "orphan", "duplicate", "conflicting", "malformed")
"""What became of a truth that was posted: joined to its prediction; kept, as no prediction is known yet; its prediction
is no longer kept; there is none; said before; said otherwise before (the first one stays); not understood."""
WAITED: Final = ("matched", "orphan", "erased", "lost")
"""What became later of early ones: their prediction came; it did not; by request; the store lost them."""
PREDICTION_LOSSES: Final = ("no_room", "store_down", "refused", "analyser_lost")
"""Why a prediction that has an id is not kept for its truth: too many wait for the store, and it is up, or down; it
would not have it; it waited when the analyser died."""
GONE: Final = ("expired", "erased", "store_lost")
"""How predictions that were kept leave the store without truth: too old or too many; by request; with the store."""
TASKS: Final = ("binary", "multiclass", "regression", "ranking")
"""What is predicted."""


class Owner(NamedTuple):
    """Whose a prediction is."""

    model: str
    version: str
    task: str
    """Fingerprint of how its content is written: see `performance.task.Task`."""


class Prediction(NamedTuple):
    """An answer that waits for its truth."""

    key: int
    """Of its id: see `key_of`."""
    owner: Owner
    at_ms: int
    """When it was answered, Unix time in milliseconds."""
    content: bytes
    """What was said, as `performance.task` writes it. Stores do not look inside."""


class Truth(NamedTuple):
    """What turned out."""

    key: int
    model: str
    """Whose prediction it is of; empty for any."""
    told_ms: int
    """When it came, Unix time in milliseconds."""
    predicted_ms: int
    """When it was predicted, where the sender says it; 0 where not."""
    content: bytes
    """What is true, canonical: the same truth is the same bytes. Stores compare it and do not look inside."""
    extra: bytes = b""
    """What was said beside it: weight, value, segments. It makes no truth another one."""


class Joined(NamedTuple):
    """A prediction with its truth."""

    number: int
    """Counts up within one store and replica; never used twice."""
    owner: Owner
    at_ms: int
    told_ms: int
    said: bytes
    """The prediction's content."""
    true: bytes
    extra: bytes


class Told(NamedTuple):
    """What a store says of one truth."""

    outcome: str
    """One of OUTCOMES."""
    owners: tuple[Owner, ...] = ()
    """Whose predictions it was joined to."""
    detail: str = ""


def key_of(request_id: str, row: int = 0) -> int:
    """The key of a prediction: 64 bits of a hash, signed, of the id and of the row within its request.

    Among a million predictions two share one by chance once in 40 million times. The id itself is kept nowhere.
    """
    spelled = f"{row}\0{request_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(spelled, digest_size=8).digest(), signed=True)
