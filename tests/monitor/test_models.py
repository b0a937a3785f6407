"""Whose an exchange is, which models are watched, and what is kept of them."""

import dataclasses
import logging
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitor_scenes import FEATURES, answers, exchange, live_rows, make_profile

from exporter import config
from exporter.decode import Decoder
from exporter.handoff import memory
from exporter.handoff.ledger import Ledger
from exporter.monitor.models import Models
from exporter.monitor.naming import OTHER
from exporter.profile.directory import OneProfile, in_directory
from exporter.records import REFUSALS, Failure, Observation, Owner, Table
from exporter.reference import Profile
from exporter.references import References

NOBODY = Observation(Failure("empty"), Failure("empty"))


@pytest.fixture(scope="module")
def nameless(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="module")
def churn(nameless: Profile) -> Profile:
    return dataclasses.replace(nameless, model="churn", version="7")


def models(profile: Profile | References | None = None, **given: Any) -> Models:
    """Models under settings, written as keys with __ for the dot."""
    place = "profile.json" if isinstance(profile, Profile) else "/profiles"
    named = {key.replace("__", "."): value for key, value in given.items()}
    found = config.resolve(("test", ({"profile": place} if profile else {}) | named))
    references = OneProfile(profile, found.model.name) if isinstance(profile, Profile | None) else profile
    return Models(found, references)


def see(watched: Models, model: str = "", version: str = "", status: int = 200, rows: int = 1, **changes: Any) -> None:
    """One prediction of some rows, as the traffic names it."""
    batch = live_rows(rows, 1)
    known = {name: changes.pop(name) for name in ("features",) if name in changes}
    seen = exchange(batch, answers(batch, 1), 1.0, status=status, path="/predict", **changes)
    watched.observe(seen, dataclasses.replace(Decoder().decode(seen), model=model, version=version, **known))


def requests(watched: Models) -> dict[tuple[str, str], int]:
    """Requests by model and version, of those that are on the page."""
    return {tuple(one.label): sum(one.snapshot.traffic.codes.values()) for one in watched.shown(1.0) if one.visible}  # type: ignore[misc]


def refused(watched: Models) -> dict[str, int]:
    return {
        reason: count for reason, count in zip(REFUSALS, watched.attributing.refused.tolist(), strict=True) if count
    }


def scored(watched: Models) -> set[str]:
    return {one.label.model for one in watched.shown(1.0) if one.visible and one.profile}


# --- whose an exchange is


def test_before_the_first_request_there_are_series_of_the_model_that_is_known(churn: Profile) -> None:
    assert requests(models()) == {("default", "unknown"): 0}
    assert requests(models(churn)) == {("churn", "7"): 0}
    assert requests(models(churn, model__name="x")) == {("x", "7"): 0}
    assert requests(models(churn, model__version="9")) == {("churn", "9"): 0}
    assert scored(models(churn)) == {"churn"}


@pytest.mark.parametrize(("settings", "profile", "named", "label"), [
    ({}, None, ("", ""), ("default", "unknown")),
    ({}, None, ("m", ""), ("m", "unknown")),
    ({}, None, ("m", "3"), ("m", "3")),
    ({}, "churn", ("", ""), ("churn", "7")),
    ({}, "churn", ("churn", ""), ("churn", "7")),
    ({}, "churn", ("churn", "8"), ("churn", "8")),
    ({}, "churn", ("", "8"), ("churn", "8")),
    ({}, "churn", ("m", ""), ("m", "7")),
    ({}, "nameless", ("m", ""), ("m", "unknown")),
    ({"model__name": "x"}, "churn", ("m", "8"), ("x", "8")),
    ({"model__name": "x"}, "churn", ("m", ""), ("x", "7")),
    ({"model__version": "1"}, "churn", ("m", "8"), ("m", "1")),
    ({"model__name": "x", "model__version": "1"}, "churn", ("m", "8"), ("x", "1")),
])  # fmt: skip
def test_settings_win_then_the_traffic_then_the_profile(
    settings: Any, profile: str, named: Any, label: Any, request: pytest.FixtureRequest
) -> None:
    watched = models(request.getfixturevalue(profile) if profile else None, **settings)
    see(watched, *named)
    assert requests(watched)[label] == 1
    assert sum(requests(watched).values()) == 1


