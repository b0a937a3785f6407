"""Parts of the traffic that a model serves worse: which are named, how soon, and when none is."""

import itertools
from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray
from performance.slice_worlds import (
    EVEN,
    LONE,
    PANE_S,
    UNEVEN,
    Told,
    World,
    ever_named,
    found_within,
    tell,
)

from exporter.monitor.cell_codes import MOST_CODES
from exporter.performance.cell_tables import CODES, Tables
from exporter.performance.parts import UNKNOWN
from exporter.performance.slices import _FIRST_WEIGHT, Slices, Terms, _log_weights
from exporter.performance.worst import MOST, needed, worst

PLANTED = ((0, 0), (1, 0))
"""A pair that a fifth of the uneven traffic is of."""
TWICE = World(UNEVEN, planted=PLANTED, error=0.4)


def places(told: Told) -> list[tuple[tuple[int, int], ...]]:
    """What is named at the end."""
    return [told.slices.tables.places(cell) for cell in told.last]


def bad(share: Iterable[tuple[tuple[tuple[int, int], ...], float]], seed: int, count: int = 6000) -> Told:
    """What is named where several parts are bad, with their shares of wrong ones; 0.2 elsewhere."""
    codes, _ = World().rows(seed, count)
    error = np.full(count, 0.2)
    for part, of in share:
        error[np.all([codes[:, column] == value for column, value in part], axis=0)] = of
    return named(codes, np.random.default_rng(seed + 1000).random(count) < error)


def named(codes: NDArray[np.uint8], wrong: NDArray[np.bool_]) -> Told:
    one = Slices(codes.shape[1], Terms(0.02, PANE_S))
    one.add(codes, wrong, np.arange(len(codes)) // 100 * PANE_S)
    one.advance(len(codes) * PANE_S)
    return Told(None, frozenset(), tuple(worst(one.tables, one.standing())), one)


# the tables


def test_cells_and_what_is_around_them_are_what_one_counts_row_by_row() -> None:
    random = np.random.default_rng(1)
    codes, wrong = random.integers(0, 4, (300, 3)).astype(np.uint8), random.random(300) < 0.3
    codes[random.random((300, 3)) < 0.1] = UNKNOWN
    tables = Tables(3)
    around = tables.around(tables.counted(codes, wrong))
    for columns in ((0,), (2,), (0, 1), (1, 2)):
        known = np.all([codes[:, column] != UNKNOWN for column in columns], axis=0)
        for values in itertools.product(range(4), repeat=len(columns)):
            sides = [(codes[:, column] == value) & known for column, value in zip(columns, values, strict=True)]
            cell = tables.number(*zip(columns, values, strict=True))
            assert tables.places(cell) == tuple(zip(columns, values, strict=True))
            masks = [np.all(sides, axis=0), known, *(sides if len(columns) > 1 else [])]
            found = around[: len(masks), :, cell].tolist()
            assert found == [[int(mask.sum()), int((mask & wrong).sum())] for mask in masks]


def test_there_is_room_for_all_codes_of_ten_columns() -> None:
    assert CODES == MOST_CODES
    tables = Tables(10)
    assert tables.cells == 10 * 11 + 45 * 121
    kept = sum(array.nbytes for array in Slices(10, Terms(0.02, PANE_S)).arrays("a").values())
    assert kept < 800_000
    assert len({tables.places(cell) for cell in range(tables.cells)}) == tables.cells
    assert all(tables.number(*tables.places(cell)) == cell for cell in range(tables.cells))


# the promise


def test_a_part_with_twice_the_errors_among_fifty_is_named_within_2000_truths() -> None:
    assert len(found_within(TWICE, range(8), 2000)) == 8


def test_nothing_is_named_where_all_are_alike() -> None:
    assert ever_named(World(UNEVEN), range(8), 2000) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "least"),
    [
        pytest.param(TWICE, 99, id="a fifth of the traffic"),
        pytest.param(World(UNEVEN, planted=((1, 0), (2, 0)), error=0.4), 90, id="a sixth"),
        pytest.param(
            World(UNEVEN, base=0.3, planted=((1, 0), (2, 1)), error=0.6), 99, id="an eighth, three in ten wrong"
        ),
    ],
)
def test_a_part_with_twice_the_errors_is_named_within_2000_truths_in_a_hundred_worlds(world: World, least: int) -> None:
    assert len(found_within(world, range(100), 2000)) >= least


