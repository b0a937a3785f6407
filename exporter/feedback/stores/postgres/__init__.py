"""PostgreSQL, shared by replicas: a slot for each id, whose row is locked while it is decided on.

Rows are locked in the order of their keys, behind that of the replica itself: nobody waits for who waits for him.
"""

import json
from collections.abc import Sequence

from exporter.feedback import answers
from exporter.feedback.stores import Access, Erased, Expired, Limits, Opened, Sizes
from exporter.feedback.stores.postgres import statements
from exporter.feedback.stores.postgres.leaving import Leaving
from exporter.feedback.stores.postgres.server import Server
from exporter.feedback.stores.postgres.slots import Slots
from exporter.truths import Joined, Prediction, Told, Truth


def connect(access: Access, limits: Limits) -> "Postgres":
    """The store at postgresql://HOST:PORT/DATABASE. ConfigError."""
    return Postgres(Server(access), limits, access.replica)


def verify(access: Access) -> None:
    """ConfigError where there can be no such store."""
    Server(access).verify()


class Postgres:
    """A `Store`."""

    def __init__(self, server: Server, limits: Limits, replica: str) -> None:
        """Of a server, which is not asked yet."""
        self._server = server
        self._slots = Slots(server, limits, replica)
        self._leaving = Leaving(self._slots)

    @property
    def set_aside(self) -> int:
        """Servers do that themselves."""
        return 0

    # in

    def open(self, predictions: Sequence[Prediction]) -> Opened:
        """Add predictions. Unavailable."""
        return Opened(*json.loads(self._slots.call(("open", predictions), lambda call: call.open(predictions))))

    def tell(self, truths: Sequence[Truth]) -> list[Told]:
        """Join truths to their predictions. Unavailable."""
        return answers.told(self._slots.call(("tell", truths), lambda call: call.tell(truths)))

    # out

    def joined(self, after: int, most: int) -> list[Joined]:
        """What this replica joined, by number. Unavailable."""
        self._slots.known = max(self._slots.known, after)
        mine = self._slots.replica
        with self._server.transaction() as cursor:
            rows = cursor.execute(statements.JOINED, (mine, after, most)).fetchall()
            slots = self._slots.slots(cursor, [(key, record) for _, key, record in rows])
        found = {one.number: one for slot in slots.values() for one in slot.held if one.replica == mine}
        return [found[number].joined() for number, _, _ in rows]

    def last_number(self) -> int:
        """The last number that was used. Unavailable."""
        with self._server.transaction() as cursor:
            row = cursor.execute(statements.LAST, (self._slots.replica,)).fetchone()
        return row[0] if row else 0

    def sizes(self) -> Sizes:
        """What there is. Unavailable."""
        return self._leaving.sizes()

    def close(self) -> None:
        """Let go of the server."""
        self._server.close()

    # forgotten

    def erase(self, keys: Sequence[int]) -> Erased:
        """Forget some keys. Unavailable."""
        return Erased(*json.loads(self._slots.call(("erase", keys), lambda call: call.erase(keys))))

    def expire(self, now_ms: int) -> Expired:
        """Forget what is too old or too much. Unavailable."""
        return self._leaving.expire(now_ms)
