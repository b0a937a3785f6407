"""How old a model is: since when it answers, and what has come since, over restarts and under other profiles."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from monitor_scenes import FEATURES, answers, exchange, live_rows, make_profile, training_rows
from numpy.testing import assert_allclose, assert_array_equal

from exporter import config
from exporter.aged import Aged, Trend
from exporter.ageing import Staleness
from exporter.decode import Decoder
from exporter.handoff import memory
from exporter.handoff.ledger import Ledger
from exporter.monitor import due
from exporter.monitor.models import Models
from exporter.profile.directory import OneProfile
from exporter.records import Owner
from exporter.reference import Profile

MOMENT = 1.7e9


@pytest.fixture(scope="module")
def churn(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return dataclasses.replace(make_profile(tmp_path_factory.mktemp("profile")), model="churn", version="7")


def models(profile: Profile | None, **given: Any) -> Models:
    """Models under settings, written as keys with __ for the dot."""
    named = {key.replace("__", "."): value for key, value in given.items()}
    found = config.resolve(("test", {"profile": "profile.json"} | named))
    return Models(found, OneProfile(profile, None))


def see(watched: Models, at: float, rows: int = 20, seed: int = 1, **changes: Any) -> None:
    """A prediction of some rows."""
    batch = live_rows(rows, seed)
    one = exchange(batch, answers(batch, seed), at, path="/v1/models/churn/versions/7:predict", **changes)
    watched.observe(one, Decoder().decode(one))


def aged(watched: Models, now: float = MOMENT) -> Aged:
    (one,) = [one for one in watched.shown(now) if one.label.model == "churn"]
    assert one.snapshot.aged
    return one.snapshot.aged


def kept(watched: Models, now: float = MOMENT) -> tuple[Owner, dict[str, Any]]:
    """What a state directory would have of them."""
    (owner,) = watched.owners()
    return owner, dict(watched.held(owner, now))


def test_the_first_answer_says_since_when_it_is_deployed_in_whatever_order_they_come(churn: Profile) -> None:
    watched = models(churn)
    assert math.isnan(aged(watched).deployed_s)
    see(watched, MOMENT - 50, status=500)
    assert math.isnan(aged(watched).deployed_s), "that was no answer"
    for at in (MOMENT, MOMENT - 30, MOMENT + 30):
        see(watched, at)
    assert (aged(watched).deployed_s, aged(watched).counted_s) == (MOMENT - 30, MOMENT - 30)


def test_what_came_since_is_held_against_the_reference_as_by_hand(churn: Profile) -> None:
    watched = models(churn)
    for seed in range(5):
        see(watched, MOMENT + seed, 200, seed)
    watched.flush()
    found = aged(watched).features
    assert found
    assert found.rows == 1000
    (one,) = list(watched)
    counts = one.monitor._sides.features.totals  # type: ignore[union-attr]
    for place, column in enumerate(churn.features):
        live, reference = counts[place] / counts[place].sum(), np.zeros(counts.shape[1])
        reference[: len(column.counts)] = np.array(column.counts) / sum(column.counts)
        assert_allclose(found.variation[place], np.abs(live - reference).sum() / 2, atol=1e-12)
    assert (found.critical > 0).all()


def test_without_drift_nothing_is_beyond_what_chance_reaches(churn: Profile) -> None:
    watched, rows = models(churn), training_rows(3000)
    for start in range(0, 3000, 100):
        batch = [{name: rows[name][at] for name in FEATURES} for at in range(start, start + 100)]
        one = exchange(batch, rows["score"][start : start + 100], MOMENT, path="/v1/models/churn/versions/7:predict")
        watched.observe(one, Decoder().decode(one))
    found = aged(watched)
    assert found.features
    assert found.outputs
    assert (found.features.variation < found.features.critical).all()
    assert (found.outputs.variation < found.outputs.critical).all()


def test_a_restart_adds_to_what_was_counted_before_and_takes_it_once(churn: Profile) -> None:
    before = models(churn)
    see(before, MOMENT, 50)
    owner, held = kept(before)
    after = models(churn)
    see(after, MOMENT + 900, 30, seed=2)
    for _ in range(2):
        after.put_back(owner, held, 0.0, MOMENT + 900)
    found = aged(after, MOMENT + 900)
    assert (found.deployed_s, found.counted_s) == (MOMENT, MOMENT)
    assert found.features
    assert found.features.rows == 80
    _, again = kept(after, MOMENT + 900)
    third = models(churn)
    third.put_back(owner, again, 0.0, MOMENT + 1000)
    assert aged(third, MOMENT + 1000).features.rows == 80  # type: ignore[union-attr]


def test_runs_that_nobody_asked_pass_on_what_was_counted_before(churn: Profile) -> None:
    before = models(churn)
    see(before, MOMENT, 50)
    owner, held = kept(before)
    for number in range(1, 4):
        idle = models(churn)
        idle.put_back(owner, held, 0.0, MOMENT + number * 900)
        _, held = kept(idle, MOMENT + number * 900)
        idle.put_back(owner, held, 0.0, MOMENT + number * 900)
    found = aged(idle, MOMENT + 4000)
    assert (found.deployed_s, found.counted_s, found.features.rows) == (MOMENT, MOMENT, 50)  # type: ignore[union-attr]


def test_what_a_run_has_held_itself_is_no_news_to_it(churn: Profile) -> None:
    watched = models(churn)
    see(watched, MOMENT, 50)
    owner, held = kept(watched)
    see(watched, MOMENT + 1, 10)
    watched.put_back(owner, held, 0.0, MOMENT + 1)
    assert aged(watched).features.rows == 60  # type: ignore[union-attr]


def test_what_was_counted_outlives_the_analyser(churn: Profile) -> None:
    before, fd = models(churn), memory.create("ledger", 4096)
    owner, held = kept(before)
    see(before, MOMENT, 50)
    earlier = models(churn)
    see(earlier, MOMENT - 500, 7)
    before.put_back(owner, kept(earlier)[1], 0.0, MOMENT)
    before.flush()
    Ledger(fd).commit(before.chapters())
    after = models(churn)
    after.restore(Ledger(fd).chapters())
    found = aged(after)
    assert (found.deployed_s, found.features.rows) == (MOMENT - 500, 57)  # type: ignore[union-attr]
    assert held["age.first"].tolist() == [0]


def test_another_profile_begins_anew_but_the_version_is_as_old_as_before(churn: Profile) -> None:
    before = models(churn)
    see(before, MOMENT, 50)
    owner, held = kept(before)
    anew = dataclasses.replace(churn, digest="cd" * 32)
    after = models(anew)
    welcome = after.wanted(owner, held)
    assert [*welcome] == ["age.first"]
    assert after.put_back(owner, welcome, 0.0, MOMENT) == 0
    see(after, MOMENT + 900, 30)
    found = aged(after, MOMENT + 900)
    assert (found.deployed_s, found.counted_s, found.features.rows) == (MOMENT, MOMENT + 900, 30)  # type: ignore[union-attr]
    stranger = dataclasses.replace(churn, version="9", digest="ef" * 32)
    later = models(stranger)
    later.put_back(owner, later.wanted(owner, held), 0.0, MOMENT)
    assert {tuple(one.label) for one in later} == {("churn", "9")}
    see(later, MOMENT + 1800)
    (one,) = [one for one in later.shown(MOMENT) if one.label.version == "7"]
    assert one.snapshot.aged.deployed_s == MOMENT  # type: ignore[union-attr]


def test_counts_of_another_shape_or_none_are_left_alone(churn: Profile) -> None:
    watched = models(churn)
    see(watched, MOMENT, 50)
    owner, held = kept(watched)
    for wrong in ({}, {"age.first": np.zeros(3)}, held | {"age.features": np.zeros((1, 1), np.int64)}):
        after = models(churn)
        after.put_back(owner, wrong, 0.0, MOMENT)
        assert aged(after).features.rows == 0  # type: ignore[union-attr]
        assert_array_equal(aged(after).features.variation, np.nan)  # type: ignore[union-attr]


def test_settings_say_when_it_was_deployed_and_when_it_is_due(churn: Profile) -> None:
    told = {"churn": "2026-01-01T00:00:00Z", "*": 5}
    watched = models(churn, staleness__deployed_at=told, staleness__retrain_every={"other": "1d"})
    see(watched, MOMENT)
    assert (aged(watched).deployed_s, aged(watched).due) == (1767225600.0, ())
    assert aged(models(churn, staleness__deployed_at=told, staleness__retrain_every="2d")).due == (
        ("calendar", 1767225600.0 + 172800),
    )  # fmt: skip
    trained = dataclasses.replace(churn, trained_at=1000)
    watched = models(trained, staleness__deployed_at=told, staleness__retrain_every={"churn": "90d", "*": "1d"})
    assert aged(watched).due == (("calendar", 1000 + 90 * 86400.0),)
    assert aged(models(churn, staleness__retrain_every="90d")).due == (), "nobody knows when it was deployed"


def test_a_model_is_due_by_decay_beside_its_calendar(churn: Profile) -> None:
    watched = models(churn, staleness__retrain_every="90d")
    see(watched, MOMENT)
    (one,) = watched.shown(MOMENT)[:1]
    falling = Trend("error_ratio", 3000, 30, 0.01, 0.005, 0.015, 0.2, 0.3, MOMENT + 5)
    assert one.snapshot.aged
    snapshot = dataclasses.replace(one.snapshot, aged=one.snapshot.aged._replace(trend=falling))
    (found,) = due.dated([one._replace(snapshot=snapshot)], Staleness(retrain_every=(("*", 60.0),)))
    assert found.snapshot.aged
    assert found.snapshot.aged.due == (("calendar", MOMENT + 60), ("decay", MOMENT + 5))
