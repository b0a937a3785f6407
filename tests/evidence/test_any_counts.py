"""Whatever is counted: finite numbers that are never below 0, and nothing but what the settings allow."""

from typing import Any

import hypothesis.strategies as some
import numpy as np
from evidence.streams import MONDAY
from hypothesis import given, settings

from exporter.evidence.engine import Engine
from exporter.evidence.streams import Stream
from exporter.evidence.terms import Terms
from exporter.guarantees import Evidence

ROWS = some.sampled_from([0, 1, 3, 100, 10**6, 2**31 - 1, 2**33])
MAYBE = {
    "dependence": some.sampled_from([None, 1.0, 5.0, 1000.0]),
    "wander": some.sampled_from([None, 0.0, 0.3, 1.0]),
    "tolerance": some.sampled_from([None, 0.0, 0.03, 0.5]),
    "weight": some.sampled_from([0.0, 1e-6, 1.0, 5.0]),
    "error": some.sampled_from([0.0, 0.01, 0.5, 1.0]),
    "source": some.sampled_from(["", "profile", "overrides"]),
    "pages": some.booleans(),
}
SETTINGS = {
    "tolerance": some.sampled_from([0.0, 0.03, 0.5]),
    "default_tolerance": some.sampled_from([0.0, 0.05, 0.5]),
    "default_dependence": some.sampled_from([1.0, 5.0, 1000.0]),
    "least_panes": some.sampled_from([1, 3, 1000]),
    "warm_up": some.sampled_from([1.0, 600.0, 86400.0]),
    "warm_up_rows": some.just(100),
    "learn": some.sampled_from([1.0, 1200.0]),
}


@some.composite
def streams(draw: Any) -> Stream:
    """Of two bins, numbers or many categories; of no rows, of some bins alone, of millions."""
    bins = draw(some.sampled_from([2, 16, 102]))
    ordered = 14 if bins == 16 and draw(some.booleans()) else 0
    random = np.random.default_rng(draw(some.integers(0, 1000)))
    exist = (random.random(bins) < 0.7) | (np.arange(bins) < max(ordered, 1))
    rows = draw(some.sampled_from([0, 1, 10, 10**6]))
    counts = random.multinomial(rows, random.dirichlet(np.full(int(exist.sum()), 0.2)))
    of_bins = np.zeros(bins, np.int64)
    of_bins[exist] = counts
    more = {name: draw(one) for name, one in MAYBE.items()}
    return Stream(tuple(of_bins.tolist()), tuple(exist.tolist()), ordered, **more)


@some.composite
def panes(draw: Any, of: list[Stream]) -> list[Any]:
    """Counts of some panes: of all bins, of one alone, of the last one, of none."""
    found = []
    for _ in range(draw(some.integers(1, 6))):
        counts = np.zeros((len(of), max(len(one.counts) for one in of)), np.int64)
        for at, one in enumerate(of):
            exist = np.flatnonzero(one.exist)
            places = draw(some.sampled_from([exist, exist[:1], exist[-1:]]))
            counts[at, places] = draw(ROWS) // places.size
        found.append(counts)
    return found


@settings(max_examples=40, deadline=None)
@given(some.data())
def test_every_number_is_finite_and_none_is_below_0(data: some.DataObject) -> None:
    of = data.draw(some.lists(streams(), min_size=1, max_size=4))
    said = Evidence(**{name: data.draw(one) for name, one in SETTINGS.items()})
    pane_s = data.draw(some.sampled_from([0.25, 60.0, 3600.0]))
    engine = Engine(of, Terms(said, pane_s))
    leap = data.draw(some.sampled_from([1, 100, -1000]))
    counts, now = data.draw(panes(of)), MONDAY
    with np.errstate(over="raise", invalid="raise"):
        for _ in range(data.draw(some.sampled_from([1, 20]))):
            for pane in counts:
                engine.pane(pane, now)
                now += pane_s * leap
    told = engine.told(now)
    assert told
    unknown_yet = {"skew", "skew_critical"}
    for name, value in told._replace(delays={})._asdict().items():
        found = np.array([] if name == "delays" else value, float)
        found = found[~np.isnan(found)] if name in unknown_yet else found
        assert np.isfinite(found).all(), name
        assert (found >= -1e-9).all(), name
    assert all(delay > 0 for delay in told.delays.values())
    bets = sum(len(one.counts) * 2 + 13 for one in of)
    assert told.nats <= told.threshold + 3 + np.log(bets), "it can be over soon after the drift is"
    assert (told.streams[[one.weight == 0 for one in of]] < 1e-9).all(), "nothing is bet on what is ignored"