@pytest.mark.parametrize(("profile", "name"), [
    ("churn", "churn"), ("churn", "m"), ("nameless", "m"), ("churn", ""),
])  # fmt: skip
def test_a_profile_is_for_whoever_has_its_columns(profile: str, name: str, request: pytest.FixtureRequest) -> None:
    watched = models(request.getfixturevalue(profile))
    see(watched, name, "12", rows=5)
    (one,) = [one for one in watched.shown(1.0) if one.snapshot.rows.observed]
    assert one.profile is not None
    assert one.snapshot.features is not None
    assert one.snapshot.features.totals.bins[0].sum() == 5


def test_a_model_of_another_name_and_other_columns_than_the_profiles_is_not_compared_and_said_once(
    churn: Profile, caplog: Any
) -> None:
    watched = models(churn)
    for name in ("m", "m", "churn", "m"):
        see(watched, name, features=Table(1, ("x", "y"), ((1.0,), (2.0,))))
    assert caplog.text.count("for which there is no profile") == 1
    assert "set model.name to 'm'" in caplog.text
    assert requests(watched) == {("churn", "7"): 1, ("m", "unknown"): 3}
    assert scored(watched) == {"churn"}


def test_a_model_that_a_directory_has_no_profile_for_is_told_where_it_belongs(tmp_path: Path, caplog: Any) -> None:
    see(models(in_directory(str(tmp_path))), "m")
    assert "Put one into /profiles, as {model}/{version}.json or {model}.json" in caplog.text
    assert "set model.name" not in caplog.text


def test_a_model_of_another_name_and_the_profiles_columns_is_compared_and_said_once(
    churn: Profile, caplog: Any
) -> None:
    watched = models(churn)
    for name in ("m", "m", "churn", "m", "n"):
        see(watched, name)
    assert caplog.text.count("has the same columns") == 2
    assert requests(watched) == {("churn", "7"): 1, ("m", "7"): 3, ("n", "7"): 1}
    assert scored(watched) == {"churn", "m", "n"}


def test_a_model_that_took_a_profile_of_another_name_has_it_after_a_restart(churn: Profile) -> None:
    before = models(churn)
    see(before, "m", rows=5)
    before.flush()
    after = models(churn)
    after.restore({title: {name: array.copy() for name, array in arrays.items()}
                   for title, arrays in before.chapters().items()})  # fmt: skip
    assert requests(after) == requests(before)
    assert scored(after) == scored(before) == {"m"}
    assert after.wants(Owner("n", "7", churn.digest))


def test_the_model_made_in_advance_leaves_the_page_when_the_traffic_names_it(nameless: Profile, churn: Profile) -> None:
    watched = models(nameless)
    see(watched, "m", rows=4)
    assert requests(watched) == {("m", "unknown"): 1}
    see(watched, "n")
    assert requests(watched) == {("m", "unknown"): 1, ("n", "unknown"): 1}
    watched = models(churn)
    see(watched, "churn", "1")
    assert requests(watched) == {("churn", "1"): 1}
    see(watched, "other", "1")
    assert requests(watched) == {("churn", "1"): 1, ("other", "1"): 1}


def test_what_was_counted_before_the_model_was_named_stays_and_is_shown_without_columns(nameless: Profile) -> None:
    watched = models(nameless)
    see(watched, status=503)
    see(watched, "m", rows=3)
    assert requests(watched) == {("default", "unknown"): 1, ("m", "unknown"): 1}
    assert scored(watched) == {"m"}
    watched = models(nameless)
    see(watched, rows=3)
    see(watched, "m", rows=3)
    assert scored(watched) == {"default", "m"}


