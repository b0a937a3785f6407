"""How exchanges leave a worker: in batches, by lot while the ring fills, without bodies when it is nearly full."""

from typing import Final

from exporter.glance import Head
from exporter.handoff import frames, sampling
from exporter.handoff.ring import Writer
from exporter.handoff.tally import Slot, Tally
from exporter.records import Capture, Exchange

# A member of an enum costs more than the slot, and a slot five times what an attribute costs.
_HEAD, _TAIL, _OFFERED, _RING_FULL = map(int, (Slot.HEAD, Slot.TAIL, Slot.OFFERED, Slot.RING_FULL))
_SEQUENCE, _WORKER_LOST = int(Slot.SEQUENCE), int(Slot.WORKER_LOST)
_BODIES_SAMPLED, _BODIES_SHED = int(Slot.BODIES_SAMPLED), int(Slot.BODIES_SHED)
_WHOLE, _SKIPPED, _SAMPLED, _SHED = map(int, (Capture.WHOLE, Capture.SKIPPED, Capture.SAMPLED, Capture.SHED))
_CAPTURE: Final = 7
_HALVINGS: Final = 3
"""A fate is a capture in its lowest three bits, and above them how often the share of bodies was halved."""


class Asked:
    """A whole request that passed and is not answered yet."""

    __slots__ = ("begun_ns", "data", "head")

    def __init__(self, head: Head, data: bytes, begun_ns: int) -> None:
        self.head = head
        self.data = data
        self.begun_ns = begun_ns


