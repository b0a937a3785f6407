"""The thread that owns the store: carries out what waits, reads ahead, has old ones forgotten, outlives faults."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from exporter.errors import ExporterError
from exporter.feedback.accounts import Accounts
from exporter.feedback.ahead import Ahead
from exporter.feedback.buffer import BATCH, Buffer, Erasing, Opening, Order, Telling
from exporter.feedback.stores import Limits, Sizes, Store, Unavailable
from exporter.truths import Told

_LOG = logging.getLogger("exporter.feedback")
_LINGER_S: Final = 0.25
"""So long predictions gather, where nobody waits."""
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
_EXPIRE_S: Final = 60.0
_SIZES_S: Final = 1.0
_IDLE_S: Final = 10.0
"""How often it is asked how much there is, and how much less often where nobody has changed anything."""
_NEW: Final = 1000
_SLACK: Final = 64
"""It is asked to forget what is too much after so many new ones, or one part in so many of all that it may hold."""
_GIVEN_UP: Final = Told("malformed", detail="the store does not take it")


class Carrier:
    """Carries orders to the store; `run` is its thread, what is public may be read by any."""

    def __init__(self, open_store: Callable[[], Store], limits: Limits, buffer: Buffer) -> None:
        """`buffer` is where orders come from."""
        self._open_store = open_store
        self._limits = limits
        self._buffer = buffer
        self._lock = buffer.lock
        self.ahead = Ahead(buffer.wanted.set)
        self.accounts = Accounts()
        """Under the buffer's lock."""
        self.sizes = Sizes(0, 0, 0, 0)
        """As they were last."""
        self.is_up = True
        """Until it turns out otherwise."""
        self.first_number: int | None = None
        self.ending = threading.Event()
        """Set where it is to end once nothing waits."""
        self._store: Store | None = None
        self._doing: list[Order] = []
        self._at_once = BATCH
        self._pause_s = _FIRST_PAUSE_S
        self._is_touched = True
        """Whether the store was changed since its sizes were asked for."""
        self._new = 0
        """Rows that were added since the store was asked to forget old ones."""
        self._aside = 0
        self._expire_due, self._sizes_due = 0.0, 0.0

    def run(self) -> None:
        """Work until told to end."""
        while not self.ending.is_set() or len(self._buffer):
            self._buffer.wanted.wait(_LINGER_S)
            self._buffer.wanted.clear()
            if not self._work() and self.ending.wait(self._pause_s):
                break  # what waits for a store that is down when we end is lost
        if self._store is not None:
            self._store.close()

    def _work(self) -> bool:
        """Do all that there is to do; whether the store was there for it."""
        try:
            store = self._reached()
            while orders := self._doing or self._buffer.first(self._at_once):  # a call in doubt is made as it was
                self._do(store, orders)
                self._recover()  # there may be more to do for as long as the load lasts
                self._read_ahead(store)
            self._at_once = BATCH
            self._read_ahead(store)
            self._tidy(store)
        except (Unavailable, ExporterError) as error:
            self._fail(str(error))
            return False
        except Exception:  # noqa: BLE001 (whatever it was, others may go well)
            _LOG.exception("the store of predictions failed")
            self._count_failure()
            self._give_up()
            return False
        self._recover()
        return True

    def _reached(self) -> Store:
        """The store; the first time it is opened and looked at."""
        if self._store is None:
            self._store = self._open_store()
        if self.first_number is None:
            self.sizes, last_number = self._store.sizes(), self._store.last_number()
            with self._lock:
                self._aside = self._store.set_aside
                self.accounts.add("set_aside", self._aside)
                self.accounts.begin(self.sizes, is_new=not last_number)
            self.first_number = last_number
        return self._store

    def _do(self, store: Store, orders: list[Order]) -> None:
        """Carry out orders of one kind."""
        self._doing = orders
        openings = [order for order in orders if isinstance(order, Opening)]
        tellings = [order for order in orders if isinstance(order, Telling)]
        if openings:
            self._open(store, openings)
        if tellings:
            self._tell(store, tellings)
        if isinstance(orders[0], Erasing):
            self._erase(store, orders[0])
        self._doing = []
        self._is_touched = True

    def _open(self, store: Store, orders: Sequence[Opening]) -> None:
        opened = store.open([one for order in orders for one in order.items])
        with self._lock:
            self.accounts.add("kept", opened.added)
            self.accounts.add("known", opened.known)
            self.accounts.add("joined", opened.joined)
            self.accounts.add("waited.matched", opened.early)
            self._buffer.remove(orders)
        self._new += opened.added
        if opened.joined:
            self.ahead.tell()

    def _tell(self, store: Store, orders: Sequence[Telling]) -> None:
        told = store.tell([one for order in orders for one in order.items])
        with self._lock:
            self._buffer.remove(orders)
            for order in orders:
                self._answer(order, told[: len(order.items)])
                told = told[len(order.items) :]
        self.ahead.tell()

    def _answer(self, order: Telling, told: list[Told]) -> None:
        order.answer = told
        for outcome, number in Counter(one.outcome for one in told).items():
            self.accounts.add(f"told.{outcome}", number)
            if order.is_late:
                self.accounts.add(f"later.{outcome}", number)
            self._new += number if outcome == "early" else 0
        self.accounts.add("joined", sum(len(one.owners) for one in told))
        order.done.set()

    def _erase(self, store: Store, order: Erasing) -> None:
        erased = store.erase(order.items)
        with self._lock:
            self.accounts.add("gone.erased", erased.open)
            self.accounts.add("waited.erased", erased.early)
            self._buffer.remove([order])
            order.answer = sum(erased)
            order.done.set()

    def _read_ahead(self, store: Store) -> None:
        wish = self.ahead.wish()
        if wish is not None:
            self.ahead.add(wish, store.joined(*wish))

    def _tidy(self, store: Store) -> None:
        """Forget what is old, when it is time and the loop has all that was joined; look how much there is."""
        now = time.monotonic()
        is_due = now >= self._expire_due or self._new > max(_NEW, self._limits.predictions // _SLACK)
        if is_due and not self.ahead.is_behind:
            expired = store.expire(int(time.time() * 1000))
            with self._lock:
                self.accounts.add("gone.expired", expired.open)
                self.accounts.add("waited.orphan", expired.early)
            self._expire_due, self._new, self._is_touched = now + _EXPIRE_S, 0, True
        if now >= self._sizes_due + (0 if self._is_touched else _IDLE_S):
            self.sizes = store.sizes()
            self._sizes_due, self._is_touched = now + _SIZES_S, False

    # faults

    def _fail(self, words: str) -> None:
        """It is down: nobody waits for it meanwhile."""
        if self.is_up:
            _LOG.warning("predictions and truths wait for their store: %s", words)
        self.is_up = False
        self._count_failure()
        with self._lock:
            self._buffer.let_go()

    def _count_failure(self) -> None:
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
        with self._lock:
            self.accounts.add("failures")
            if self._store is not None and self.first_number is not None and self._store.set_aside != self._aside:
                self.accounts.add("set_aside", self._store.set_aside - self._aside)
                self._aside = self._store.set_aside
                self.accounts.lose()

    def _recover(self) -> None:
        if not self.is_up:
            _LOG.info("the store of predictions and truths is there again")
        self.is_up, self._pause_s = True, _FIRST_PAUSE_S

    def _give_up(self) -> None:
        """Try the orders one by one that it failed at, and let go of one that is alone."""
        orders, self._doing = self._doing, []
        if len(orders) > 1:
            self._at_once = 1
            return
        with self._lock:
            self._buffer.remove(orders)
            for order in orders:
                if isinstance(order, Opening):
                    self.accounts.add("dropped.refused", len(order.items))
                elif isinstance(order, Telling):
                    self._answer(order, [_GIVEN_UP] * len(order.items))