def test_what_names_no_model_is_of_the_only_one_and_else_of_nobody(nameless: Profile) -> None:
    watched = models(nameless)
    see(watched, "m", rows=3)
    see(watched)
    assert requests(watched) == {("m", "unknown"): 2}
    see(watched, "n")
    see(watched)
    assert requests(watched) == {("default", "unknown"): 1, ("m", "unknown"): 2, ("n", "unknown"): 1}


def test_what_names_no_version_is_of_the_one_named_last(churn: Profile) -> None:
    watched = models(churn)
    for version, status in (("1", 200), ("", 500), ("2", 200), ("", 404), ("", 200), ("1", 200), ("", 200)):
        see(watched, "churn", version, status)
    assert requests(watched) == {("churn", "1"): 4, ("churn", "2"): 3}


# --- which are watched


@pytest.mark.parametrize(("observed", "status"), [
    (NOBODY, 404), (NOBODY, 500), (NOBODY, 302), (Observation(None, None), 200),
])  # fmt: skip
def test_only_a_prediction_that_was_answered_makes_a_model_known(observed: Observation, status: int) -> None:
    watched = models()
    seen = exchange([], [], 1.0, status=status)
    watched.observe(seen, dataclasses.replace(observed, model="m"))
    assert requests(watched) == {("default", "unknown"): 0, (OTHER, "unknown"): 1} or requests(watched) == {
        (OTHER, "unknown"): 1
    }
    assert refused(watched) == {"unknown_model": 1}
    see(watched, "m")
    watched.observe(seen, dataclasses.replace(observed, model="m"))
    assert requests(watched)["m", "unknown"] == 2


def test_a_flood_of_names_makes_no_more_models_than_the_limit_and_keeps_nothing(caplog: Any) -> None:
    watched = models(models__limit=5)
    draw = random.Random(1)
    for _ in range(3000):
        see(watched, f"m{draw.random()}", str(draw.random()))
    assert len(requests(watched)) == 6
    assert requests(watched)[OTHER, "unknown"] == 2995
    assert refused(watched) == {"limit": 2995}
    assert len(watched.chapters()) == 7, "five, the one in advance, and the rest"
    assert len(watched._naming._last) == 5
    assert caplog.text.count("no room for another model") == 1


@pytest.mark.parametrize("name", ["x" * 129, "a\nb", "a\0b", "\ud800", OTHER, "\x7f"])
def test_what_can_be_no_label_is_counted_as_nobodys(name: str) -> None:
    watched = models()
    see(watched, name)
    see(watched, "m", name)
    assert refused(watched) == {"name": 2}
    assert {label for label, count in requests(watched).items() if count} == {(OTHER, "unknown")}


def test_arrays_take_no_more_than_their_share_of_the_memory(nameless: Profile, caplog: Any) -> None:
    one = next(iter(models(nameless))).size
    watched = models(nameless, analyser__memory_limit=max(one * 2 * 2 * 4, 1 << 24))
    room = max(one * 2 * 2 * 4, 1 << 24) // (one * 4)
    for number in range(100):
        see(watched, f"m{number}")
    assert len(requests(watched)) == room
    assert refused(watched) == {"memory": 100 - (room - 1)}  # one room is that of the model made in advance
    assert "no room for another model (memory)" in caplog.text


def test_a_profile_is_not_taken_by_models_for_which_there_is_no_room(churn: Profile, caplog: Any) -> None:
    one = next(iter(models(churn))).size
    watched = models(churn, analyser__memory_limit=max(one * 3 * 2 * 2, 1 << 24))
    for number in range(100):
        see(watched, f"m{number}")
    taken = [name for name in map("m{}".format, range(100)) if not watched._references.offered(name)]
    assert set(taken) == scored(watched) - {"churn"}
    assert 0 < len(taken) < 100
    assert caplog.text.count("it has the same columns") == len(taken)


# --- what is kept


def keep_and_restore(watched: Models, fd: int, again: Models) -> Models:
    """As from one analyser to the next one."""
    watched.flush()
    Ledger(fd).commit(watched.chapters())
    again.restore(Ledger(fd).chapters())
    return again


