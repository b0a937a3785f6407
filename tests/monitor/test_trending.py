"""How errors go from day to day: what the ring keeps over restarts, and when a model is due by it."""

import math
from typing import Any

import numpy as np
import pytest
from hindsight_scenes import KINDS, profile_of
from numpy.testing import assert_allclose

from exporter.ageing import Staleness
from exporter.guarantees import Evidence
from exporter.hindsight import Performance
from exporter.monitor.belonging import Belonging
from exporter.monitor.cell_codes import coded
from exporter.monitor.performing import Performing, Settings
from exporter.monitor.trending import Trending, limit_of
from exporter.performance.joining import Usable
from exporter.performance.parts import unknown
from exporter.performance.task import BINARY, RANKING, REGRESSION, Rows, Task, canonical, pack
from exporter.reference import Profile
from exporter.sections import Segments
from exporter.target import Target
from exporter.truths import Joined, Owner

TASK = Task(BINARY, "approved", (), ("no", "yes"))
DAY_S = 86400.0
NOW = 20_000 * DAY_S + 3600
"""An hour into a day."""


def said_on(days: np.ndarray, wrong: np.ndarray) -> Usable:
    """Predictions of some days, and whether each turned out wrong."""
    said, owner = np.zeros(days.size), Owner("m", "1", TASK.written)
    joined = [
        Joined(at, owner, round((day + 0.3) * DAY_S * 1e3), round(NOW * 1e3), pack([0.0]), canonical("x"), b"")
        for at, day in enumerate(days.tolist(), 1)
    ]
    return Usable(Rows(said[:, None], wrong.astype(float), np.ones(days.size)), joined, unknown(days.size))


