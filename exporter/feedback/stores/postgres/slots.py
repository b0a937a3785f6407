"""Slots in PostgreSQL: one transaction for each call, in which rows are locked, decided on, and written."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from exporter.feedback import answers
from exporter.feedback.doubts import Doubts
from exporter.feedback.packing import Owners, pack, spelled, unpack
from exporter.feedback.slots import Changes, Held, Rules, Slot, replica_of, sums
from exporter.feedback.stores import Limits, Opened, Unavailable, first_number
from exporter.feedback.stores.postgres import statements
from exporter.feedback.stores.postgres.server import Server
from exporter.truths import Owner, Prediction, Truth

_EMPTY: Final = Slot()


class Slots:
    """What is in one server."""

    def __init__(self, server: Server, limits: Limits, replica: str) -> None:
        """Nothing is asked yet."""
        self.server = server
        self.limits = limits
        self.replica = replica_of(replica)
        self.owners = Owners()
        self.owned: set[Owner] = set()
        """Owners that are in the table."""
        self.known = 0
        """The last number that is known here: a server may have lost what it said."""
        self._name = replica
        self._doubts = Doubts()

    def call(self, name: tuple[object, ...], do: "Callable[[Call], str]") -> str:
        """The answer of a call, all in one transaction. Unavailable."""
        try:
            return self._doubts.ask(name, lambda token, is_again: self._done(token, is_again, do))
        except Unavailable:
            self.owned.clear()
            raise

    def _done(self, token: str, is_again: bool, do: "Callable[[Call], str]") -> str:
        with self.server.transaction() as cursor:
            call = Call(self, cursor, self._hold(cursor))
            known = cursor.execute(statements.ANSWER, (token,)).fetchone() if is_again else None
            if known is not None:
                return str(known[0])
            answer = do(call)
            if call.has_changed:
                call.settle()
                cursor.execute(statements.ANSWERED, (token, answer))
                cursor.execute(statements.HEARD, (self._doubts.heard,))
        self.owned |= call.owned
        return answer

    def _hold(self, cursor: Any) -> int:  # noqa: ANN401 (of a library that may be missing)
        """Lock the replica's row, against itself in a call that was given up; the last number."""
        row = cursor.execute(statements.HOLD, (self.replica,)).fetchone()
        if row is None:
            cursor.execute(statements.ENTER, (self.replica, self._name))
            row = cursor.execute(statements.HOLD, (self.replica,)).fetchone()
        self.known = max(self.known, row[0] or first_number())
        return self.known

    def read(self, cursor: Any, statement: str, *values: object) -> dict[int, Slot]:  # noqa: ANN401 (as above)
        """Slots that a statement finds, by their keys."""
        return self.slots(cursor, cursor.execute(statement, values).fetchall())

    def slots(self, cursor: Any, rows: Iterable[tuple[int, bytes]]) -> dict[int, Slot]:  # noqa: ANN401 (as above)
        """Slots of keys and records."""
        found = {key: unpack(key, record, self.owners) for key, record in rows}
        if self.owners.strangers:
            for mark, text in cursor.execute(statements.OWNERS).fetchall():
                self.owners.learn(mark, text)
            found = {key: unpack(key, record, self.owners) for key, record in rows}
            self.owners.strangers.clear()  # whom nobody knows
        return found


