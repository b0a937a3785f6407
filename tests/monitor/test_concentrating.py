"""How widely predictions lie, window by window, and whether inputs follow them: out of the windows there are."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from monitor_scenes import exchange

from exporter.decode import Decoder
from exporter.looped import Looped
from exporter.loops import Loops
from exporter.monitor import Monitor
from exporter.monitor.gathering import WATCHING
from exporter.monitor.predicting import Hindsight
from exporter.monitor.said import NOTHING_SAID
from exporter.profile.build import Plan, build_frame
from exporter.reference import Profile
from exporter.sections import Windows

PANES, WIDE = 120, 5.0
END = PANES * WIDE
WINDOWS = Windows(pane=1.0, lengths=(10.0, END), minimum_samples=50)


def train(seed: int = 1, rows: int = 4000) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    asked = random.normal(size=(rows, 3))
    said = asked @ [0.5, 0.6, 0.4]
    return {"a": asked[:, 0], "b": asked[:, 1], "town": random.choice(["x", "y"], rows), "c": asked[:, 2],
            "score": said, "class": random.choice(["p", "q", "r"], rows, p=[0.5, 0.3, 0.2])}  # fmt: skip


@pytest.fixture(scope="module")
def profile() -> Profile:
    return build_frame({name: list(cells) for name, cells in train().items()}, Plan("t", ["score", "class"]))[0]


def watch(profile: Profile, **loops: Any) -> Monitor:
    watching = WATCHING._replace(hindsight=Hindsight(loops=Loops(**loops)))
    return Monitor(profile, WINDOWS, (), NOTHING_SAID, watching)


def ask(monitor: Monitor, rows: Any, answers: Any, at: float) -> None:
    asked = [{"a": row[0], "b": row[1], "c": row[2], "town": "x"} for row in np.asarray(rows).tolist()]
    one = exchange(asked, [{"score": score, "class": name} for score, name in answers], at)
    monitor.observe(one, Decoder().decode(one))


def looped(monitor: Monitor, now: float) -> Looped:
    monitor.flush()
    found = monitor.snapshot(now).looped
    assert found
    return found


def traffic(monitor: Monitor, loop: float, seed: int = 3, rows: int = 60) -> None:
    """`loop` is how much of the mean score of a pane comes back in the mean of `b` of the next one."""
    random = np.random.default_rng(seed)
    before = 0.0
    for pane in range(PANES):
        asked = random.normal(size=(rows, 3))
        asked[:, 1] += loop * before
        said = asked @ [0.5, 0.6, 0.4]
        before = float(said.mean())
        ask(
            monitor,
            asked,
            zip(said.tolist(), random.choice(["p", "q", "r"], rows).tolist(), strict=True),
            (pane + 0.5) * WIDE,
        )


def test_predictions_that_all_come_to_lie_in_one_place_fall_below_the_reference_beyond_chance(
    profile: Profile,
) -> None:
    monitor = watch(profile)
    random = np.random.default_rng(2)
    rows = random.normal(size=(400, 3))
    ask(monitor, rows, [(0.01, "p")] * 400, 1.0)
    found = looped(monitor, 2.0)
    score, name = range(2)
    one = found.spread[0]
    assert one.window == "10s"
    assert (one.entropy == 0).all()
    assert (one.entropy_critical > 0.3).all()
    assert one.effective == pytest.approx([1, 1])
    assert (one.largest == 1).all()
    assert one.largest_critical[score] < 0.25
    assert one.largest_critical[name] == pytest.approx(0.5, abs=0.2)
    assert found.reference_entropy[score] == pytest.approx(math.log(12) / math.log(16), abs=0.05)
    shares = np.array([0.5, 0.3, 0.2])
    assert found.reference_entropy[name] == pytest.approx(-(shares * np.log(shares)).sum() / math.log(6), abs=0.02)


def test_predictions_as_ever_are_within_chance_in_every_window(profile: Profile) -> None:
    monitor, rows = watch(profile), train(5, 600)
    asked = np.column_stack([rows[name] for name in "abc"])
    ask(monitor, asked, zip(rows["score"].tolist(), rows["class"].tolist(), strict=True), 1.0)
    for one in looped(monitor, 2.0).spread:
        assert (one.entropy > one.entropy_critical).all()
        assert (one.largest < one.largest_critical).all()


def test_an_empty_window_has_no_spread(profile: Profile) -> None:
    one = looped(watch(profile), 2.0).spread[0]
    assert np.isnan([one.entropy, one.entropy_critical, one.effective, one.largest, one.largest_critical]).all()


def test_rows_that_come_as_one_make_the_band_wider(profile: Profile) -> None:
    grouped = replace(profile, outputs=tuple(replace(one, dependence=10.0) for one in profile.outputs))
    bands = []
    for which in (profile, grouped):
        monitor = watch(which)
        ask(monitor, np.zeros((400, 3)), [(0.0, "p")] * 400, 1.0)
        bands.append(looped(monitor, 2.0).spread[0].entropy_critical)
    assert (bands[1] < bands[0]).all()


def test_inputs_that_follow_predictions_are_seen_and_named(profile: Profile) -> None:
    monitor = watch(profile)
    traffic(monitor, loop=1.0)
    found = looped(monitor, END).returned
    assert found
    assert found.size > found.critical
    assert (found.output, found.feature) == ("score", "b")
    assert (found.panes, found.pane_s) == (PANES - 3, WIDE)


def test_inputs_that_follow_nothing_are_within_the_band(profile: Profile) -> None:
    monitor = watch(profile)
    traffic(monitor, loop=0.0)
    found = looped(monitor, END).returned
    assert found
    assert found.size < found.critical


def test_what_was_found_stands_until_the_next_pane_is_over(profile: Profile) -> None:
    monitor = watch(profile)
    traffic(monitor, loop=1.0)
    first = looped(monitor, END).returned
    ask(monitor, np.full((60, 3), 5.0), [(3.0, "p")] * 60, END + 0.2)
    assert looped(monitor, END + 0.5).returned is first
    assert looped(monitor, END + 5.5).returned != first


def test_too_few_panes_say_nothing_of_inputs(profile: Profile) -> None:
    monitor = watch(profile)
    ask(monitor, np.zeros((60, 3)), [(0.0, "p")] * 60, 0.5)
    assert looped(monitor, 5.0).returned is None


def test_nobody_has_to_look_for_loops(profile: Profile) -> None:
    monitor = watch(profile, enable=False)
    assert monitor.snapshot(1.0).looped is None