def test_the_next_analyser_goes_on_with_every_model(churn: Profile) -> None:
    watched = models(churn)
    for name, version in (("churn", "7"), ("churn", "8"), ("m", ""), ("n", "1")):
        see(watched, name, version, rows=5)
    see(watched, "gone", status=500)
    again = keep_and_restore(watched, memory.create("ledger", 4096), models(churn))
    assert requests(again) == requests(watched)
    for one, other in zip(watched.shown(1.0), again.shown(1.0), strict=True):
        assert one.snapshot.rows == other.snapshot.rows
        assert one.snapshot.decoding == other.snapshot.decoding
        assert (one.snapshot.features is None) == (other.snapshot.features is None)
        if one.snapshot.features and other.snapshot.features:
            assert np.array_equal(one.snapshot.features.totals.bins, other.snapshot.features.totals.bins)
    see(again, "churn", status=500)
    assert requests(again)["churn", "8"] == 2, "the version that was named last"


def decoded(watched: Models) -> int:
    return sum(one.snapshot.decoding.decoded["request"] for one in watched.shown(1.0))


def test_models_that_cannot_be_called_so_any_more_leave_their_sums_and_nothing_else(churn: Profile) -> None:
    watched = models(churn)
    for name, version in (("churn", ""), ("churn", "8"), ("m", "")):
        see(watched, name, version)
    fd = memory.create("ledger", 4096)
    renamed = keep_and_restore(watched, fd, models(churn, model__name="x"))
    assert requests(renamed) == {("x", "7"): 0}
    assert decoded(renamed) == 3
    see(renamed, "m", rows=2)
    back = keep_and_restore(renamed, fd, models(dataclasses.replace(churn, version="9", digest="cd" * 32)))
    assert requests(back) == {("churn", "9"): 0}
    assert decoded(back) == 4


def test_a_new_profile_of_the_same_model_starts_windows_anew_and_requests_go_on(churn: Profile) -> None:
    watched = models(churn)
    see(watched, "churn", rows=5)
    retrained = dataclasses.replace(churn, digest="cd" * 32)
    again = keep_and_restore(watched, memory.create("ledger", 4096), models(retrained))
    (one,) = [one for one in again.shown(1.0) if one.visible]
    assert (sum(one.snapshot.traffic.codes.values()), one.snapshot.rows.observed) == (1, 5)
    assert one.snapshot.features is not None
    assert one.snapshot.features.totals.bins.sum() == 0


class Shelf:
    """References that somebody changes."""

    model = "default"
    changes = errors = 0

    def __init__(self) -> None:
        self.known: dict[str, Profile] = {}

    def of(self, model: str, _: str) -> Profile | None:
        return self.known.get(model)

    def offered(self, _: str) -> None:
        return None

    def take(self, model: str) -> None:
        raise AssertionError(model)

    leave = take

    def version_of(self, _: str) -> str:
        return "unknown"


def test_no_store_is_asked_for_names_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, asked = Shelf(), set[str]()
    monkeypatch.setattr(shelf, "of", lambda model, _: asked.add(model))
    watched = models(shelf, models__limit=3)
    for number in range(50):
        named = dataclasses.replace(NOBODY, model=f"m{number}", features=None, predictions=None)
        watched.profile_of(named)
        see(watched, f"m{number}")
    assert asked == {"default", "m0", "m1", "m2"}


