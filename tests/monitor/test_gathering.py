"""Evidence in the monitor: of both sides, pane by pane, kept with the windows, and none where nobody wants it."""

from typing import Any

import numpy as np
import pytest
from monitor_scenes import DECODER, FEATURES, exchange, make_profile, training_rows

from exporter.guarantees import Evidence
from exporter.monitor import Monitor
from exporter.monitor.gathering import Watching
from exporter.monitor.said import Said
from exporter.override import Override, Overrides
from exporter.reference import Profile
from exporter.sections import Windows

PANE_S, START = 60.0, 1000.0
ROWS = training_rows(3000)
CALM = Overrides(
    features={"*": Override(dependence=1.0, wander=0.0)}, outputs={"*": Override(dependence=1.0, wander=0.0)}
)


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


def monitor(profile: Profile | None, **settings: Any) -> Monitor:
    watching = Watching(Evidence(**settings), lambda at: at + 1e9)
    return Monitor(profile, Windows(), (), Said(CALM), watching)


def watch(one: Monitor, panes: range, times: float = 1.0) -> None:
    """Rows of the training data, drawn again; amounts `times` larger."""
    draw = np.random.default_rng(panes.start)
    for pane in panes:
        places = draw.integers(0, 3000, 100).tolist()
        rows = [{name: ROWS[name][at] for name in FEATURES} for at in places]
        for row in rows:
            row["amount"] = row["amount"] and row["amount"] * times
        said = exchange(rows, [ROWS["score"][at] for at in places], START + pane * PANE_S)
        one.observe(said, DECODER.decode(said))


def evidence(one: Monitor, pane: int) -> Any:
    one.flush()
    return one.snapshot(START + pane * PANE_S).evidence


def test_drift_of_a_feature_pages_within_minutes_and_names_it(profile: Profile) -> None:
    one = monitor(profile)
    watch(one, range(60))
    calm = evidence(one, 60)
    assert calm.nats < calm.threshold / 2
    assert calm.streams.size == len(FEATURES) + 1
    watch(one, range(60, 75), times=3.0)
    told = evidence(one, 75)
    assert told.nats >= told.threshold
    assert told.streams.argmax() == FEATURES.index("amount")
    assert told.onset_s[0] == pytest.approx(1e9 + START + 60 * PANE_S, abs=3 * PANE_S)


def test_a_pane_counts_when_it_is_over_and_without_traffic_too(profile: Profile) -> None:
    one = monitor(profile)
    watch(one, range(1), times=100.0)
    assert evidence(one, 0) is None
    assert evidence(one, 1).streams[0] > 0


def test_it_goes_on_with_what_was_held_on_another_clock(profile: Profile) -> None:
    one, other = monitor(profile), monitor(profile)
    watch(one, range(10), times=2.0)
    before = evidence(one, 10)
    other.put_back({name: array.copy() for name, array in one.held(START + 10 * PANE_S)}, 0.0, START + 10 * PANE_S)
    after = evidence(other, 10)
    assert np.array_equal(after.streams, before.streams)
    assert after.nats == before.nats


def test_it_goes_on_with_its_arrays_after_a_death_of_the_process(profile: Profile) -> None:
    one, other, whole = (monitor(profile) for _ in range(3))
    watch(one, range(10), times=2.0)
    one.flush()
    for name, array in other.arrays().items():
        array[...] = one.arrays()[name]
    watch(whole, range(10), times=2.0)
    for each in (other, whole):
        watch(each, range(10, 20), times=2.0)
    assert np.array_equal(evidence(other, 20).streams, evidence(whole, 20).streams)


def test_there_is_none_without_a_profile_or_where_nobody_wants_it(profile: Profile) -> None:
    for one in (monitor(None), monitor(profile, enable=False)):
        watch(one, range(3))
        assert evidence(one, 3) is None