@pytest.mark.slow
@pytest.mark.parametrize(
    "world",
    [
        pytest.param(World(), id="even"),
        pytest.param(World(LONE), id="one value has nearly all"),
    ],
)
def test_nothing_is_named_in_two_hundred_worlds_where_there_is_nothing(world: World) -> None:
    assert ever_named(world, range(200), 5000) == []


@pytest.mark.slow
def test_truths_that_come_eight_alike_name_somebody_in_one_world_of_twenty_at_the_most() -> None:
    assert len(ever_named(World(UNEVEN, alike=8), range(100), 5000)) <= 5


@pytest.mark.slow
@pytest.mark.parametrize("shares", [pytest.param(EVEN, id="a third"), pytest.param(LONE, id="most")])
def test_what_is_worse_within_the_tolerance_is_hardly_ever_named(shares: tuple[tuple[float, ...], ...]) -> None:
    """Three quarters of the way to its edge; one in twenty is promised."""
    assert len(ever_named(World(shares, harmless=0.015), range(200), 5000)) <= 2


def test_the_weights_of_all_starts_add_up_to_one_at_most() -> None:
    weights = np.exp(_log_weights(np.arange(1_000_000)))
    assert weights[0] == pytest.approx(_FIRST_WEIGHT)
    assert 0.97 < weights.sum() <= 1
    assert (np.diff(weights) < 0).all()


def test_truths_that_come_many_at_once_and_alike_name_nobody() -> None:
    told = [tell(World(EVEN, alike=25), seed, 3000) for seed in range(3)]
    assert not any(one.named for one in told)
    assert min(one.slices.dependence for one in told) > 12


def test_a_part_that_becomes_bad_after_many_good_truths_is_found_and_is_forgotten_once_it_is_well_again() -> None:
    calm = tell(World(UNEVEN), 5, 60_000, 1000)
    assert not calm.named
    worse = tell(TWICE, 6, 4000, slices=calm.slices)
    assert worse.found is not None
    assert places(worse) == [PLANTED]
    around = worse.slices.standing().since[:, :, worse.last[0]]
    assert around[1, 0] < 6000, "what is said of it is of about the time since then"
    again = tell(World(UNEVEN), 7, 4000, slices=worse.slices)
    assert not again.last


def test_predictions_of_which_nobody_knows_the_part_are_neither_in_it_nor_beside_it() -> None:
    """Such as of before the profile was another one, when the model was better."""
    codes, wrong = World(base=0.4).rows(1, 3000)
    older, right = np.full((3000, 3), UNKNOWN, np.uint8), np.zeros(3000, bool)
    order = np.random.default_rng(2).permutation(6000)
    told = named(np.concatenate((codes, older))[order], np.concatenate((wrong, right))[order])
    assert not told.last
    assert told.slices.standing().since[1].max() < 3001


# which are named


def test_a_bad_pair_is_named_and_neither_of_its_values() -> None:
    for seed in range(3):
        assert places(bad([(((0, 1), (1, 2)), 0.6)], seed)) == [((0, 1), (1, 2))]


def test_a_bad_value_is_named_and_none_of_its_pairs() -> None:
    for seed in range(3):
        assert places(bad([(((1, 2),), 0.45)], seed)) == [((1, 2),)]


def test_two_bad_parts_are_both_named_the_one_first_that_adds_most_wrong_answers() -> None:
    found = places(bad([(((1, 2),), 0.4), (((0, 0), (2, 3)), 0.75)], 1))
    assert found[0] == ((1, 2),)
    assert {*found} >= {((1, 2),), ((0, 0), (2, 3))}


