"""What waits for the store, in the order in which it came: bounded in bytes, predictions and truths each to a half."""

import threading
from collections import deque
from collections.abc import Sequence
from typing import Final

from exporter.truths import Prediction, Told, Truth

_EACH: Final = 256
"""Bytes of a prediction, a truth or a key beside its content, as Python has it."""
BATCH: Final = 2000
"""So many go to the store at once, about."""
_OF_A_PART: Final = 4096
"""Bytes of room for each prediction of a part: where there is little, parts are small, and what fits is kept."""


class _Order:
    """Something for the store to do."""

    def __init__(self, number: int, size: int) -> None:
        """`size` is of what is in it, in bytes."""
        self.cost = _EACH * (number + 1) + size
        self.is_late = False
        """Whether nobody waits for the answer any more."""
        self.done = threading.Event()


class Opening(_Order):
    """Keep predictions."""

    def __init__(self, items: Sequence[Prediction]) -> None:
        """Any number."""
        super().__init__(len(items), sum(len(one.content) for one in items))
        self.items = items


class Telling(_Order):
    """Join truths; an answer for each."""

    def __init__(self, items: Sequence[Truth]) -> None:
        """Any number."""
        super().__init__(len(items), sum(len(one.content) + len(one.extra) for one in items))
        self.items = items
        self.answer: list[Told] | None = None


class Erasing(_Order):
    """Forget keys; how many predictions and truths there were."""

    def __init__(self, items: Sequence[int]) -> None:
        """Any number."""
        super().__init__(len(items), 0)
        self.items = items
        self.answer: int | None = None


Order = Opening | Telling | Erasing


class Buffer:
    """Orders between whoever gives them and the thread that carries them out. `lock` is for all that goes with it."""

    def __init__(self, most_bytes: int) -> None:
        """Of both halves."""
        self.most_bytes = most_bytes
        self.lock = threading.Lock()
        self.wanted = threading.Event()
        """Set where somebody waits, or enough of them do."""
        self._orders: deque[Order] = deque()
        self._bytes = {True: 0, False: 0}
        """Of predictions, and of all else."""
        self._opening = 0
        """Predictions that wait."""
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._orders)

    @property
    def part(self) -> int:
        """How many predictions to put in one order: of more than there is room for some are kept."""
        return max(1, min(BATCH, self.most_bytes // _OF_A_PART))

    @property
    def bytes(self) -> int:
        """Of all that waits."""
        return sum(self._bytes.values())

    def put(self, order: Order) -> bool:
        """Add an order where there is room, with the lock held; whether there was."""
        is_opening = isinstance(order, Opening)
        if self._is_closed or self._bytes[is_opening] + order.cost > self.most_bytes // 2:
            return False
        self._orders.append(order)
        self._bytes[is_opening] += order.cost
        self._opening += len(order.items) if is_opening else 0
        if not is_opening or self._opening >= BATCH:
            self.wanted.set()
        return True

    def first(self, most: int) -> list[Order]:
        """The oldest orders of one kind, with `most` items or one order alone; they stay until they are done."""
        found: list[Order] = []
        with self.lock:
            for order in self._orders:
                if found and (
                    type(order) is not type(found[0]) or most < len(order.items) or isinstance(order, Erasing)
                ):
                    break
                found.append(order)
                most -= len(order.items)
        return found

    def remove(self, orders: Sequence[Order]) -> None:
        """Take those away that `first` gave, with the lock held."""
        for order in orders:
            self._orders.popleft()
            is_opening = isinstance(order, Opening)
            self._bytes[is_opening] -= order.cost
            self._opening -= len(order.items) if is_opening else 0

    def let_go(self) -> None:
        """Nobody need wait any more: it takes longer. With the lock held."""
        for order in self._orders:
            order.is_late = True
            order.done.set()

    def close(self) -> None:
        """Take nothing more."""
        with self.lock:
            self._is_closed = True
        self.wanted.set()
