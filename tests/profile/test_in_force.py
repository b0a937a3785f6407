"""What counts at a moment: adoptions until they expire, provisional references until there is a real one."""

import dataclasses
import logging
from pathlib import Path
from typing import Any

import pytest
from profile_tables import profile_of

from exporter.adoption import Adoption
from exporter.profile import document
from exporter.profile.directory import OneProfile
from exporter.profile.in_force import in_force, next_expiry
from exporter.profile.standing import Standing
from exporter.records import Label
from exporter.reference import Profile

NOW = 1_790_000_000.0


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    made, _ = profile_of(
        tmp_path / "t.csv",
        {"a": [row / 7 for row in range(100)], "b": [row / 3 for row in range(100)], "c": ["x", "y"] * 50},
    )
    return document.save(made, str(tmp_path / "p.json"))


def with_adoptions(profile: Profile, *adoptions: Adoption) -> Profile:
    return document.parse(document.describe(dataclasses.replace(profile, adoptions=adoptions)))


def adoption(name: str, expires_at: float | None = None, **changes: Any) -> Adoption:
    counts = (0,) * 13 + (50, 1, 0) if name != "c" else (3, 9, 0, 0, 0)
    moments = (20.0, 2.0, 14.0, 30.0) if name != "c" else (0.0, 0.0, 0.0, 0.0)
    return Adoption("features", name, counts, moments, "ada", "why", NOW - 10, expires_at, "24h")._replace(**changes)


def test_an_adopted_column_has_what_was_adopted_and_all_others_what_they_had(profile: Profile) -> None:
    counting = in_force(with_adoptions(profile, adoption("a"), adoption("c")), NOW)
    a, b, c = counting.features
    assert (a.counts[13:], a.mean, a.sd, a.minimum, a.maximum) == ((50, 1, 0), 20.0, 2.0, 14.0, 30.0)
    assert (a.edges, a.name, a.kind) == (profile.features[0].edges, "a", "numeric")
    assert b == profile.features[1]
    assert (c.counts, c.categories) == ((3, 9, 0, 0, 0), ("x", "y"))
    assert counting.replaced == (("features", profile.features[0]), ("features", profile.features[2]))


def test_what_no_longer_fits_an_adopted_column_is_left_out(profile: Profile) -> None:
    column = dataclasses.replace(profile.features[0], reference_error=0.1, hours=((1,) * 16,) * 168, wander=0.2)
    written = dataclasses.replace(profile, features=(column,), adoptions=(adoption("a"),))
    (a,) = in_force(written, NOW).features
    assert (a.hours, a.wander) == ((), 0.2)
    assert a.reference_error is not None
    assert 0 < a.reference_error < 0.1, "that of the 51 rows adopted, of which 50 are alike"


def test_the_digest_differs_whenever_other_adoptions_are_in_force_and_only_then(profile: Profile) -> None:
    written = with_adoptions(profile, adoption("a", NOW + 10), adoption("b", NOW + 20))
    digests = [in_force(written, NOW + later).digest for later in (0, 9.9, 10, 19.9, 20, 1e9)]
    assert digests[0] == digests[1] == written.digest
    assert digests[2] == digests[3] == with_adoptions(profile, adoption("b", NOW + 20)).digest
    assert digests[4] == digests[5] == profile.digest
    assert len(set(digests)) == 3
    assert in_force(written, NOW + 20).replaced == ()
    assert in_force(written, NOW + 20).features == profile.features


def test_a_profile_without_adoptions_is_itself(profile: Profile) -> None:
    assert in_force(profile, NOW) is profile
    assert next_expiry(profile, NOW) is None


def test_the_next_expiry_is_the_first_that_is_still_to_come(profile: Profile) -> None:
    written = with_adoptions(profile, adoption("a", NOW + 10), adoption("b", NOW + 20), adoption("c"))
    assert [next_expiry(written, NOW + later) for later in (0, 10, 20)] == [NOW + 10, NOW + 20, None]


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


def test_an_expiry_is_a_change_that_is_said_once(profile: Profile, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    standing = Standing(OneProfile(with_adoptions(profile, adoption("a", NOW + 10), adoption("b", NOW + 20))), clock)
    first = standing.of("m", "1")
    assert first is standing.of("m", "1"), "the same object, as long as nothing changes"
    assert standing.changes == 0
    clock.now = NOW + 10
    assert standing.changes == 1
    assert standing.changes == 1
    second = standing.of("m", "1")
    assert second is not None
    assert [one.name for one in second.adoptions] == ["b"]
    clock.now = NOW + 100
    assert standing.changes == 2
    assert standing.of("m", "1") == dataclasses.replace(profile, source=second.source)
    assert caplog.text.count("has expired") == 2
    assert caplog.text.count("what ada adopted for features 'a'") == 1


def test_a_clock_that_is_put_back_has_what_expired_count_again(profile: Profile, caplog: Any) -> None:
    clock = Clock()
    clock.now = NOW + 10**9  # as machines have it that boot before they know the time
    standing = Standing(OneProfile(with_adoptions(profile, adoption("a", NOW + 10), adoption("b", NOW + 20))), clock)

    def adopted() -> list[str]:
        found = standing.of("m", "1")
        return [one.name for one in found.adoptions] if found else []

    assert (adopted(), standing.changes) == ([], 0)
    clock.now = NOW + 15
    assert (standing.changes, standing.changes, adopted()) == (1, 1, ["b"])
    clock.now = NOW
    assert (standing.changes, adopted()) == (2, ["a", "b"])
    clock.now = NOW + 20
    assert (standing.changes, standing.changes, adopted()) == (3, 3, [])
    assert caplog.text.count("has expired") == 2


def test_what_is_offered_is_what_counts_too(profile: Profile) -> None:
    written = with_adoptions(dataclasses.replace(profile, model="churn"), adoption("a"))
    standing = Standing(OneProfile(written), Clock())
    offered = standing.offered("other")
    assert offered is not None
    assert offered.features[0].mean == 20.0
    standing.take("other")
    assert standing.of("other", "1") is offered
    standing.leave("other")
    assert standing.of("other", "1") is None


def test_a_provisional_reference_waits_behind_a_real_one_and_can_be_adopted_into(profile: Profile) -> None:
    label = Label("m", "1")
    alone = Standing(OneProfile(None), Clock())
    assert (alone.of(*label), alone.changes, alone.model) == (None, 0, "default")
    alone.put(label, with_adoptions(profile, adoption("a")))
    found = alone.of(*label)
    assert found is not None
    assert (found.features[0].mean, alone.changes) == (20.0, 1)
    alone.drop(label)
    alone.drop(label)
    assert (alone.of(*label), alone.changes) == (None, 2)
    behind = Standing(OneProfile(profile), Clock())
    behind.put(label, with_adoptions(profile, adoption("a")))
    assert behind.of(*label) is profile
