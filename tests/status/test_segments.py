"""Parts of the traffic that no longer look like training, as the alert has it."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from monitor_scenes import FEATURES, make_profile
from told_scenes import CALM, KNOWN, WALL, World, times_hundred

from exporter.findings import SegmentScores, SegmentSnapshot
from exporter.override import Overrides
from exporter.reference import Profile
from exporter.status.facts import ACT, WATCH

WINDOWS = ("5m", "1h", "24h")


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


def scores(window: str, moved: float, name: str, samples: int = 1000) -> SegmentScores:
    """Of two tenants; of one of them a column has moved."""
    variation = np.zeros((2, len(FEATURES)))
    variation[1, FEATURES.index(name)] = moved
    return SegmentScores(
        "tenant", window, ("here", "there"), np.array([samples, samples]), np.array([True, True]) & (samples >= 200),
        variation, np.full_like(variation, 0.15),
    )  # fmt: skip


def told(world: World, *found: SegmentScores) -> tuple[list[str], dict[str, str]]:
    """Segments that are told of, and why."""
    model = world.model(segments=SegmentSnapshot((), found, ()))
    reasons = {one.text: one.verdict for one in model.judgement.reasons if one.code == "ModelSegmentDrift"}
    return [f"{one.text} {one.window} {one.why}" for one in model.segments], reasons


def test_a_part_that_moved_is_watched_with_the_column_that_moved_most(profile: Profile) -> None:
    found, reasons = told(World(profile).see(range(60)), scores("1h", 0.4, "age"))
    assert found == ["tenant=there 1h 40 % of the values of age are in other bins than in training"]
    assert reasons == {"Parts of the traffic no longer look like training: tenant=there.": WATCH}


@pytest.mark.parametrize(("said", "verdict"), [
    ({"severity": "page"}, ACT), ({"severity": "ticket"}, WATCH), ({"tolerance": 0.5}, None), ({"ignore": True}, None),
    ({"snooze_until": WALL * 2}, None),
])  # fmt: skip
def test_people_say_what_may_come_of_it(profile: Profile, said: dict[str, Any], verdict: str | None) -> None:
    overrides = Overrides(features={"age": dataclasses.replace(KNOWN, **said), "*": KNOWN}, outputs=CALM.outputs)
    found, reasons = told(World(profile, overrides).see(range(60)), scores("1h", 0.4, "age"))
    assert list(reasons.values()) == ([] if verdict is None else [verdict])
    assert bool(found) == (verdict is not None)


def test_what_is_back_in_the_shortest_window_that_suffices_is_no_news(profile: Profile) -> None:
    world = World(profile).see(range(60))
    assert told(world, scores("5m", 0.0, "age", 300), scores("1h", 0.4, "age")) == ([], {})
    found, _ = told(world, scores("5m", 0.0, "age", 100), scores("1h", 0.4, "age"))
    assert len(found) == 1


def test_what_all_the_traffic_shows_as_well_is_told_of_the_whole_alone(profile: Profile) -> None:
    world = World(profile).see(range(60)).see(range(60, 75), times_hundred)
    assert told(world, scores("5m", 0.9, "amount")) == ([], {})
    found, _ = told(world, scores("5m", 0.9, "age"))
    assert len(found) == 1
