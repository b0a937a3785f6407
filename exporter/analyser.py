"""The analysing process: takes exchanges from the rings, decodes, observes, scores, and serves the result.

It may die at any moment and lose only what it had taken and not yet committed, which is counted. Its orders are one
line of JSON on standard input.
"""

import gc
import io
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from exporter import collect, config, late_truth, logs, manners, merge_source, metadata, retrain, web, witness
from exporter.budget import shape
from exporter.collect.rendered import Rendered
from exporter.collect.scene import Page, Scene
from exporter.condition import Health
from exporter.decode import Decoder, rules
from exporter.errors import ExporterError
from exporter.events import exchanges
from exporter.events.desk import Desk, Told
from exporter.handoff import board, report
from exporter.handoff.board import Seat
from exporter.handoff.ledger import Chapters, Ledger
from exporter.handoff.reader import Reader
from exporter.handoff.ring import Ring
from exporter.monitor import stream
from exporter.monitor.models import Models
from exporter.monitor.naming import OTHER
from exporter.process import DRAIN, OUT_OF_MEMORY
from exporter.referring import Referring
from exporter.rules import files
from exporter.state import clock
from exporter.state import windows as state_windows
from exporter.status import panes, told
from exporter.surroundings import Surroundings
from exporter.web import entrance, feedback, lifecycle, merged, settings_page, status, windows
from exporter.web.windows import Scored

_LOG = logging.getLogger("exporter.analyser")
_BATCH_RECORDS: Final = 2000
_BATCH_BYTES: Final = 2 << 20
_SHORTEST_SLEEP_S: Final = 0.005
_LONGEST_SLEEP_S: Final = 0.1
_LAST_DRAIN_S: Final = 5.0
_TRIM_EVERY_S: Final = 10.0
_COMMIT_PACE: Final = 20
"""Commits may take one part in so many of the time."""
_PAGE_PACE: Final = 5
"""And the page of many models one part in so many."""
_SHORTEST_COMMIT_S: Final = 0.05
"""What waits is counted with every commit, and few at a time cost the more each."""
_OBSERVED, _CORRUPT, _LOST = range(3)
_OWN: Final = "analyser"
"""The chapter that is of no model."""
_MADE: Final = "provisional"
"""And that of provisional references, by model."""


