"""Inputs that follow predictions: planted loops are seen, and days, habits and nights are taken for none."""

from typing import Any, Final

import numpy as np
import pytest

from exporter.drift.recursion import LEAST_PANES, Recursion, recursion

DAY: Final = 288
"""Panes of five minutes."""
WORLDS: Final[dict[str, dict[str, Any]]] = {
    "nothing": {},
    "a season": {"season": "sine"},
    "a strong season and many rows": {"season": "sine", "height": 2.0, "rows": 3000},
    "opening hours": {"season": "steps", "height": 1.0},
    "quiet nights": {"season": "sine", "nights": True},
    "each feature has a habit": {"season": "sine", "habit": 0.1},
    "all features have a habit in common": {"season": "sine", "common": 0.1},
    "few features": {"season": "sine", "common": 0.1, "features": 2},
    "one feature": {"season": "sine", "features": 1},
    "an hour's panes": {"season": "sine", "panes": 60},
}


def world(
    seed: int, *, season: str = "", height: float = 0.5, rows: int = 300, features: int = 8, nights: bool = False,
    habit: float = 0.0, common: float = 0.0, panes: int = DAY, loop: float = 0.0,
) -> tuple[Any, Any]:  # fmt: skip
    """Means by pane: of answers, shape (panes, 1), and of features. A model asks of all features and errs a little.

    `habit` and `common` are standard deviations of what keeps 0.8 of itself from pane to pane; `loop` is how much of an
    answer comes back in the first feature of the next pane.
    """
    random = np.random.default_rng([20, seed])
    weights = random.normal(size=features) / np.sqrt(features)
    at = np.arange(panes)
    wave = np.sin(2 * np.pi * at / DAY) if season == "sine" else ((at % DAY > 100) & (at % DAY < 230)) * 1.0
    wave = height * wave if season else np.zeros(panes)
    counts = np.where(at % DAY < DAY // 3, rows // 20 + 5, rows) if nights else np.full(panes, rows)
    asked, said = np.zeros((panes, features)), np.zeros(panes)
    own, together = np.zeros(features), 0.0
    for pane in range(panes):
        own = 0.8 * own + 0.6 * habit * random.normal(size=features)
        together = 0.8 * together + 0.6 * common * random.normal()
        moved = wave[pane] * np.linspace(1, 0.3, features) + own + together
        asked[pane] = moved + random.normal(size=features) / np.sqrt(counts[pane])
        asked[pane, 0] += loop * said[pane - 1] if pane else 0.0
        said[pane] = np.tanh(asked[pane]) @ weights + 0.5 * random.normal() / np.sqrt(counts[pane])
    return said[:, None], asked


def look(seed: int, **more: Any) -> Recursion:
    found = recursion(*world(seed, **more))
    assert found
    return found


@pytest.mark.parametrize("kind", WORLDS)
def test_where_nothing_comes_back_it_is_hardly_ever_said(kind: str) -> None:
    found = [look(seed, **WORLDS[kind]) for seed in range(40)]
    assert sum(one.size > one.critical for one in found) <= 1  # of 2,000 windows of all kinds it is said in 7


@pytest.mark.parametrize(("features", "least"), [(8, 0.9), (3, 0.8), (1, 0.65)])
def test_half_of_a_prediction_that_comes_back_is_seen_in_a_day(features: int, least: float) -> None:
    found = [look(seed, season="sine", loop=0.5, features=features) for seed in range(30)]
    assert np.mean([one.size > one.critical for one in found]) >= least
    assert np.mean([one.feature == 0 for one in found]) >= 0.9
    assert {one.panes for one in found} == {DAY - 2}


def test_the_same_panes_have_the_same_band() -> None:
    assert look(1) == look(1)


def test_units_and_origins_make_no_difference() -> None:
    said, asked = world(2, loop=0.5)
    other = recursion(1e6 + 1e3 * said, asked * np.arange(1, 9) - 1e4)
    one = recursion(said, asked)
    assert one
    assert other
    assert other[:2] == pytest.approx(one[:2], rel=1e-5)
    assert other[2:] == one[2:]


def test_panes_without_rows_are_left_out() -> None:
    said, asked = world(3)
    said[100:110] = asked[200, 3] = np.nan
    found = recursion(said, asked)
    assert found
    assert found.panes == DAY - 2 - 12 - 3


def test_nothing_is_said_of_too_few_panes_or_of_what_never_moves() -> None:
    said, asked = world(4)
    assert recursion(said[: LEAST_PANES + 1], asked[: LEAST_PANES + 1]) is None
    assert recursion(said[: LEAST_PANES + 2], asked[: LEAST_PANES + 2])
    assert recursion(np.ones_like(said), asked) is None
    assert recursion(said, np.full_like(asked, 7.0)) is None
