"""Stores: where predictions wait for their truth. One contract for all (`Store`), chosen by the scheme of a URL.

To add one: a file with a class that is a `Store`, and a line in the table. `tests/feedback/test_stores.py` asks every
one of them the same questions.
"""

import importlib
import time
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from exporter.errors import ConfigError
from exporter.truths import Joined, Prediction, Told, Truth
from exporter.values import nearest

STORES: Final = {
    "sqlite": "exporter.feedback.stores.sqlite",
    "memory": "exporter.feedback.stores.sqlite",
    "redis": "exporter.feedback.stores.redis",
    "rediss": "exporter.feedback.stores.redis",
    "postgresql": "exporter.feedback.stores.postgres",
}
"""By scheme. Each has `connect(access, limits)`: a Store, Unavailable or ConfigError; and `verify(access)`, which
asks nobody: ConfigError where `connect` could never succeed."""


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

    @property
    def most_early(self) -> int:
        """Most truths that wait for their prediction; beyond them the oldest are orphans."""
        return max(1, self.predictions // 4)


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


class Erased(NamedTuple):
    """What was forgotten by request."""

    open: int
    """Predictions without truth."""
    joined: int
    early: int
    """Truths without prediction."""


class Opened(NamedTuple):
    """What became of predictions that were added."""

    added: int
    known: int
    """Of an id and an owner that were there before: the first one stays."""
    joined: int
    """Of those added: truth was there already."""
    early: int = 0
    """Early truths that wait no longer, as their prediction came."""


class Store(Protocol):
    """One thread at a time. Every call is one transaction: all of it is durable when it returns, or none of it.

    After `Unavailable` it is asked again, the same first, and finds its way back by itself. `feedback.matching` has the
    rules of joining as code, for stores that can read, decide and write in one transaction.
    """

    @property
    def set_aside(self) -> int:
        """How many times what it had kept could not be read, so that it began anew. 0 of servers."""

    def open(self, predictions: Sequence[Prediction]) -> Opened:
        """Add predictions; what a truth is there for already is joined. Unavailable.

        That is an early truth of its key and model, or of its key and no model; else what another version of the same
        model was told for that key: the order in which predictions and truths come makes no difference.
        """

    def tell(self, truths: Sequence[Truth]) -> list[Told]:
        """Join truths to their predictions, one answer each, in order. Unavailable.

        A truth goes to every open prediction of its key, of its model where it says one (two versions may have answered
        one request); it is `malformed` where it names none and predictions of several models have the key. Where none
        is open it is a `duplicate` of what is known (same content) or `conflicting` with it. Of a key that is not known
        it is `late` where it says that it was predicted longer ago than predictions are kept; an `orphan` where it says
        that it was predicted longer ago than truths wait; else `early`: it is kept, and a second one of the same key
        and model is a duplicate or conflicting, too. No model stands for any there.
        """

    def joined(self, after: int, most: int) -> list[Joined]:
        """What this replica joined, by `open` or `tell`, with numbers above `after`, in order. Unavailable.

        Numbers are never used again, not by a store that was lost and begun anew either: they begin with the time.
        """

    def last_number(self) -> int:
        """The highest number that this replica has used; 0 before the first. Unavailable."""

    def erase(self, keys: Sequence[int]) -> Erased:
        """Forget predictions (with their truths) and early truths of some keys. Unavailable.

        Sums that they are in stay.
        """

    def expire(self, now_ms: int) -> Expired:
        """Forget what is too old (some time later, a 64th of how long it is kept at the most) or too much. Unavailable.

        Predictions by when they were answered, with truth or without; early truths by when they came; oldest first.
        """

    def sizes(self) -> Sizes:
        """What there is. Unavailable."""

    def close(self) -> None:
        """Let go of it. Never raises."""


class Access(NamedTuple):
    """How to come to a store."""

    url: str
    replica: str
    """Whose numbers they are, among those that share it."""
    password_file: str | None = None

    @property
    def scheme(self) -> str:
        """Of the table."""
        return self.url.partition(":")[0].lower()


def open_store(url: str, limits: Limits, replica: str, password_file: str | None = None) -> Store:
    """The store at an address. ConfigError where it cannot be one; Unavailable where it cannot be reached now."""
    access = Access(url, replica, password_file)
    check(url)
    store: Store = importlib.import_module(STORES[access.scheme]).connect(access, limits)
    return store


def verify(url: str, password_file: str | None = None) -> None:
    """ConfigError where there can be no such store: for its address, its library, or its password's file.

    Whether it can be reached is not asked.
    """
    check(url)
    access = Access(url, "", password_file)
    importlib.import_module(STORES[access.scheme]).verify(access)


def check(url: str) -> None:
    """ConfigError where no store has such addresses."""
    scheme, colon, _ = url.partition(":")
    if not colon or scheme.lower() not in STORES:
        known = ", ".join(f"{name}:" for name in STORES)
        raise ConfigError(f"feedback.store: must begin with one of {known}{nearest(scheme.lower(), set(STORES))}")


def address(store: str | None, directory: str | None) -> str:
    """Where predictions wait: as it is set, else a file in the directory of windows, else in memory."""
    if store is not None:
        return store
    return "memory:" if directory is None else f"sqlite:{directory}/feedback.sqlite"


def first_number() -> int:
    """The number before the first one of a store that begins now: above all that an earlier one has used.

    These are microseconds: nothing joins a million a second for long.
    """
    return time.time_ns() // 1000
