"""Which streams are named: by e-d-BH, whatever their order."""

import math

import numpy as np

from exporter.evidence.flags import flagged

THRESHOLD = math.log(43_200)


def test_one_stream_is_named_where_it_would_page_alone_and_not_a_hair_below() -> None:
    alone = THRESHOLD + math.log(20)
    assert flagged(np.array([0.0] * 19 + [alone]), THRESHOLD).tolist() == [False] * 19 + [True]
    assert not flagged(np.array([0.0] * 19 + [alone - 1e-9]), THRESHOLD).any()


def test_several_need_less_each_than_one_alone() -> None:
    nats = np.full(20, 0.5)
    nats[[3, 7, 8, 11]] = THRESHOLD + math.log(20 / 4)
    assert np.flatnonzero(flagged(nats, THRESHOLD)).tolist() == [3, 7, 8, 11]
    nats[11] -= 0.01
    assert not flagged(nats, THRESHOLD).any(), "three need more than that"
    nats[[0, 1, 2]] = THRESHOLD
    assert not flagged(nats, THRESHOLD).any(), "seven of twenty need threshold + ln(20 / 7)"


def test_all_are_named_where_all_have_reached_the_threshold_itself() -> None:
    assert flagged(np.full(50, THRESHOLD), THRESHOLD).all()


def test_the_strongest_are_named_first_and_order_does_not_matter() -> None:
    draw = np.random.default_rng(3)
    for _ in range(200):
        nats = draw.gamma(2.0, 6.0, size=draw.integers(1, 60))
        named = flagged(nats, THRESHOLD)
        mixed = draw.permutation(nats.size)
        assert np.array_equal(flagged(nats[mixed], THRESHOLD), named[mixed])
        count = int(named.sum())
        assert not named.any() or nats[named].min() >= THRESHOLD + math.log(nats.size / count)
        strongest = np.sort(nats)[::-1]
        assert not any(
            strongest[more - 1] >= THRESHOLD + math.log(nats.size / more) for more in range(count + 1, nats.size + 1)
        ), "and no larger number of them would do"


def test_of_no_streams_none_is_named() -> None:
    assert flagged(np.zeros(0), THRESHOLD).shape == (0,)