def decaying(days: int = 30, rows: int = 300, slope: float = 0.003, seed: int = 1) -> Usable:
    """Errors from a tenth on that grow, up to yesterday."""
    random, number = np.random.default_rng(seed), int(NOW // DAY_S)
    at = np.repeat(np.arange(days), rows)
    wrong = random.random(at.size) < 0.1 + slope * at
    return said_on(number - days + at, wrong)


def trending(limit: float = 0.25, pane_s: float = 60.0, length_s: float = 90 * DAY_S) -> Trending:
    return Trending(TASK, length_s, pane_s, limit)


def test_errors_that_grow_are_followed_to_the_day_on_which_they_are_too_many() -> None:
    of = trending()
    assert of.told(NOW) is None
    of.join(decaying(), NOW)
    found = of.told(NOW)
    assert found
    assert (found.measure, found.days, found.samples, found.limit) == ("error_ratio", 30, 9000, 0.25)
    assert found.lower < 0.003 < found.upper
    assert found.lower > 0
    assert found.level == pytest.approx(0.1 + 0.003 * 29, abs=0.02)
    assert found.crossing_s == pytest.approx(NOW + (0.25 - 0.19) / 0.003 * DAY_S, abs=8 * DAY_S)


def test_without_decay_it_is_never_due_or_hardly_ever() -> None:
    due = 0
    for seed in range(100):
        of = trending()
        of.join(decaying(14, 100, 0.0, seed), NOW)
        found = of.told(NOW)
        due += found is not None and not math.isnan(found.crossing_s)
    assert due <= 7


def test_the_day_that_is_not_over_and_days_most_of_whose_truths_are_still_to_come_are_left_out() -> None:
    of, number = trending(), int(NOW // DAY_S)
    usable = decaying(10)
    at_s = np.array([one.at_ms for one in usable.joined]) / 1e3
    of.opened(at_s)
    early = np.arange(usable.rows.rows) < 9 * 300 + 100  # of yesterday's a third
    joined = [usable.joined[at] for at in np.flatnonzero(early)]
    of.join(Usable(Rows(*(part[early] for part in usable.rows)), joined, unknown(len(joined))), NOW)
    of.join(said_on(np.full(50, number), np.ones(50)), NOW)
    found = of.told(NOW)
    assert found
    assert (found.days, found.samples) == (9, 2700)


def test_days_beyond_its_reach_and_of_the_future_do_not_count() -> None:
    of, number = trending(length_s=10 * DAY_S, pane_s=DAY_S), int(NOW // DAY_S)
    of.join(decaying(30), NOW)
    of.join(said_on(np.full(50, number + 5), np.ones(50)), NOW)  # of another's clock: it counts as of today
    found = of.told(NOW)
    assert found
    assert (found.days, found.samples) == (10, 3000)
    assert found.days < 30


def test_what_is_due_far_ahead_is_said_to_be_due_in_a_year() -> None:
    of = trending(limit=100.0)
    of.join(decaying(), NOW)
    assert of.told(NOW).crossing_s == NOW + 366 * DAY_S  # type: ignore[union-attr]
    unlimited = trending(limit=math.nan)
    unlimited.join(decaying(), NOW)
    assert math.isnan(unlimited.told(NOW).crossing_s)  # type: ignore[union-attr]


def test_what_was_too_much_from_the_first_day_on_is_due_since_that_day() -> None:
    of = trending(limit=-1e6)
    of.join(decaying(30), NOW)
    first = (NOW // DAY_S - 30 + 0.5) * DAY_S
    assert of.told(NOW).crossing_s == first  # type: ignore[union-attr]


def test_order_and_batches_make_no_difference() -> None:
    whole, parts, usable = trending(), trending(), decaying(12)
    whole.join(usable, NOW)
    order = np.random.default_rng(3).permutation(usable.rows.rows)
    for some in np.array_split(order, 9):
        joined = [usable.joined[at] for at in some]
        parts.join(Usable(Rows(*(part[some] for part in usable.rows)), joined, unknown(some.size)), NOW)
    assert whole.told(NOW) == parts.told(NOW)
    assert {name: array.tolist() for name, array in whole.arrays("x").items()} == {
        name: array.tolist() for name, array in parts.arrays("x").items()
    }


# --- as part of what is known of a model


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return profile_of(KINDS["labels"], tmp_path_factory.mktemp("profile"))


def performing(profile: Profile) -> Performing:
    said = Settings(Performance(), Evidence(), 60.0)
    return Performing(profile, TASK, Belonging((), coded(Segments(), None)), said, None)


def told(usable: Usable) -> list[Joined]:
    """As a store has them."""
    true = usable.rows.true.astype(bool)
    return [one._replace(true=canonical("yes" if wrong else "no"))
            for one, wrong in zip(usable.joined, true.tolist(), strict=True)]  # fmt: skip


def test_a_restart_goes_on_and_what_the_store_tells_again_counts_once(profile: Profile) -> None:
    before, joined = performing(profile), told(decaying(20))
    before.join(joined[:4000], NOW)
    held = dict(before.held(NOW))
    after = performing(profile)
    after.put_back(held, NOW)
    after.rejoin(joined, NOW)
    straight = performing(profile)
    straight.join(joined, NOW)
    assert str(after.trend(NOW)) == str(straight.trend(NOW)), "but for what is no number"
    assert after.trend(NOW).samples == 6000  # type: ignore[union-attr]


# --- what errors may be


def test_the_limit_is_the_error_of_the_training_and_what_is_tolerated_on_top() -> None:
    how = Performance(tolerance=0.03), Staleness(tolerance=0.5)
    training = (
        ("accuracy", "train_acc", 0.99),
        ("accuracy", "val_acc", 0.9),
        ("mae", "mae", 8.0),
        ("hit_rate", "h", 0.6),
    )
    column: Any = None
    target = Target(column, BINARY, "approved", (), ("no", "yes"), errors=(80, 20))
    assert_allclose(limit_of(TASK, target, training, how), 0.2 + 0.03)
    assert_allclose(limit_of(TASK, target._replace(label="another"), training, how), 0.1 + 0.03)
    assert_allclose(limit_of(TASK, None, training, how), 0.1 + 0.03)
    assert_allclose(limit_of(Task(REGRESSION, "y"), None, training, how), 12.0)
    assert_allclose(limit_of(Task(RANKING, "r"), None, training, how), 0.4 + 0.03)
    assert math.isnan(limit_of(TASK, None, (), how))
