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

WINDOWS, NARROW = Windows(), Windows(pane=10.0, lengths=(60.0,))
NOTHING = Overrides(features={}, outputs={})
PANE_S, START = 60.0, 1000.0
ROWS = training_rows(3000)
CALM = Overrides(
    features={"*": Override(dependence=1.0, wander=0.0)}, outputs={"*": Override(dependence=1.0, wander=0.0)}
)


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


def monitor(profile: Profile | None, said: Overrides = CALM, windows: Windows = WINDOWS, **settings: Any) -> Monitor:
    return Monitor(profile, windows, (), Said(said), Watching(Evidence(**settings), lambda at: at + 1e9))


def after_its_death(one: Monitor, other: Monitor) -> Monitor:
    """Another one that goes on with what was kept of one, as far as it is called and shaped alike."""
    one.flush()
    kept = one.arrays()
    for name, array in other.arrays().items():
        if name in kept and kept[name].shape == array.shape:
            array[...] = kept[name]
    return other


def after_a_restart(one: Monitor, other: Monitor, pane: int) -> Monitor:
    """The same with what was held on disk."""
    one.flush()
    at = START + pane * PANE_S
    other.put_back({name: array.copy() for name, array in one.held(at)}, 0.0, at)
    return other


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
    one = monitor(profile)
    watch(one, range(10), times=2.0)
    before = evidence(one, 10)
    after = evidence(after_a_restart(one, monitor(profile), 10), 10)
    assert np.array_equal(after.streams, before.streams)
    assert after.nats == before.nats


def test_it_goes_on_with_its_arrays_after_a_death_of_the_process(profile: Profile) -> None:
    one, whole = monitor(profile), monitor(profile)
    watch(one, range(10), times=2.0)
    other = after_its_death(one, monitor(profile))
    watch(whole, range(10), times=2.0)
    for each in (other, whole):
        watch(each, range(10, 20), times=2.0)
    assert np.array_equal(evidence(other, 20).streams, evidence(whole, 20).streams)


def test_panes_of_another_width_are_another_time_and_nothing_of_theirs_is_taken(profile: Profile) -> None:
    one = monitor(profile)
    watch(one, range(10), times=100.0)
    assert evidence(one, 10).nats > 10
    held = after_a_restart(one, monitor(profile, windows=NARROW), 10)
    assert evidence(held, 10) is None
    kept = after_its_death(one, monitor(profile, windows=NARROW))
    watch(kept, range(10, 12))
    told = evidence(kept, 12)
    assert told.began_s == pytest.approx(1e9 + START + 10 * PANE_S, abs=10)
    assert told.nats < 1


def test_what_was_counted_while_nobody_wanted_evidence_is_none_later(profile: Profile) -> None:
    one = monitor(profile, enable=False)
    watch(one, range(10), times=100.0)
    other = after_its_death(one, monitor(profile))
    watch(other, range(10, 12))
    assert evidence(other, 12).streams.max() < 1


@pytest.mark.parametrize(
    "more", [{"tolerance": 0.3}, {"default_tolerance": 0.3}, {"said": Override(tolerance=0.4)}], ids=str
)
def test_whoever_tolerates_what_pages_is_paged_no_longer(profile: Profile, more: dict[str, Any]) -> None:
    one = monitor(profile, NOTHING)
    watch(one, range(60), times=3.0)
    paging = evidence(one, 60)
    assert paging.nats >= paging.threshold
    said = Overrides(features={"*": more.pop("said")}, outputs={}) if "said" in more else NOTHING
    for other in (
        after_its_death(one, monitor(profile, said, **more)),
        after_a_restart(one, monitor(profile, said, **more), 60),
    ):
        watch(other, range(60, 62))
        told = evidence(other, 62)
        assert told.nats < 1
        assert told.began_s == paging.began_s, "what traffic has shown stays"


def test_it_goes_on_where_something_else_is_said_that_is_not_about_tolerance(profile: Profile) -> None:
    one = monitor(profile)
    watch(one, range(10), times=3.0)
    before = evidence(one, 10)
    told = evidence(after_a_restart(one, monitor(profile, warm_up=3600.0, least_panes=2), 10), 10)
    assert np.array_equal(told.streams, before.streams)


def test_there_is_none_without_a_profile_or_where_nobody_wants_it(profile: Profile) -> None:
    for one in (monitor(None), monitor(profile, enable=False)):
        watch(one, range(3))
        assert evidence(one, 3) is None
