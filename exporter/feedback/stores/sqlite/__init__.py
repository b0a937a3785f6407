"""SQLite: predictions and truths of one replica, in one file or in memory.

A prediction is a row by the hash of its id; once it has its truth, what was said moves to the joined ones, which are
numbered and lie in that order. Nothing is sorted by time: what is too old is found by reading all rows, which is rare.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from exporter.feedback.matching import Kept, Match, Matching, keys_of
from exporter.feedback.stores import Access, Erased, Expired, Limits, Opened, Sizes, Unavailable, first_number
from exporter.feedback.stores.sqlite import statements
from exporter.feedback.stores.sqlite.file import MEMORY, File, path_of
from exporter.feedback.stores.sqlite.statements import Packed, as_json
from exporter.truths import Joined, Owner, Prediction, Told, Truth

_DOOMED: Final = "SELECT key, owner, number FROM predictions WHERE "
_SLICES: Final = 64
"""Into so many parts of all keys forgetting is divided, a transaction each: the log stays small."""
_SLACK: Final = 64
"""What is too old goes some time later: one part in so many of how long it is kept."""
_AT_ONCE: Final = 1 << 17
"""So many of the oldest are found at once: they are in memory meanwhile."""


def connect(access: Access, limits: Limits) -> "SQLite":
    """The store at sqlite:/PATH, or in memory. ConfigError, Unavailable."""
    return SQLite(_path(access), limits)


def verify(access: Access) -> None:
    """ConfigError where there can be no such store."""
    _path(access)


def _path(access: Access) -> str:
    return MEMORY if access.scheme == "memory" else path_of(access.url)


class SQLite:
    """A `Store`. What it counts in memory is read from the file at first, and again after a fault."""

    def __init__(self, path: str, limits: Limits) -> None:
        """Of a file, which is there from now on; Unavailable where another process has it."""
        self._limits = limits
        self._file = File(path, statements.EDITION, _make)
        self._is_known = False
        self._owners: dict[Owner, int] = {}
        self._by_id: dict[int, Owner] = {}
        self._first, self._used = 0, 0
        self._kept, self._joined, self._early = 0, 0, 0
        """Predictions, those of them that are joined, and early truths."""
        self._oldest_ms, self._oldest_early_ms = 0, 0
        """No prediction, and no early truth, is older than these."""
        self._gone_open, self._gone_early = 0, 0
        """Of `Expired`, since it was asked last."""
        self._known_aside = 0
        self._is_clean = True
        try:
            self.sizes()
        except Unavailable:
            if not self.set_aside:
                raise
            self.sizes()  # of a new one

    @property
    def set_aside(self) -> int:
        """How many times the file could not be read."""
        return self._file.set_aside

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._file.transaction():
            if not self._is_known:
                self._look()
            self._is_known = False
            yield
        self._is_known = True

    def _look(self) -> None:
        ask = self._file.ask
        if self._known_aside != self.set_aside:
            self._known_aside = self.set_aside
            self._gone_open, self._gone_early = 0, 0  # it went with the rest
        rows = ask("SELECT json_group_array(json_array(id, model, version, task)) FROM owners")
        self._by_id = {number: Owner(*words) for number, *words in rows}
        self._owners = {owner: number for number, owner in self._by_id.items()}
        self._first, self._used = ask("SELECT json_array(first, number) FROM used")
        self._kept, self._joined = ask("SELECT json_array(count(*), count(number)) FROM predictions")
        self._early = ask("SELECT count(*) FROM early")
        self._find_oldest()

    def _find_oldest(self) -> None:
        self._oldest_ms = self._file.ask("SELECT ifnull(min(at), 1 << 62) FROM predictions")
        self._oldest_early_ms = self._file.ask("SELECT ifnull(min(told), 1 << 62) FROM early")

    # in

    def open(self, predictions: Sequence[Prediction]) -> Opened:
        """Add predictions. Unavailable."""
        with self._transaction():
            matching = self._matching(keys_of(predictions))
            for prediction in predictions:
                matching.open(prediction)
            self._add(matching.added)
            self._write(matching)
        added = len(matching.added)
        return Opened(added, len(predictions) - added, len(matching.matches), len(matching.ended))

    def tell(self, truths: Sequence[Truth]) -> list[Told]:
        """Join truths to their predictions. Unavailable."""
        with self._transaction():
            matching = self._matching(keys_of(truths))
            told = [matching.tell(truth) for truth in truths]
            self._write(matching)
        return told

    def _matching(self, keys: Sequence[int]) -> Matching:
        asked = as_json(keys)
        early = self._file.ask(statements.EARLY, asked) if self._early else []
        return Matching(
            self._limits, self._used, map(self._read_kept, self._file.ask(statements.KEPT, asked)), map(_truth, early)
        )

    def _read_kept(self, row: list[Any]) -> tuple[int, Kept]:
        key, owner, number, told_ms, true, extra = row
        by = self._by_id[owner]
        return key, Kept(by, number, told_ms, _bytes(true), _bytes(extra)) if number else Kept(by)

    def _add(self, predictions: Iterable[Prediction]) -> None:
        packed = Packed()
        for key, owner, at_ms, content in sorted(predictions, key=_key):
            packed.add([key, self._id(owner), at_ms], content)
            self._oldest_ms = min(self._oldest_ms, at_ms)
        self._kept += packed.write(self._file, statements.ADD)

    def _id(self, owner: Owner) -> int:
        found = self._owners.get(owner)
        if found is None:
            found = len(self._owners) + 1
            self._file.change("INSERT INTO owners VALUES (?, ?, ?, ?)", found, *owner)
            self._owners[owner], self._by_id[found] = found, owner
        return found

    def _write(self, matching: Matching) -> None:
        """Write what the rules found."""
        if matching.matches:
            self._join(matching.matches)
        if matching.early:
            packed = Packed()
            for truth in matching.early:
                packed.add([truth.key, truth.model, truth.told_ms], truth.content, truth.extra)
                self._oldest_early_ms = min(self._oldest_early_ms, truth.told_ms)
            self._early += packed.write(self._file, statements.WAIT)
        if matching.ended:
            self._early -= self._file.change(
                statements.END, as_json([(truth.key, truth.model) for truth in matching.ended])
            )

    def _join(self, matches: Sequence[Match]) -> None:
        packed = Packed()
        for key, owner, number, told_ms, true, extra in matches:
            packed.add([key, self._owners[owner], number, told_ms], true, extra)
        self._joined += packed.write(self._file, statements.JOIN)
        self._file.change(statements.NUMBER, as_json(packed.rows))
        self._used = matches[-1].number
        self._file.change("UPDATE used SET number = ?", self._used)

    # out

    def joined(self, after: int, most: int) -> list[Joined]:
        """What was joined, by number. Unavailable."""
        with self._transaction():
            rows = self._file.ask(statements.JOINED, after, most)
        return [
            Joined(number, self._by_id[owner], at_ms, told_ms, _bytes(said), _bytes(true), _bytes(extra))
            for number, owner, at_ms, told_ms, said, true, extra in rows
        ]

    def last_number(self) -> int:
        """The last number that was used."""
        return self._used if self._used > self._first else 0

    def sizes(self) -> Sizes:
        """What there is. Unavailable."""
        with self._transaction():
            return Sizes(self._kept - self._joined, self._joined, self._early, self._file.bytes())

    def close(self) -> None:
        """Let go of the file."""
        self._is_known = False
        self._file.close()

    # forgotten

    def erase(self, keys: Sequence[int]) -> Erased:
        """Forget some keys; nothing of them is left in the file or in its log. Unavailable."""
        asked = as_json(sorted(set(keys)))
        with self._transaction():
            kept, joined = self._kept, self._joined
            self._forget("key IN (SELECT value FROM json_each(?))", asked)
            early = self._file.change(statements.NO_EARLY, asked)
            self._early -= early
            joined -= self._joined
            erased = Erased(kept - self._kept - joined, joined, early)
        self._is_clean = False
        with contextlib.suppress(Unavailable):  # it is erased, and whoever asked again would be told of nothing
            self._clean()
        return erased

    def _clean(self) -> None:
        """Leave nothing in the log of what was erased."""
        if not self._is_clean:
            self._file.empty_log()
            self._is_clean = True

    def expire(self, now_ms: int) -> Expired:
        """Forget what is too old or too much. Unavailable."""
        self._clean()
        self._expire_early(now_ms - self._limits.early_ms)
        retention_ms = self._limits.retention_ms
        if self._oldest_ms < now_ms - retention_ms - retention_ms // _SLACK:
            self._forget_below(now_ms - retention_ms)
        while (excess := self._kept - self._limits.predictions) > 0:
            self._forget_oldest(min(excess, _AT_ONCE))
        gone = Expired(self._gone_open, self._gone_early)
        self._gone_open, self._gone_early = 0, 0
        return gone

    def _expire_early(self, least_ms: int) -> None:
        excess = self._early - self._limits.most_early
        if excess <= 0 and self._oldest_early_ms >= least_ms - self._limits.early_ms // _SLACK:
            return
        with self._transaction():
            gone = self._file.change(statements.OLD_EARLY, least_ms)
            gone += self._file.change(statements.OLDEST_EARLY, max(0, excess - gone))
            self._early -= gone
            self._find_oldest()
        self._gone_early += gone

    def _forget_oldest(self, number: int) -> None:
        with self._transaction():
            last_ms = self._file.ask("SELECT at FROM predictions ORDER BY at LIMIT 1 OFFSET ?", number - 1)
        number -= self._forget_below(last_ms)
        for first, last in _slices():
            if number:
                number -= self._forget_slice(f"key BETWEEN ? AND ? AND at = ? LIMIT {number}", first, last, last_ms)

    def _forget_below(self, least_ms: int) -> int:
        """Forget what is older; how many."""
        gone = sum(self._forget_slice("key BETWEEN ? AND ? AND at < ?", *part, least_ms) for part in _slices())
        with self._transaction():
            self._find_oldest()
        return gone

    def _forget_slice(self, which: str, *values: object) -> int:
        with self._transaction():
            kept, still_open = self._kept, self._kept - self._joined
            self._forget(which, *values)
        self._gone_open += still_open - (self._kept - self._joined)
        return kept - self._kept

    def _forget(self, which: str, *values: object) -> None:
        """Forget predictions."""
        change = self._file.change
        change("CREATE TEMP TABLE doomed AS " + _DOOMED + which, *values)
        self._joined -= change("DELETE FROM joined WHERE number IN (SELECT number FROM doomed)")
        self._kept -= change("DELETE FROM predictions WHERE (key, owner) IN (SELECT key, owner FROM doomed)")
        change("DROP TABLE doomed")


def _make(connection: sqlite3.Connection) -> None:
    for statement in statements.TABLES:
        connection.execute(statement)
    connection.execute("INSERT INTO used VALUES (?, ?)", (first := first_number(), first))


def _slices() -> Iterator[tuple[int, int]]:
    """Parts of all keys, which are hashes: first and last one of each."""
    step = (1 << 64) // _SLICES
    for first in range(-(1 << 63), 1 << 63, step):
        yield first, first + step - 1


def _truth(row: list[Any]) -> Truth:
    key, model, told_ms, true, extra = row
    return Truth(key, model, told_ms, 0, _bytes(true), _bytes(extra))


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text)


def _key(prediction: Prediction) -> int:
    return prediction.key
