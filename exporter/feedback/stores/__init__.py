"""Stores: where predictions wait for their truth. One contract for all (`Store`), chosen by the scheme of a URL.

To add one: a file with a class that is a `Store`, and a line in the table. `tests/feedback/test_stores.py` asks every
one of them the same questions.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from exporter.truths import Joined, Prediction, Told, Truth


class Unavailable(Exception):
    """The store cannot be reached, or cannot write, now; nothing of what was asked has happened, or all of it has.

    Whoever asks again gets the same answer as if it had been asked once: adding a prediction twice keeps the first, and
    a truth told twice is a duplicate only if it had been committed under another call.
    """


class Limits(NamedTuple):
    """What a store may hold."""

    predictions: int
    retention_ms: int
    early_ms: int


class Sizes(NamedTuple):
    """What a store holds now. Of a store that is shared: all replicas' together."""

    open: int
    """Predictions without truth."""
    joined: int
    early: int
    """Truths without prediction."""
    bytes: int
    """On disk or in the server, as far as it says; 0 where it does not."""


class Expired(NamedTuple):
    """What has left since it was asked last, of this replica's doing."""

    open: int
    """Predictions that nobody told the truth of in time, or that there was no room for."""
    early: int
    """Truths whose prediction never came: orphans."""


class Opened(NamedTuple):
    """What became of predictions that were added."""

    added: int
    known: int
    """Of an id and an owner that were there before: the first one stays."""
    joined: int
    """Of those added: truth was there already."""


class Store(Protocol):
    """One thread at a time. Every call is one transaction: all of it is durable when it returns, or none of it."""

    def open(self, predictions: Sequence[Prediction]) -> Opened:
        """Add predictions; what early truths wait for is joined. Unavailable."""

    def tell(self, truths: Sequence[Truth]) -> list[Told]:
        """Join truths to their predictions, one answer each, in order. Unavailable.

        A truth goes to every open prediction of its key, of its model where it says one (two versions may have answered
        one request); it is `malformed` where it names none and predictions of several models have the key. Where none
        is open it is a `duplicate` of what is known (same content) or `conflicting` with it. Of a key that is not known
        it is `late` where it says that it was predicted longer ago than predictions are kept; an `orphan` where it says
        that it was predicted longer ago than truths wait; else `early`: it is kept, and a second one of the same key
        and model is a duplicate or conflicting, too.
        """

    def joined(self, after: int, most: int) -> list[Joined]:
        """What this replica joined, by `open` or `tell`, with numbers above `after`, in order. Unavailable."""

    def last_number(self) -> int:
        """The highest number that this replica has used; 0 before the first. Unavailable."""

    def erase(self, keys: Sequence[int]) -> int:
        """Forget predictions and truths of some keys; how many there were. Sums that they are in stay. Unavailable."""

    def expire(self, now_ms: int) -> Expired:
        """Forget what is too old or too much. Unavailable."""

    def sizes(self) -> Sizes:
        """What there is. Unavailable."""

    def close(self) -> None:
        """Let go of it. Never raises."""