class Analyser:
    """Everything the analysing process holds."""

    def __init__(self, orders: dict[str, Any], news: Iterable[bytes]) -> None:
        """`orders` are what there is to do, `news` those that follow while it runs."""
        settings = config.from_document(orders["settings"])
        self._settings = settings
        self._supervisor = orders["supervisor"]
        self._board = board.attach(orders["board_fd"])
        self._rings = [Ring(fd) for fd in orders["ring_fds"]]
        self._readers = [Reader(ring) for ring in self._rings]
        self._fill = [0.0] * len(self._rings)
        self._desk = Desk(settings.events, self._board, settings.kept_headers)
        self._ledger = Ledger(orders["ledger_fd"])
        self._around = Surroundings(settings, self._board, self._rings, self._ledger.chapters().get(_OWN, {}))
        referring = self._referring = Referring(settings, orders, self._ledger.chapters().get(_MADE, {}), self._board)
        references, said = referring.references, referring.said
        self._models = Models(referring.settings, references, said, referring.provisional, clock.wall)
        self._late = late_truth.of(settings, self._models, self._board)
        self._retraining = retrain.of(settings, self._board)
        self._witness = witness.of(referring.settings, said.salt, said.private)
        self._decoder = Decoder(rules.of(settings), metadata.asked(settings), self._models.profile_of)
        self._accounts = np.zeros(3, np.int64)
        self._uncommitted, self._commit_due, self._trim_due = False, 0.0, 0.0
        self._settle()
        self._keeper = state_windows.keeper(settings, self._board, self._models, self._commit)
        if self._keeper is not None:
            self._keeper.resume()
        self._renderer = collect.Renderer(shape.of(settings), socket.gethostname())
        self._page: Rendered | None = None
        self._scored: Sequence[Scored] = ()
        self._snapshot_seconds = 0.0
        self._stop = threading.Event()
        self._panes = panes.Desk(clock.wall)
        self._told = told.Told(settings, files.defaults, self._panes)
        switch = partial(report.observe, self._rings) if settings.web.enable_lifecycle else None
        events = self._desk if settings.takes_events else None
        app = web.create_app(lambda: self._page, switch, events)
        merged.add(app, merge_source.merging(settings, self._board))
        windows.add(app, lambda: self._scored, settings.windows.minimum_samples)
        status.add(app, self._told, status.links_of(settings))
        feedback.add(app, self._late.desk)
        self._retraining.open(app)
        lifecycle.add(app, self._board[Seat.SUPERVISOR_PID] if settings.web.enable_lifecycle else None)
        settings_page.add(app, settings_page.Latest(settings, news))
        self._entrance = entrance.of_sidecar(settings, self._board)
        sock = socket.socket(fileno=orders["web_fd"])
        longest = max(self._desk.most_bytes if events else 0, self._late.most_bytes, self._retraining.most_bytes)
        self._web = self._entrance.open(sock, app, longest)

    @property
    def _chapters(self) -> Chapters:
        """All that is kept of this process."""
        own = {"accounts": self._accounts, "events": self._desk.counts, **self._models.attributing.own}
        own |= self._around.own | self._late.own | self._retraining.own | self._witness.own
        return {_OWN: own, _MADE: self._referring.provisional.arrays(), **self._models.chapters()}

    def _settle(self) -> None:
        """Go on from what was committed; what a predecessor took and did not commit is lost, and counted."""
        kept = self._ledger.chapters()
        for name, array in self._chapters[_OWN].items():
            if name in kept.get(_OWN, {}):
                array[...] = kept[_OWN][name]
        self._models.restore({title: arrays for title, arrays in kept.items() if title not in (_OWN, _MADE)})
        taken = sum(reader.taken() for reader in self._readers)
        self._accounts[_LOST] = taken - self._accounts[_OBSERVED] - self._accounts[_CORRUPT]
        self._desk.settle()
        self._late.settle()
        self._witness.settle()
        self._commit()

    # the loop

    def run(self) -> None:
        """Work until told to stop, then empty the rings once more."""
        signal.signal(DRAIN, lambda *_: self._stop.set())
        self._around.watch(self._stop)
        gc.freeze()
        sleep, due = _SHORTEST_SLEEP_S, 0.0
        while not self._stop.is_set() and os.getppid() == self._supervisor:
            self._board[Seat.ANALYSER_HEARTBEAT_NS] = time.monotonic_ns()
            busy = self._take()
            self._panes.answer(self._models)
            self._referring.look()
            self._uncommitted |= self._witness.look() | self._models.look_at_profiles() or self._late.look()
            if time.monotonic() >= due:
                self._publish()
                pause_s = max(self._settings.windows.snapshot_interval, self._snapshot_seconds * _PAGE_PACE)
                due = time.monotonic() + pause_s
            if self._keeper is not None:
                self._keeper.keep_when_due()
            sleep = _SHORTEST_SLEEP_S if busy else min(sleep * 2, _LONGEST_SLEEP_S)
            if not busy:
                time.sleep(sleep)
        self._finish()

    def _finish(self) -> None:
        deadline = time.monotonic() + _LAST_DRAIN_S
        self._desk.close()
        while self._take() and time.monotonic() < deadline:
            pass
        self._take_in(self._desk.rest())
        self._witness.finish()
        self._witness.look()
        self._uncommitted = True
        self._publish()
        self._late.finish()
        self._retraining.finish()
        if self._keeper is not None:
            self._keeper.finish()
        self._web.stop()

    def _take(self) -> bool:
        """Take what the rings hold, within bounds; whether there was anything. It is committed soon."""
        taken = 0
        for at, (ring, reader) in enumerate(zip(self._rings, self._readers, strict=True)):
            self._fill[at] = max(self._fill[at], reader.queued_bytes / ring.capacity)
            before = reader.corrupt
            records = reader.take(_BATCH_RECORDS, _BATCH_BYTES)
            damaged = stream.observe(records, self._decoder, self._models, self._witness.eyes)
            taken += len(records)
            self._accounts[_OBSERVED] += len(records) - damaged
            self._accounts[_CORRUPT] += reader.corrupt - before + damaged
        decided = self._desk.decided
        self._take_in(self._desk.take())
        taken += self._desk.decided - decided
        self._uncommitted = self._uncommitted or bool(taken)
        if self._uncommitted and time.monotonic() >= self._commit_due:
            self._commit()
        return bool(taken)

    def _take_in(self, told: Sequence[Told]) -> None:
        """Observe what somebody else watched."""
        for pair, exchange in (one for one in told if self._models.attributing.is_data(one[1])):
            seen, known = exchanges.known(pair, self._decoder.decode(exchange)), exchanges.counted(pair, exchange)
            self._witness.see([known], [seen], [self._models.observe(known, seen)])

    def _commit(self) -> None:
        """Make what was observed so far the truth. It looks at everything, so it is paced by what it costs."""
        self._late.add()
        begun = time.monotonic()
        self._models.flush()
        made = {_MADE} if self._referring.provisional.changed else set[str]()
        self._ledger.commit(self._chapters, {_OWN, *made, *self._models.changed})
        self._models.changed.clear()
        self._referring.provisional.changed = False
        self._late.hand_over()
        self._retraining.hand_over()
        self._uncommitted = False
        self._commit_due = begun + max((time.monotonic() - begun) * _COMMIT_PACE, _SHORTEST_COMMIT_S)

    # the page

    def _publish(self) -> None:
        begun = time.perf_counter()
        if self._around.look(self._models.label_of) or self._uncommitted:
            self._commit()  # what was once shown must never be lost
        health = self._health(time.time())
        server = self._around.lookout.server
        self._models.chronicle.server = server.process
        shown = self._models.shown(time.monotonic())
        scenes = tuple(
            Scene(*one.label, one.profile, one.snapshot, server, health, one.visible, one.label.model == OTHER)
            for one in shown
        )
        collecting = self._referring.provisional.progress(
            one.label for one in shown if one.is_served and one.profile is None and one.label.model != OTHER
        )
        self._witness.watch(shown, self._models)
        page = Page(scenes, health, self._models.attributing.snapshot(), collecting, *self._witness.shown)
        self._page = self._renderer.render(page)
        self._told.show(page)
        self._scored = [Scored(one.label, one.profile, one.snapshot) for one in shown if one.is_served and one.profile]
        self._uncommitted |= self._retraining.look(retrain.watched(shown), time.time())
        for line in self._models.news(time.monotonic()):
            _LOG.warning("%s", line)
        self._snapshot_seconds = time.perf_counter() - begun
        if time.monotonic() >= self._trim_due:
            manners.trim()
            self._trim_due = time.monotonic() + _TRIM_EVERY_S

    def _health(self, wall_s: float) -> Health:
        observed, corrupt, lost = self._accounts.tolist()
        fill, self._fill = self._fill, [0.0] * len(self._rings)
        return Health(
            started_wall_s=self._board[Seat.STARTED_WALL_NS] / 1e9,
            observed=observed,
            relay=report.relay(self._rings, lost, corrupt),
            snapshot_wall_s=wall_s,
            snapshot_seconds=self._snapshot_seconds,
            ring_fill={f"worker-{index}": share for index, share in enumerate(fill)},
            events=self._desk.snapshot() if self._settings.takes_events else None,
            feedback=self._late.snapshot(),
            retrain=self._retraining.snapshot(),
            relaying=self._settings.relay,
            owner=self._settings.model.owner,
            web=self._entrance.standing,
            witnessed=self._witness.snapshot(),
            **self._around.seen,
            **report.processes(self._board, self._rings),
        )  # fmt: skip


def main() -> None:
    """Run the analyser to its end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # the supervisor says when; it is watched, and its end is ours
    told = io.FileIO(sys.stdin.fileno(), closefd=False)  # without a buffer, whose lock would be held at the end
    orders = json.loads(told.readline())
    seats = board.attach(orders["board_fd"])
    logs.start(orders["settings"]["log_level"], lambda: board.add(seats, Seat.ANALYSER_LOG_LINES_LOST))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    manners.step_back()
    manners.return_large_blocks()
    manners.limit_memory(orders["settings"]["analyser.memory_limit"])
    try:
        Analyser(orders, told).run()
    except ExporterError as error:
        _LOG.error("%s", error)
        sys.exit(error.exit_code)
    except MemoryError:
        _LOG.error("out of memory, as far as analyser.memory_limit goes")
        sys.exit(OUT_OF_MEMORY)
    except Exception:  # noqa: BLE001 (whatever it was, another one may go on)
        _LOG.critical("not caught", exc_info=True)
        logs.finish()
        os._exit(1)  # threads that wait for clients would keep us, and nobody would start us again


if __name__ == "__main__":
    main()
