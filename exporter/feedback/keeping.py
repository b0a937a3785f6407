"""Between the store of predictions and truths, which one thread owns, and everybody else, who waits as long as he says.

The loop hands predictions over and takes what was joined; the web server's threads tell truths. All of it goes to the
store in the order in which it came. While the store is down it waits, within bounds, and is tried again and again.
"""

import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from exporter.condition import FeedbackCounts
from exporter.feedback.accounts import Accounts
from exporter.feedback.buffer import Buffer, Erasing, Opening, Telling
from exporter.feedback.carrying import Carrier
from exporter.feedback.stores import Limits, Store
from exporter.handoff.board import Seat
from exporter.truths import Joined, Prediction, Told, Truth


class Busy(Exception):
    """There is no room for truths now; come again."""


class Keeping:
    """One analyser's. `open`, `joined`, `sync` and `snapshot` are the loop's, the rest is anybody's."""

    def __init__(
        self, open_store: Callable[[], Store], scheme: str, limits: Limits, most_bytes: int, seats: "memoryview[int]"
    ) -> None:
        """`scheme` is how the store is called in the counts; `seats` are the board's."""
        self._scheme = scheme
        self._seats = seats
        self._buffer = Buffer(most_bytes)
        self._lock = self._buffer.lock
        self._carrier = Carrier(open_store, limits, self._buffer)
        self._now = self._carrier.accounts
        """Under the lock; what is shown is what was committed."""
        self._shown = Accounts()
        self._thread = threading.Thread(target=self._carrier.run, name="feedback", daemon=True)

    @property
    def counts(self) -> NDArray[np.int64]:
        """To be committed: as of the last `sync`; to be restored before `settle`."""
        return self._shown.array

    def settle(self) -> None:
        """Go on from what was committed, and begin. What a predecessor had and did not commit is lost, and counted."""
        now = self._now
        now.array[...] = self._shown.array
        now.put("dropped.analyser_lost", 0)
        now.put("dropped.analyser_lost", self._seats[Seat.FEEDBACK_PREDICTIONS] - now.decided_predictions)
        now.put("lost", 0)
        now.put("lost", self._seats[Seat.FEEDBACK_TRUTHS] - now.decided_truths)
        self._shown.array[...] = now.array
        self._thread.start()

    # the loop

    def open(self, predictions: Sequence[Prediction], more: int = 0) -> None:
        """Have predictions kept, where there is room for them; `more` there was no room for on the way here."""
        if not predictions and not more:
            return
        with self._lock:
            self._seats[Seat.FEEDBACK_PREDICTIONS] += len(predictions) + more
            self._now.add("dropped.no_room", more)
            reason = "dropped.no_room" if self._carrier.is_up else "dropped.store_down"
            for first in range(0, len(predictions), self._buffer.part):
                part = predictions[first : first + self._buffer.part]
                if not self._buffer.put(Opening(part)):
                    self._now.add(reason, len(part))

    def joined(self, after: int) -> list[Joined]:
        """What was joined with numbers above `after`, in order, as far as it is here; there may be more soon.

        Numbers up to `first_number` were joined before this process had the store.
        """
        return self._carrier.ahead.take(after)

    @property
    def first_number(self) -> int | None:
        """The last number that was used when the store was first reached; None before that."""
        return self._carrier.first_number

    def sync(self) -> bool:
        """Have `counts` be as it is now; whether anything changed, so that it is committed."""
        with self._lock:
            changed = not np.array_equal(self._shown.array, self._now.array)
            self._shown.array[...] = self._now.array
        return changed

    def snapshot(self) -> FeedbackCounts:
        """The counts of the last `sync`, and what there is."""
        shown, sizes = self._shown, self._carrier.sizes
        with self._lock:
            predictions, truths = self._seats[Seat.FEEDBACK_PREDICTIONS], self._seats[Seat.FEEDBACK_TRUTHS]
        return FeedbackCounts(
            store=self._scheme,
            up=self._carrier.is_up,
            open=sizes.open,
            joined=sizes.joined,
            early=sizes.early,
            bytes=sizes.bytes,
            predictions=predictions,
            found=shown["found"],
            found_early=shown["found_early"],
            kept=shown["kept"],
            known=shown["known"],
            dropped=shown.group("dropped"),
            predictions_waiting=predictions - shown.decided_predictions,
            gone=shown.group("gone"),
            truths=truths,
            told=shown.group("told"),
            told_later=shown.group("later"),
            lost=shown["lost"],
            truths_waiting=truths - shown.decided_truths,
            refused=self._seats[Seat.FEEDBACK_REFUSED],
            waited=shown.group("waited"),
            joined_since=shown["joined"],
            failures=shown["failures"],
            set_aside=shown["set_aside"],
            buffer_bytes=self._buffer.bytes,
            buffer_limit_bytes=self._buffer.most_bytes,
        )

    # any thread

    def tell(self, truths: Sequence[Truth], patience_s: float) -> list[Told] | None:
        """Tell truths: an answer each; None where the store is down or slow, and they will be told later.

        Busy, where there is no room for all of them: none is taken.
        """
        order = Telling(truths)
        with self._lock:
            if not self._buffer.put(order):
                self._seats[Seat.FEEDBACK_REFUSED] += len(truths)
                raise Busy
            self._seats[Seat.FEEDBACK_TRUTHS] += len(truths)
        self._wait(order, patience_s)
        return order.answer

    def erase(self, keys: Sequence[int], patience_s: float) -> int | None:
        """Forget keys: how many predictions and truths; None where that will happen later. Busy."""
        order = Erasing(keys)
        with self._lock:
            if not self._buffer.put(order):
                raise Busy
        self._wait(order, patience_s)
        return order.answer

    def count(self, outcome: str, number: int) -> None:
        """Count truths that came and never reach the store, such as malformed ones."""
        with self._lock:
            self._seats[Seat.FEEDBACK_TRUTHS] += number
            self._now.add(f"told.{outcome}", number)

    def close(self, patience_s: float) -> None:
        """Take nothing more, and end once all that waits is done, or soon."""
        self._buffer.close()
        self._carrier.ending.set()
        self._thread.join(patience_s)

    def _wait(self, order: Telling | Erasing, patience_s: float) -> None:
        if self._carrier.is_up:
            order.done.wait(patience_s)
        with self._lock:
            order.is_late = order.answer is None