class Call:
    """What is done in one transaction."""

    def __init__(self, slots: Slots, cursor: Any, last: int) -> None:  # noqa: ANN401 (as above)
        """`last` is the number that was used last."""
        self._slots = slots
        self.cursor = cursor
        self._last = last
        self._used = 0
        self._sums = [0, 0, 0]
        self.has_changed = False
        self.owned: set[Owner] = set()

    # in

    def open(self, predictions: Sequence[Prediction]) -> str:
        """Add predictions."""
        self._own({one.owner for one in predictions} - self._slots.owned)
        rules = self._rules({one.key: _EMPTY for one in predictions})
        rules.open(predictions)
        slots = rules.changes().slots
        new = self._put(slots)
        if new:
            self._count((), [slots[key] for key in new])
        added = sum(len(slots[key].held) for key in new)
        others = [one for one in predictions if one.key not in new]
        opened = self._join(others) if others else Opened(0, 0, 0)
        known = len(predictions) - len(others) - added
        return json.dumps(opened._replace(added=opened.added + added, known=opened.known + known))

    def _join(self, predictions: Sequence[Prediction]) -> Opened:
        """Add predictions under keys that something is under."""
        before = self._slots.read(self.cursor, statements.GET, [one.key for one in predictions])
        rules = self._rules(before)
        opened = rules.open(predictions)
        self._write(before, rules.changes())
        return opened

    def tell(self, truths: Sequence[Truth]) -> str:
        """Join truths to their predictions. A key that is not known is locked by a row of its own."""
        asked = {one.key: _EMPTY for one in truths}
        new = self._put(asked)
        before = asked | self._slots.read(self.cursor, statements.GET, [key for key in asked if key not in new])
        rules = self._rules(before)
        told = rules.tell(truths)
        made = rules.changes()
        self._write(before, made)
        self._drop([key for key in new if key not in made.slots])
        return answers.of_told(told)

    def _rules(self, slots: Mapping[int, Slot]) -> Rules:
        return Rules(self._slots.limits, self._slots.replica, self._last, slots)

    def _own(self, owners: set[Owner]) -> None:
        if owners:
            listed = sorted(owners)
            marks = [self._slots.owners.mark(one) for one in listed]
            self.cursor.execute(statements.OWNED, (marks, [spelled(one) for one in listed]))
            self.owned |= owners

    def _put(self, slots: Mapping[int, Slot]) -> set[int]:
        """Add those that are not there, lock those that are; the keys of the first."""
        return {key for (key,) in self.cursor.execute(statements.PUT, self._columns(slots)).fetchall()}

    def _write(self, before: Mapping[int, Slot], made: Changes) -> None:
        self.replace(before, made.slots)
        if made.matched:
            numbers = [one.number for one in made.matched]
            self.cursor.execute(statements.NUMBER, (self._slots.replica, numbers, made.matched_keys))
            self._used = made.number

    # out and away

    def erase(self, keys: Sequence[int]) -> str:
        """Forget some keys."""
        before = self._slots.read(self.cursor, statements.GET_LOCKED, list(keys))
        self.replace(before, dict.fromkeys(before, _EMPTY))
        return json.dumps(sums(before.values()))

    def replace(self, before: Mapping[int, Slot], after: Mapping[int, Slot]) -> None:
        """Write slots over those that were there; empty ones go."""
        if not after:
            return
        changed = {key: slot for key, slot in after.items() if not slot.is_empty}
        if changed:
            self.cursor.execute(statements.CHANGE, self._columns(changed))
        self._drop([key for key in after if key not in changed])
        self._count([before[key] for key in after], after.values())
        left = {(one.replica, one.number) for slot in after.values() for one in slot.held}
        gone = [one for key in after for one in before[key].held if one.number and _name(one) not in left]
        if gone:
            columns = [one.replica for one in gone], [one.number for one in gone]
            self.cursor.execute(statements.UNNUMBER, columns)

    def _drop(self, keys: Sequence[int]) -> None:
        if keys:
            self.cursor.execute(statements.DROP, (list(keys),))

    def _columns(self, slots: Mapping[int, Slot]) -> tuple[list[object], ...]:
        rows = [
            (
                key,
                min((one.at_ms for one in slot.held), default=None),
                min((one.told_ms for one in slot.early), default=None),
                pack(slot, self._slots.owners),
            )
            for key, slot in sorted(slots.items())
        ]
        return tuple(map(list, zip(*rows, strict=True))) if rows else ([], [], [], [])

    def _count(self, before: Iterable[Slot], after: Iterable[Slot]) -> None:
        changes = zip(self._sums, sums(before), sums(after), strict=True)
        self._sums = [known - was + is_now for known, was, is_now in changes]
        self.has_changed = True

    def settle(self) -> None:
        """Write what is counted."""
        self.cursor.execute(statements.COUNT, (self._used, *self._sums, self._slots.replica))


def _name(one: Held) -> tuple[int, int]:
    return one.replica, one.number
