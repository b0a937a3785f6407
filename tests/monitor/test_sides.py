"""Both sides of a model in step: what was answered to a row stays beside it, however the rows come."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from monitor_scenes import exchange
from profile_tables import profile_of

from exporter.decode import Decoder
from exporter.monitor import Monitor, joint
from exporter.monitor.batch import Paired, Scope
from exporter.monitor.parts import Arrays, Told
from exporter.reference import Profile
from exporter.sections import Windows
from exporter.snapshots import BlockSnapshot, Measured

WINDOWS = Windows(pane=1.0, lengths=(10.0,))


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    numbers = [float(at % 100) for at in range(1000)]
    table = {"x": numbers, "word": ["a" if at % 3 else "b" for at in range(1000)], "p": numbers}
    made, _ = profile_of(tmp_path / "t.csv", table)
    return made


class Record:
    """Keeps the rows themselves, which no part of the exporter does."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, str | None, float]] = []

    def add(self, paired: Paired) -> None:
        asked, answered = paired.features, paired.outputs
        assert asked.rows == answered.rows == len(asked.names[1])
        self.rows += zip(asked.numbers[:, 0], asked.names[1], answered.numbers[:, 0], strict=True)

    def arrays(self, _prefix: str) -> Arrays:
        return {}

    def held(self, _prefix: str, _now: float) -> Arrays:
        return {}

    def put_back(self, _held: Arrays, _prefix: str, _shift_s: float, _now: float) -> None:
        """Nothing."""

    def snapshot(self, _now: float) -> Iterator[Told]:
        yield from ()


@pytest.mark.parametrize("sizes", [(1, 1, 1, 5, 2), (300,), (9000, 3), (4096, 4096, 1), (7, 5000, 7)])
def test_what_was_answered_to_a_row_is_counted_beside_it(
    sizes: tuple[int, ...], profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record()

    def made(_features: Scope, _outputs: Scope) -> Record:
        return record

    monkeypatch.setattr(joint, "JOINTS", {"record": made})
    monitor, expected, number = Monitor(profile, WINDOWS, ()), [], 0
    for turn, size in enumerate(sizes):
        rows = [{"x": float(number + at), "word": f"w{at}"} for at in range(size)]
        answers = [number + at + 0.5 for at in range(size)]
        number += size
        for given in (answers, answers[:-1], None):  # of the others nobody knows what was answered to which row
            seen = exchange(rows, given if given is not None else "no list", at=1.0 + turn / 10)
            monitor.observe(seen, Decoder().decode(seen))
        expected += [(row["x"], row["word"], answer) for row, answer in zip(rows, answers, strict=True)]
    monitor.flush()
    assert record.rows == expected
    features = monitor.snapshot(2.0).features
    assert features
    assert int(features.totals.bins[0].sum()) == 3 * sum(sizes)


def test_values_of_a_wrong_type_are_a_share_of_each_window(profile: Profile) -> None:
    monitor = Monitor(profile, WINDOWS, ())
    for at, rows in ((1.0, [{"x": "text", "word": "c"}, {"x": 1.0, "word": "a"}]), (15.0, [{"x": True}] * 4)):
        seen = exchange(rows, [0.0] * len(rows), at=at)
        monitor.observe(seen, Decoder().decode(seen))
    monitor.flush()
    assert of_window(monitor.snapshot(1.0).features) == {"10s": [0.5, 0.0]}
    assert of_window(monitor.snapshot(15.0).features) == {"10s": [0.0, 0.0]}
    assert all(np.isnan(values).all() for values in of_window(monitor.snapshot(100.0).features).values())


def of_window(block: BlockSnapshot | None) -> dict[str, list[float]]:
    assert block
    return {
        one.window: one.values.tolist()
        for one in block.aspects if isinstance(one, Measured) and one.word == "type_error_ratio"
    }  # fmt: skip