def test_a_profile_that_comes_or_changes_is_taken_up_and_one_that_goes_stays(churn: Profile, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    shelf = Shelf()
    watched = models(shelf)

    def seen(rows: int) -> tuple[int, int, int]:
        see(watched, "m", rows=rows)
        watched.flush()
        (one,) = [one for one in watched.shown(1.0) if one.label.model == "m"]
        bins = one.snapshot.features.totals.bins.sum() if one.snapshot.features else -1
        return sum(one.snapshot.traffic.codes.values()), one.snapshot.rows.observed, int(bins)

    assert seen(2) == (1, 2, -1)
    shelf.known["m"] = churn
    watched.refer()
    assert seen(3) == (2, 5, 3 * len(FEATURES))
    watched.refer()
    assert seen(1) == (3, 6, 4 * len(FEATURES)), "nothing changed"
    shelf.known["m"] = dataclasses.replace(churn, digest="cd" * 32)
    watched.refer()
    assert seen(2) == (4, 8, 2 * len(FEATURES))
    shelf.known.clear()
    watched.refer()
    assert seen(1) == (5, 9, 3 * len(FEATURES))
    assert caplog.text.count("has the profile") == 2


# --- windows on disk


def test_windows_of_a_model_that_was_not_met_yet_bring_it_back(churn: Profile) -> None:
    earlier = models(churn)
    see(earlier, "churn", "8", rows=9)
    (owner,) = [owner for owner in earlier.owners() if owner.version == "8"]
    held = dict(earlier.held(owner, 1.0))
    later = models(churn)
    assert later.owners() == [Owner("churn", "7", churn.digest)]
    assert later.wants(owner)
    assert later.lacks(owner)
    assert later.put_back(owner, held, 0.0, 1.0) > 0
    assert not later.lacks(owner)
    assert requests(later) == {("churn", "8"): 0}
    (one,) = [one for one in later.shown(1.0) if one.visible]
    assert one.snapshot.features is not None
    assert one.snapshot.features.scores[0].samples.tolist() == [9] * len(FEATURES)
    see(later, "churn", status=500)
    assert requests(later) == {("churn", "8"): 1}
    assert not later.wants(owner._replace(profile="cd"))
    assert not models(churn, model__name="x").wants(owner)
    assert models(churn).put_back(owner, {}, 0.0, 1.0) == 0
    late = models(churn)
    assert late.put_back(owner, held, 0.0, 1e9) == 0
    assert requests(late) == {("churn", "7"): 0}, "windows that hold nothing any more bring back nobody"


def test_nothing_is_written_for_a_model_that_nobody_named_and_that_saw_nothing(nameless: Profile) -> None:
    watched = models(nameless)
    assert watched.owners() == []
    see(watched, "m")
    assert [owner.model for owner in watched.owners()] == ["m"]
    assert [owner.model for owner in models(nameless, model__name="m").owners()] == ["m"]


def test_windows_of_another_length_lack_what_a_file_has(churn: Profile) -> None:
    watched = models(churn)
    (owner,) = watched.owners()
    watched.put_back(owner, {}, 0.0, 1.0)
    fd = memory.create("ledger", 4096)
    assert not keep_and_restore(watched, fd, models(churn)).lacks(owner)
    longer = models(churn, windows__lengths="[5m, 1h, 2h]")
    assert keep_and_restore(watched, fd, longer).lacks(owner)


# --- accounts

NAMES = st.sampled_from(["", "m", "n", "churn", "o" * 200, "../x", OTHER])
SEEN = st.lists(st.tuples(NAMES, st.sampled_from(["", "1", "2"]), st.sampled_from([200, 404]), st.booleans()))


@settings(deadline=None, max_examples=60)
@given(SEEN, st.sampled_from([{}, {"model__name": "x"}, {"models__limit": 2}]))
def test_every_exchange_is_counted_once_whatever_the_traffic_names(churn: Profile, seen: Any, given: Any) -> None:
    given = given | {"windows__lengths": "[5m]"}  # scores, which nobody reads here, are what takes the time
    watched, fd = models(churn, **given), memory.create("ledger", 4096)
    before: dict[Any, int] = {}
    for number, (name, version, status, dies) in enumerate(seen, 1):
        see(watched, name, version, status)
        if dies:
            watched = keep_and_restore(watched, fd, models(churn, **given))
        found = {tuple(one.label): sum(one.snapshot.traffic.codes.values()) for one in watched.shown(1.0)}
        assert sum(found.values()) == number
        assert all(found[label] >= count for label, count in before.items())
        before = found
