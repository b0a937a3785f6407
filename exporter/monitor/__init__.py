"""All that is known of one model: observe(), flush(), snapshot(now). No socket, no clock, no thread.

What it knows is integers in named arrays (`arrays()`), so that somebody else can keep them safe; adding is all that
is ever done to them.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from numpy.typing import NDArray

from exporter.diagnosis.changes import Changes
from exporter.monitor import door, generated
from exporter.monitor.ageing import Ageing
from exporter.monitor.batch import Came
from exporter.monitor.block import Block
from exporter.monitor.checking import Checks
from exporter.monitor.failed import Failed
from exporter.monitor.gathering import WATCHING, Watching
from exporter.monitor.match import Fit
from exporter.monitor.payloads import Payloads
from exporter.monitor.performing import Performing
from exporter.monitor.rows import Rows
from exporter.monitor.said import NOTHING_SAID, Said
from exporter.monitor.sides import Given, Sides
from exporter.monitor.traffic import TrafficCounts
from exporter.monitor.valued import Valuing
from exporter.records import Exchange, Failure, Observation, Table
from exporter.reference import Profile
from exporter.sections import Windows
from exporter.snapshots import Recent, Snapshot

_REQUEST, _RESPONSE = 0, 1
_FAILURES: Final = {4: 0, 5: 1}
"""Places in FAILURE_CLASSES by the first digit of a code."""


class Monitor:
    """One model and version."""

    def __init__(
        self, profile: Profile | None, windows: Windows, probe_paths: tuple[str, ...], said: Said = NOTHING_SAID,
        watching: Watching = WATCHING,
    ) -> None:  # fmt: skip
        """`said` is what the operator says of columns of any profile."""
        self._traffic = TrafficCounts(probe_paths)
        self._payloads = Payloads()
        self._rows = Rows()
        self._generated = generated.Generated()
        self._profile, self._wall = profile, watching.wall
        self._sides = Sides(profile, windows, said, watching)
        self._ageing = Ageing(self._sides.blocks())
        features = self._sides.features
        self._failed = Failed(profile.asked, windows, features.binner) if profile and features else None

    @property
    def unreadable(self) -> int:
        """Columns that are hashed under a salt that nobody gave us."""
        return self._sides.unreadable

    @property
    def performing(self) -> Performing | None:
        """How good it is; None where nobody tells the truth, or it is not known what is predicted."""
        predicting = self._sides.predicting
        return predicting.performing if predicting else None

    @property
    def valuing(self) -> Valuing | None:
        """Business values; None where nobody looks for any."""
        return self._sides.valuing

    @cached_property
    def checks(self) -> Checks:
        """What tells which checks single rows failed; it knows nothing before somebody asks."""
        return Checks(self._sides.features, self._sides.outputs)

    @property
    def changes(self) -> Changes:
        """What was changed of late that may have to do with a drift."""
        return self._sides.changes

    @changes.setter
    def changes(self, changes: Changes) -> None:
        self._sides.changes = changes

    def arrays(self, series: str = "model") -> dict[str, NDArray[Any]]:
        """Everything counted so far, by name; call `flush` first.

        `series` stands for model and version: what has them as labels goes on with nobody else's.
        """
        digest = self._profile.digest if self._profile else "none"
        kept = {"probes": self._traffic.probes, **self._payloads.arrays(), f"{series}.counts": self._rows.counts,
                **self._traffic.arrays(f"{series}.traffic"),
                **self._generated.arrays(f"{series}.generated")}  # fmt: skip
        kept |= self._sides.arrays(f"{series}.{digest}")
        kept |= self._ageing.arrays(series, f"{series}.{digest}")
        predicting = self._sides.predicting
        kept |= predicting.arrays(series, f"{series}.{digest}") if predicting else {}
        return kept | (self._failed.arrays(f"{series}.{digest}.failed") if self._failed else {})

    def held(self, now: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What its windows hold at `now`, to be kept for another time; call `flush` first. No counts since start.

        Name by name, with copies of the arrays: all at once would be in memory twice. Count nothing until the last one.
        """
        yield from self._sides.held(now)
        yield from self._ageing.held()
        if self._sides.predicting:
            yield from self._sides.predicting.held(now, self._wall(now))

    def put_back(self, held: Mapping[str, NDArray[Any]], shift_s: float, now: float) -> int:
        """Go on with windows that were held when the clock showed `shift_s` less: how many panes there were.

        What does not fit, or would have left the windows by `now`, is left out.
        """
        panes = self._sides.put_back(held, shift_s, now)  # first: what segments are called is put back with it
        self._ageing.put_back(held)
        if self._sides.predicting:
            self._sides.predicting.put_back(held, shift_s, now, self._wall(now))
        return panes

    def recall(self, held: Mapping[str, NDArray[Any]]) -> None:
        """Of what was held under whatever profile, go on with the version's first answer."""
        self._ageing.recall(held)

    # in

    def observe(self, exchange: Exchange, observation: Observation) -> bool:
        """Count an exchange and what was decoded of it; whether it is traffic of the model, and no health probe.

        Its moment is its own, so that late ones land right.
        """
        if not self._traffic.add(exchange):
            return False
        self._ageing.see(exchange)
        features, predictions = observation.features, observation.predictions
        if observation.protocol == generated.PROTOCOL:
            self._generated.add(exchange, observation)
        asked = answered = None
        if features is not None:
            features, asked = self._input(exchange, features)
            self._payloads.add(_REQUEST, features, observation.protocol, exchange)
        if predictions is not None:
            predictions, answered = _counting(self._sides.outputs, predictions)
            self._payloads.add(_RESPONSE, predictions, observation.protocol, exchange)
            if isinstance(predictions, Table) and not observation.request_id:
                self._rows.without_id(predictions.rows - sum(map(bool, observation.row_ids)))
        self._sides.add(_came(exchange, observation), asked, answered)
        return True

    def _input(self, exchange: Exchange, table: Table | Failure) -> tuple[Table | Failure, Given | None]:
        """The features of an exchange, if they count, or why they do not."""
        if exchange.status and not 200 <= exchange.status < 300:  # 0 where nobody knows it
            return self._failed_input(exchange, table), None
        judged, given = _counting(self._sides.features, table)
        if given and self._sides.features and given.fit.strangers:
            self._rows.unknown_fields(self._sides.features.unknown_fields(given.fit, given.table))
        self._rows.served(exchange, judged)
        return judged, given

    def _failed_input(self, exchange: Exchange, table: Table | Failure) -> Table | Failure:
        """As `_input`, of one that failed. That the server refuses what we cannot read either is no finding."""
        failure = _FAILURES.get(exchange.status // 100)
        judged, fit = _judged(self._sides.features, table)
        if failure is None or isinstance(judged, Failure):  # of a redirection the same comes again, elsewhere
            return Failure("error_status")
        self._rows.failed(failure, judged.rows)
        if self._failed and fit:
            self._failed.add(failure, fit, judged, exchange.ended_ns / 1e9)
        return judged

    def flush(self) -> None:
        """Bring what was observed into the counts."""
        self._traffic.flush()
        self._sides.flush()
        if self._failed:
            self._failed.flush()

    # out

    def news(self, now: float) -> Iterator[str]:
        """Lines for the log about payloads that could not be decoded: a bounded number a minute."""
        return self._payloads.news(now)

    def recent(self, side: str, names: Sequence[str], now: float) -> Recent | None:
        """What columns of a side, `feature` or `output`, held of late, pane by pane; None where none is watched."""
        block = {"feature": self._sides.features, "output": self._sides.outputs}.get(side)
        return block.recent(now, names) if block else None

    def snapshot(self, now: float) -> Snapshot:
        """All that is known at `now` (seconds, the exchanges' monotonic clock)."""
        segments, evidence = self._sides.segmented(now), self._sides.evidence(now)
        features, outputs = self._sides.diagnosed(now, self._sides.snapshot(now), segments, evidence)
        successful = self._sides.features
        return Snapshot(
            traffic=self._traffic.snapshot(),
            decoding=self._payloads.snapshot(),
            rows=self._rows.snapshot(),
            unread=self._payloads.last(),
            features=features,
            outputs=outputs,
            failed=self._failed.snapshot(now, successful.counted) if self._failed and successful else None,
            segments=segments,
            evidence=evidence,
            grouped=self._sides.grouped(),
            generated=self._generated.snapshot(),
            estimated=self._sides.predicting.estimated(now) if self._sides.predicting else (),
            performed=self.performing.snapshot(self._wall(now)) if self.performing else None,
            valued=tuple(self.valuing.snapshot(self._wall(now))) if self.valuing else (),
            looped=self._sides.looping.snapshot(outputs, self.performing, now, self._wall(now))
            if self._sides.looping and outputs
            else None,
            unreadable=self.unreadable,
            aged=self._ageing.snapshot(self.performing.trend(self._wall(now)) if self.performing else None),
        )


def _came(exchange: Exchange, observation: Observation) -> Came:
    """What comes with rows, ids of those of the answer."""
    answer, ids = observation.predictions, observation.row_ids
    own = ids if isinstance(answer, Table) and len(ids) == answer.rows else ()
    values = observation.values if not exchange.status or 200 <= exchange.status < 300 else ()
    return Came(
        exchange.ended_ns / 1e9, exchange.request_headers, exchange.wall_ns, observation.request_id, own, values
    )  # fmt: skip


def _counting(block: Block | None, table: Table | Failure) -> tuple[Table | Failure, Given | None]:
    """A table, or why it does not count; and what counts of it, where there is something that it could fit."""
    judged, fit = _judged(block, table)
    if block is None or fit is None:
        return judged, None
    block.note(fit)
    return judged, None if isinstance(judged, Failure) else Given(fit, judged)


def _judged(block: Block | None, table: Table | Failure) -> tuple[Table | Failure, Fit | None]:
    """A table, or why it cannot be of this model; and how it fits, where there is something that it could fit."""
    if block is None or isinstance(table, Failure) or not table.rows or not door.is_open(table):
        return table, None
    fit = block.fit(table)
    return (Failure("profile_mismatch", fit.mismatch) if fit.mismatch else table), fit
