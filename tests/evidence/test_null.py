"""Traffic in which nothing is wrong, and what once paged all the same."""

import numpy as np
import pytest
from evidence.streams import MONDAY, SHARES, fed, moved, stream
from made_up import Traffic
from proof import Case, null

from exporter.evidence.engine import Engine
from exporter.evidence.learning import Learning
from exporter.evidence.standing import SETTLED
from exporter.evidence.terms import Terms
from exporter.guarantees import Evidence

KNOWN = {"dependence": 1.0, "wander": 0.0, "source": "profile"}


@pytest.mark.parametrize(
    "case",
    [
        Case("alike", rate=50, models=3, features=2, days=1),
        Case("sessions", "sessions", rate=50, models=3, features=2, days=1),
        Case("long sessions", "long sessions", rate=50, models=3, features=2, days=1),
        Case("few training rows", rate=50, training=500, models=3, features=2, days=1),
        Case("rare categories", columns="categories", rate=5, models=3, features=2, days=1),
        Case("hardly any traffic", rate=50 / 1440, models=3, features=2, days=1),
    ],
    ids=lambda case: case.name,
)
def test_traffic_without_drift_pages_nobody_on_its_first_day(case: Case) -> None:
    found = null(case)
    assert found.pages == 0
    assert np.isfinite(found.most)
    assert found.most >= 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    [
        Case("alike", rate=50, days=13),
        Case("sessions", "sessions", rate=5, days=13),
        Case("sessions of ten minutes", "long sessions", rate=50, days=13),
        Case("season", "season", rate=500, days=13),
        Case("pools", "pools", rate=500, days=13),
        Case("wander", "wander", rate=500, days=13),
        Case("wander, with a profile of time", "wander", rate=500, days=13, timed=True),
        Case("few training rows", rate=50, training=500, days=13),
        Case("rare categories", columns="categories", rate=5, days=13),
        Case("hardly any traffic", rate=50 / 1440, days=13),
    ],
    ids=lambda case: case.name,
)
def test_two_hundred_days_without_drift_page_nobody(case: Case) -> None:
    assert null(case).pages == 0


def test_sessions_that_last_for_panes_show_in_hours_though_not_in_a_pane() -> None:
    traffic = Traffic(np.random.default_rng(4), 1, 2, 50.0, "long sessions")
    shape = traffic.shares.shape
    learning, panes_alone = Learning(shape), Learning(shape)
    for at in range(24 * 60):
        counts = traffic.pane(at)
        learning.add(counts)
        panes_alone.add(counts)
        if at % 60 == 59:
            learning.end_hour(at // 60, keep=True)
            panes_alone.end_hour(at // 60, keep=False)
    assert (learning.dependence() > 10).all(), "E[s²] / E[s] of geometric sessions of ten rows is 19"
    assert (panes_alone.dependence() < 8).all()


def test_what_a_page_was_about_is_no_dependence() -> None:
    engine = Engine([stream()], Terms(Evidence(warm_up=6 * 3600.0, warm_up_rows=1000, learn=1e9)))
    draw = np.random.default_rng(8)
    pages = fed(
        engine, range(7 * 60), lambda pane: draw.multinomial(200, moved(0.18) if pane // 60 in {3, 5} else SHARES)[None]
    )
    assert pages
    told = engine.told(MONDAY)
    assert told
    assert told.stage == SETTLED
    assert told.dependence[0] < 2


def test_dependence_is_seen_before_the_warm_up_is_over() -> None:
    engine = Engine([stream()], Terms())
    draw = np.random.default_rng(3)
    fed(engine, range(7 * 60 + 1), lambda _: draw.multinomial(50, SHARES)[None])
    told = engine.told(MONDAY)
    assert told
    assert 1.5 <= told.dependence[0] < 2.5, "more than was seen, for care"


def test_training_rows_that_are_alone_do_not_hide_sessions_of_live_ones() -> None:
    engine = Engine([stream(**KNOWN)], Terms(Evidence(warm_up=6 * 3600.0, warm_up_rows=1000)))
    draw = np.random.default_rng(3)
    fed(engine, range(7 * 60), lambda _: 5 * draw.multinomial(20, SHARES)[None])
    told = engine.told(MONDAY)
    assert told
    assert told.dependence[0] == pytest.approx(5, rel=0.3)


def test_an_hour_is_tolerated_to_differ_as_hours_alike_did() -> None:
    draw = np.random.default_rng(6)
    day = np.repeat([0.1, 0.0, -0.1], 8)
    levels = np.tile(day, 7) + np.clip(draw.normal(0, 0.04, 168), -0.08, 0.08)
    hours = tuple(tuple(draw.multinomial(20_000, moved(level / 2)).tolist()) for level in levels)
    whole = tuple(np.sum(hours, axis=0).tolist())
    restless = stream(dependence=1.0, wander=0.07, source="profile")._replace(counts=whole, hours=hours)
    engine = Engine([restless], Terms())
    fed(engine, range(1), lambda _: draw.multinomial(500, moved(0.05))[None])
    told = engine.told(MONDAY)
    assert told
    assert told.seasonal[0]
    assert 0.055 < told.tolerance[0] < 0.1


def test_models_too_large_for_a_week_of_hours_wander_as_far_as_others() -> None:
    large, small = Learning((500, SHARES.size)), Learning((1, SHARES.size))
    assert len(large.hours) < len(small.hours)
    draw = np.random.default_rng(5)
    for hour in range(168):
        counts = draw.multinomial(6000, moved(draw.choice([-0.05, 0.05])))[None]
        for one in (large, small):
            one.add(np.repeat(counts, len(one.total), axis=0))
            one.end_hour(hour, keep=True)
    found = [one.wander(np.ones(len(one.total)))[0] for one in (large, small)]
    assert found == pytest.approx([0.05, 0.05], abs=0.015)