class Dispatch:
    """The way of one worker's exchanges into its ring."""

    __slots__ = (
        "_ended", "_full", "_halvings", "_lengths", "_longest_inline", "_lost", "_no_room", "_parts", "_refused_at",
        "_tally", "_wall_ns", "_writer", "longest",
    )  # fmt: skip

    def __init__(self, tally: Tally, writer: Writer) -> None:
        self._tally = tally
        self._writer = writer
        self._halvings = tally.slots[Slot.HALVINGS] = 0
        self._longest_inline = writer.piece // 2  # heads take far less than the other half
        self.longest = writer.longest
        """Longest pair of bodies that finds room, bytes."""
        self._parts: list[bytes] = []
        """Of the records that will be handed over together, one behind the other."""
        self._lengths: list[int] = []
        """Of these records, bytes."""
        self._ended: list[tuple[int, int]] = []
        """Status and duration, nanoseconds, of each of them."""
        self._wall_ns = 0
        """What the wall clock is ahead of the other one while they gather."""
        self._lost: dict[int, int] = {}
        """How many of these records had bodies, by the counter of why they have none."""
        self._no_room = False
        """The part of the ring that bodies may take is full."""
        self._refused_at = -1
        """Where the reader was when the ring had no room at all."""
        self._full = False

    def begin(self, wall_ns: int) -> None:
        """Exchanges will be gathered now. The wall clock is so far ahead of the monotonic one, nanoseconds."""
        self._wall_ns = wall_ns
        self._measure()
        self._full = self._no_room and self._refused_at == self._tally.slots[_TAIL]

    def gather(self, asked: Asked, head: Head, data: bytes, now: int) -> None:
        """An exchange of two whole messages that ended `now` is handed over with the others of its time."""
        if self._full:  # nothing has been taken since the last ones were refused
            self._ended.append((head.status, now - asked.begun_ns))
            return
        request = asked.head
        why = self._fate(request, head)
        if request.answered_by is not head or request.fate != why:
            request.form = frames.form(request, head, Capture(why & _CAPTURE), why >> _HALVINGS)
            request.answered_by, request.fate = head, why
        form = request.form
        duration = now - asked.begun_ns
        parts = [frames.moments(now, now + self._wall_ns, duration), form]
        length = frames.MOMENTS_BYTES + len(form)
        if why & _CAPTURE == _WHOLE:
            parts += (asked.data[request.size :], data[head.size :])
            length += request.body_size + head.body_size
        self._parts += parts
        self._lengths.append(length)
        self._ended.append((head.status, duration))

    def flush(self) -> None:
        """Count what has gathered and hand it over, together if there is room. A fault of ours is counted as a loss."""
        lengths, parts, ended, lost = self._lengths, self._parts, self._ended, self._lost
        if not ended:
            return
        self._parts, self._lengths, self._ended, self._lost = [], [], [], {}
        self._tally.exchanges(ended)
        settled = self._settled()
        try:
            if lengths:
                self._hand_over_all(lengths, b"".join(parts), lost)
            self._tally.add(_RING_FULL, len(ended) - len(lengths))
        except Exception:  # noqa: BLE001 (whoever calls has bytes to forward)
            self._write_off(settled, len(ended))

    def _hand_over_all(self, lengths: list[int], records: bytes, lost: dict[int, int]) -> None:
        if self._writer.offer_all(lengths, records, reserve=not self._no_room):
            for slot, count in lost.items():
                self._tally.add(slot, count)
        elif self._no_room:  # nothing that could be shed: no reason to look at each of them
            self._tally.add(_RING_FULL, len(lengths))
            self._refused_at = self._tally.slots[_TAIL]
        else:
            at = 0
            for length in lengths:
                self._hand_over(frames.unpack(records[at : at + length]))
                at += length

    def one(self, exchange: Exchange) -> None:
        """An exchange that was read closely is counted and handed over by itself, in the order in which they ended."""
        self.flush()
        self._tally.exchanges([(exchange.status, exchange.duration_ns)])
        settled = self._settled()
        try:
            self._hand_over(self._sample(exchange))
        except Exception:
            self._write_off(settled, 1)
            raise

    def _settled(self) -> int:
        """Exchanges of which it is known what became of them."""
        return self._tally.slots[_SEQUENCE] + self._tally.slots[_RING_FULL]

    def _write_off(self, settled: int, count: int) -> None:
        """Of the last `count` exchanges, all that are not settled by now are lost."""
        self._tally.add(_WORKER_LOST, count - (self._settled() - settled))

    def _measure(self) -> None:
        """How full the ring is, and what share of the bodies travels therefore."""
        slots, writer = self._tally.slots, self._writer
        queued = slots[_HEAD] - slots[_TAIL]
        if queued > writer.capacity >> 1 or self._halvings:  # nearly never
            halvings = sampling.halvings(queued, writer.capacity)
            if halvings != self._halvings:
                self._halvings = slots[Slot.HALVINGS] = halvings
            self._no_room = queued > writer.for_bodies

    def _fate(self, request: Head, response: Head) -> int:
        """What becomes of the bodies of the exchange that has just ended, and for how many it stands."""
        halvings = self._halvings
        if not request.wanted:
            return _SKIPPED | halvings << _HALVINGS
        if not halvings:
            return _WHOLE
        if not sampling.chosen(self._tally.slots[_OFFERED] + len(self._ended) + 1, halvings):
            why, slot = _SAMPLED, _BODIES_SAMPLED
        elif self._no_room:
            why, slot = _SHED, _BODIES_SHED
        else:
            return _WHOLE | halvings << _HALVINGS
        if request.body_size + response.body_size:
            self._lost[slot] = self._lost.get(slot, 0) + 1
        return why | halvings << _HALVINGS

    def _sample(self, exchange: Exchange) -> Exchange:
        self._measure()
        if not self._halvings:
            return exchange
        if not sampling.chosen(self._tally.slots[Slot.OFFERED], self._halvings):
            exchange = frames.without_bodies(exchange, Capture.SAMPLED)
        return exchange._replace(halvings=self._halvings)

    def _hand_over(self, exchange: Exchange) -> None:
        # Bodies are shed first: what has none may fill the ring to its end.
        if exchange.request.content or exchange.response.content:
            if self._offer_whole(exchange):
                self._count_shed(exchange)
                return
            exchange = frames.without_bodies(exchange)
        if self._writer.offer(frames.pack(exchange), reserve=False):
            self._count_shed(exchange)
        else:
            self._tally.add(_RING_FULL)

    def _offer_whole(self, exchange: Exchange) -> bool:
        parts = frames.pack(exchange)
        if len(exchange.request.content) + len(exchange.response.content) <= self._longest_inline:
            return self._writer.offer(parts, reserve=True)
        return self._writer.offer_long(parts[: frames.BODIES], parts[frames.BODIES :])

    def _count_shed(self, exchange: Exchange) -> None:
        captures = (exchange.request.capture, exchange.response.capture)
        if Capture.SHED in captures:
            self._tally.add(_BODIES_SHED)
        if Capture.SAMPLED in captures:
            self._tally.add(_BODIES_SAMPLED)
