"""What failed stays to be read: what went well pushes none of it out, and no failure pushes out all others."""

from collections import Counter
from collections.abc import Sequence

import pytest
from monitor_scenes import make_profile
from told_scenes import PANE_S, WALL, World, rows_of

from exporter.condition import DependencyState
from exporter.reference import Profile
from exporter.status.facts import Failing
from exporter.status.failing import MOST, MOST_OF_KIND


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


def failures(world: World) -> Sequence[Failing]:
    world.told.show(world.page())
    found = world.told.now()
    assert found is not None
    return found.sidecar.failures


def test_a_payload_that_nobody_could_read_is_remembered_through_any_number_that_somebody_could(
    profile: Profile,
) -> None:
    world = World(profile)
    world.send(b"nonsense", rows_of(0, 1)[1], 0.0)
    (failed,) = failures(world)
    assert (failed.where, failed.reason, failed.time) == ("request payload", "invalid_json", WALL)
    for pane in range(1, 60):
        assert failures(world.see(range(pane, pane + 1), count=2)) == (failed,)


def test_a_dependency_is_remembered_as_failing_when_it_is_up_again_and_only_once(profile: Profile) -> None:
    world = World(profile)
    for at in range(5):
        world.now = at * PANE_S
        world.changes = {"dependencies": (DependencyState("redis", "tcp://redis:1", "refused", "nothing listens"),)}
        (failed,) = failures(world)
        assert failed == Failing(WALL + at * PANE_S, "dependency", "refused", "redis (tcp://redis:1): nothing listens")
    world.changes = {"dependencies": (DependencyState("redis", "tcp://redis:1", ""),)}
    assert failures(world) == (failed,)


def test_no_kind_of_failure_has_more_room_than_others_and_all_of_them_have_an_end(profile: Profile) -> None:
    world = World(profile)
    for at in range(30):
        world.now = float(at)
        world.changes = {"dependencies": tuple(
            DependencyState(f"d{at}", "tcp://d:1", f"reason {kind}", "no") for kind in range(20)
        )}  # fmt: skip
        found = failures(world)
        assert len(found) <= MOST
    kinds = Counter(one.reason for one in found)
    assert len(kinds) == 20
    assert max(kinds.values()) <= MOST_OF_KIND
    assert [one.time for one in found] == sorted((one.time for one in found), reverse=True)
    assert found[0].time == WALL + 29


def test_settings_that_could_not_be_used_are_remembered_when_they_are_mended(profile: Profile) -> None:
    world = World(profile)
    world.changes = {"reload_successful": False}
    assert [one.where for one in failures(world)] == ["settings"]
    assert world.codes()["InferenceExporterReloadFailed"] == "watch"
    world.changes = {}
    assert [one.where for one in failures(world)] == ["settings"]


def test_a_long_text_of_a_stranger_is_cut_and_halves_of_characters_are_replaced(profile: Profile) -> None:
    world = World(profile)
    dependency = DependencyState("redis", "tcp://redis:1", "refused", "\ud800" + "x" * 10_000)
    world.changes = {"dependencies": (dependency,)}
    (failed,) = failures(world)
    assert len(failed.detail) == 500
    assert "?xxx" in failed.detail
