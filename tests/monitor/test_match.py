"""A payload that has fewer than half of what should be there is of another model, and is one finding."""

import random

import pytest
from monitor_scenes import FEATURES, OUTPUT, exchange, live_rows, make_profile, training_rows, undecoded, watch

from exporter.findings import MatchCounts
from exporter.monitor.match import Matcher
from exporter.reference import Column, Profile, Side


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


def columns(*missing: float) -> Side:
    """Categories `c0`, `c1` and so on, of which these shares are missing in 1000 rows."""
    found = tuple(
        Column(f"c{place}", "categorical", (round(1000 * (1 - share)), 0, 0, round(1000 * share)), categories=("x",))
        for place, share in enumerate(missing)
    )
    return Side(found, tuple(column.name for column in found))


def names(*places: int) -> tuple[str, ...]:
    return tuple(f"c{place}" for place in places)


def mismatched(matcher: Matcher, *given: str) -> bool:
    return bool(matcher.named(given).mismatch)


def test_fewer_than_half_of_the_columns_are_a_mismatch_and_half_are_none() -> None:
    matcher = Matcher(columns(0, 0, 0, 0))
    assert mismatched(matcher, *names(2))
    assert not mismatched(matcher, *names(1, 3))
    assert mismatched(matcher, *names(1), "new", "newer", "newest")
    assert not mismatched(matcher, *names(1, 2), "new", "newer", "newest"), "what is new beside it is no mismatch"


def test_a_column_that_the_reference_often_lacks_is_not_expected_to_be_there() -> None:
    matcher = Matcher(columns(0, 0, *[0.99] * 20))
    assert not mismatched(matcher, *names(0, 1))
    assert not mismatched(matcher, *names(0, 1, 7))
    assert mismatched(matcher, "new", "newer")


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("width", [1, 3, 10, 100])
def test_rows_of_the_training_data_without_their_nulls_match_but_for_one_in_a_thousand(
    share: float, width: int
) -> None:
    matcher = Matcher(columns(*[share] * width))
    draw = random.Random(f"{share} {width}")
    rows = [names(*(place for place in range(width) if draw.random() >= share)) for _ in range(5000)]
    wrong = sum(mismatched(matcher, *row) for row in rows)
    assert wrong <= 15, "5 are expected, and three standard deviations more are chance"


def test_a_row_of_nothing_but_strangers_is_a_mismatch_however_sparse_the_columns() -> None:
    matcher = Matcher(columns(*[0.99] * 5))
    assert mismatched(matcher, "new")
    assert not mismatched(matcher)


def test_a_mismatch_says_how_many_columns_there_were() -> None:
    matcher = Matcher(columns(0, 0, 0, 0, 0))
    assert matcher.named(names(1, 2)).mismatch == "2 of the profile's 5 columns"
    assert matcher.bare(3).mismatch == "3 columns where the profile has 5"
    assert not matcher.bare(5).mismatch


def test_of_two_columns_of_one_name_the_last_counts_and_places_are_by_name() -> None:
    fit = Matcher(columns(0, 0)).named(("c1", "new", "c0", "c1"))
    assert (tuple(fit.places), tuple(fit.strangers), fit.found) == ((2, 3), (1,), 2)


def test_a_flood_of_names_takes_no_memory() -> None:
    matcher = Matcher(columns(0, 0))
    for number in range(3000):
        matcher.named((f"c{number}", "c1"))
        matcher.named(("c0", "c1", *(f"{number} {place}" for place in range(100))))
    assert len(matcher._fits) <= 256
    assert all(len(kept) <= 66 for kept in matcher._fits)


def test_names_as_long_as_a_body_are_matched_and_not_remembered() -> None:
    matcher = Matcher(columns(0, 0))
    for number in range(20):
        assert matcher.named(("c0", "c1", f"{number}" + "x" * 100_000)).found == 2
    assert not matcher._fits


def test_traffic_of_another_model_leaves_the_windows_as_they_were(profile: Profile) -> None:
    rows = live_rows(300, 1)
    own = [exchange(rows, [0.5] * 300, 1.0)]
    strangers = [exchange([{"age": 3, "height": 180, "weight": 80}] * 10, [0.5] * 10, 1.0) for _ in range(40)]
    monitor = watch(profile, own + strangers)
    alone, beside = watch(profile, own).snapshot(1.0), monitor.snapshot(1.0)
    assert alone.features is not None
    assert beside.features is not None
    assert (alone.features.totals.bins == beside.features.totals.bins).all()
    for one, other in zip(alone.features.scores, beside.features.scores, strict=True):
        assert (one.samples == other.samples).all()
        assert (one.values["psi"] == other.values["psi"]).all()
    assert undecoded(monitor) == {("request", "profile_mismatch"): 40}
    assert beside.rows.observed == 300
    assert beside.features.match == MatchCounts(payloads=41, mismatched=40, fields=41 * 7, matched_fields=7 + 40)


def test_arrays_of_another_width_are_a_mismatch_and_an_empty_batch_is_none(profile: Profile) -> None:
    width = len(FEATURES)
    seen = [exchange([[1] * 3], [0.5], 1.0), exchange([[None] * width], [0.5], 1.0), exchange([], [], 1.0)]
    snapshot = watch(profile, seen).snapshot(1.0)
    assert snapshot.features is not None
    assert snapshot.features.match == MatchCounts(payloads=2, mismatched=1, fields=2 * width, matched_fields=width)


def test_what_failed_is_not_held_against_the_profile(profile: Profile) -> None:
    """A stranger whom the server refuses is no sign that the profile is wrong."""
    monitor = watch(profile, [exchange([{"height": 180}], b"no", 1.0, status=422)])
    features = monitor.snapshot(1.0).features
    assert features is not None
    assert features.match.payloads == 0
    assert undecoded(monitor) == {("request", "error_status"): 1, ("response", "error_status"): 1}


def test_the_training_data_itself_matches(profile: Profile) -> None:
    training = training_rows()
    rows = [{name: training[name][place] for name in FEATURES if training[name][place] is not None}
            for place in range(500)]  # fmt: skip
    snapshot = watch(profile, [exchange([row], [0.5], 1.0) for row in rows]).snapshot(1.0)
    assert snapshot.features is not None
    assert snapshot.features.match.mismatched == 0
    assert training[OUTPUT]