def test_of_two_columns_that_say_the_same_one_is_named() -> None:
    codes, _ = World().rows(3, 6000)
    codes[:, 2] = codes[:, 1]
    wrong = np.random.default_rng(4).random(6000) < np.where(codes[:, 1] == 2, 0.45, 0.2)
    assert len(places(named(codes, wrong))) == 1


def test_five_are_named_at_the_most_and_each_has_what_so_many_must_have() -> None:
    told = bad([(((0, 0), (1, value)), 0.9) for value in range(2)] + [(((2, 3),), 0.7), (((1, 3), (2, 1)), 0.9)], 2)
    assert 2 <= len(told.last) <= MOST
    standing = told.slices.standing()
    assert all(standing.nats[cell] >= needed(standing.searched, len(told.last)) for cell in told.last)


# how it is kept


def test_the_order_within_a_pane_and_who_brings_them_make_no_difference() -> None:
    codes, wrong = TWICE.rows(1, 2000)
    panes = np.arange(2000) // 100
    one, other = Slices(3, Terms(0.02, PANE_S)), Slices(3, Terms(0.02, PANE_S))
    one.add(codes, wrong, panes * PANE_S)
    order = np.lexsort((np.random.default_rng(3).random(2000), panes))
    for some in np.array_split(order, 37):
        other.add(codes[some], wrong[some], panes[some] * PANE_S)
    mine, its = one.arrays("a"), other.arrays("a")
    assert all((mine[name] == its[name]).all() for name in mine)


def test_a_clock_that_was_a_year_ahead_for_a_minute_stops_nothing() -> None:
    codes, wrong = TWICE.rows(1, 3000)
    panes = np.arange(3000) // 50
    steady, jumping = Slices(3, Terms(0.02, PANE_S)), Slices(3, Terms(0.02, PANE_S))
    for pane in range(60):
        some = panes == pane
        ahead = 525_600 if pane == 10 else 0
        for one, at in ((steady, pane), (jumping, pane + ahead)):
            one.add(codes[some], wrong[some], np.full(some.sum(), (at + 0.5) * PANE_S))
            one.advance((at + 0.9) * PANE_S)
    named = worst(steady.tables, steady.standing())
    assert named
    assert worst(jumping.tables, jumping.standing()) == named
    lumps = [int(one.arrays("")[".slices.3.clock"][3]) for one in (steady, jumping)]
    assert lumps[1] == lumps[0] - 1  # the two panes about the jump are one


def test_it_goes_on_elsewhere_as_if_nothing_had_happened() -> None:
    codes, wrong = TWICE.rows(1, 3000)
    at = np.arange(3000) // 70 * PANE_S
    whole, before, after = (Slices(3, Terms(0.02, PANE_S)) for _ in range(3))
    whole.add(codes, wrong, at)
    before.add(codes[:1234], wrong[:1234], at[:1234])
    assert after.put_back(dict(before.held("a")), "a")
    after.add(codes[1234:], wrong[1234:], at[1234:])
    mine, its = whole.arrays("a"), after.arrays("a")
    assert all((mine[name] == its[name]).all() for name in mine)


def test_what_was_held_of_other_columns_is_no_use() -> None:
    assert not Slices(2, Terms(0.02, PANE_S)).put_back(dict(Slices(3, Terms(0.02, PANE_S)).held("a")), "a")
    meant = Slices(3, Terms(0.02, PANE_S), "ages by tens")
    meant.add(*TWICE.rows(1, 3000), np.arange(3000) // 70 * PANE_S)
    other = Slices(3, Terms(0.02, PANE_S), "ages by fives")
    assert other.put_back(dict(meant.held("a")), "a")
    other.advance(1e6)
    assert other.searched == 0
    assert (other.evidence == np.log(_FIRST_WEIGHT)).all()
