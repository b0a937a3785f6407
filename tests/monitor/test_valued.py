"""Business values over windows: what the raw numbers say, in any order, for all rows and for each segment."""

import json
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor_scenes import exchange
from profile_tables import write_csv

from exporter.business import BusinessValue, business_values
from exporter.decode import Decoder
from exporter.decode.rules import Rules
from exporter.hindsight import Performance
from exporter.monitor import Monitor
from exporter.monitor.batch import Came
from exporter.monitor.gathering import WATCHING, Watching
from exporter.monitor.predicting import Hindsight
from exporter.monitor.said import NOTHING_SAID, Said
from exporter.monitor.valued import Valuing
from exporter.performance.extra import Extra, pack
from exporter.performed import Valued
from exporter.profile import document
from exporter.profile.build import Plan, build
from exporter.records import Exchange
from exporter.reference import Profile
from exporter.sections import Segments, Windows
from exporter.segmentations import segmentations
from exporter.truths import Joined, Owner

VALUES = business_values([
    {"name": "amount", "feature": "amount"}, {"name": "score", "output": "score"},
    {"name": "price", "pointer": {"side": "request", "pointer": "/price"}}, {"name": "profit", "feedback": True},
])  # fmt: skip
WINDOWS = Windows(pane=1.0, lengths=(10.0,))
WATCH = WATCHING._replace(hindsight=Hindsight(performance=Performance(windows=(10.0, 100.0)), values=VALUES))
BY_COUNTRY = Said(segments=Segments(by=segmentations(["country"]), windows=(10.0,)))
PRICE = (BusinessValue("price", "request", "/price"),)


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    path = tmp_path_factory.mktemp("valued")
    random = np.random.default_rng(1)
    columns = {
        "amount": random.normal(10, 2, 500).round(2).tolist(), "country": [["DE", "FR"][at % 2] for at in range(500)],
        "score": random.uniform(0, 1, 500).tolist(),
    }  # fmt: skip
    made, _ = build(Plan(write_csv(path / "train.csv", columns), ["score"], segments={"country": ()}))
    return document.save(made, str(path / "profile.json"))


def sent(rows: bytes | Sequence[dict[str, Any]], scores: Sequence[float], at: float, **more: Any) -> Exchange:
    return exchange(rows, scores, at, **more)


def traffic(count: int, seed: int = 3) -> list[Exchange]:
    """Requests of one to three rows over five seconds."""
    random = np.random.default_rng(seed)
    found = []
    for place in range(count):
        rows = [{"amount": round(float(random.normal(10, 2)), 2), "country": str(random.choice(["DE", "FR", "IT"]))}
                for _ in range(int(random.integers(1, 4)))]  # fmt: skip
        found.append(sent(rows, [round(float(random.uniform()), 6) for _ in rows], 100.0 + 5 * place / count))
    return found


def watched(
    profile: Profile | None, exchanges: Sequence[Exchange], said: Said = NOTHING_SAID, flush_every: int = 50,
    watch: Watching = WATCH,
) -> Monitor:  # fmt: skip
    monitor = Monitor(profile, WINDOWS, (), said, watch)
    decoder = Decoder(Rules(values=tuple(one for one in watch.hindsight.values if not one.feedback)))
    for number, one in enumerate(exchanges, 1):
        monitor.observe(one, decoder.decode(one))
        if number % flush_every == 0:
            monitor.flush()
    monitor.flush()
    return monitor


def shown(monitor: Monitor, at: float = 105.0) -> dict[tuple[str, str, str], Valued]:
    """Of the shorter window, by value and segment's value."""
    return {
        (one.name, one.segment, one.segment_value): one for one in monitor.snapshot(at).valued if one.window == "10s"
    }


def raw(exchanges: Sequence[Exchange], country: str = "") -> Iterator[tuple[float, float]]:
    """Amount and score of each row."""
    for one in exchanges:
        rows, scores = json.loads(one.request.content)["instances"], json.loads(one.response.content)["predictions"]
        yield from (
            (row["amount"], score) for row, score in zip(rows, scores, strict=True) if country in ("", row["country"])
        )


def test_sum_and_mean_are_those_of_the_raw_numbers(profile: Profile) -> None:
    exchanges = traffic(400)
    found = shown(watched(profile, exchanges))
    for name, numbers in zip(("amount", "score"), zip(*raw(exchanges), strict=True), strict=True):
        one = found[name, "", ""]
        exact = sum(Fraction(str(number)) for number in numbers)
        assert (one.rows, one.total) == (len(numbers), float(exact))
        assert one.mean == float(exact / len(numbers))
        half = 1.9629 * np.std(numbers, ddof=1) / math.sqrt(len(numbers))
        assert (one.mean - one.lower, one.upper - one.mean) == (pytest.approx(half, rel=1e-3),) * 2


def test_each_segment_has_its_own(profile: Profile) -> None:
    exchanges = traffic(400)
    found = shown(watched(profile, exchanges, BY_COUNTRY))
    for country, label in (("DE", "DE"), ("FR", "FR"), ("IT", "other")):
        for place, name in enumerate(("amount", "score")):
            numbers = [row[place] for row in raw(exchanges, country)]
            one = found[name, "country", label]
            assert (one.rows, one.total) == (len(numbers), pytest.approx(sum(numbers), abs=1e-9))
    assert found["amount", "", ""].rows == len(list(raw(exchanges)))


@pytest.mark.parametrize("said", [NOTHING_SAID, BY_COUNTRY])
def test_neither_order_nor_batches_show(profile: Profile, said: Said) -> None:
    exchanges = traffic(200)
    expected = shown(watched(profile, exchanges, said))
    mixed = [exchanges[at] for at in np.random.default_rng(5).permutation(len(exchanges))]
    assert shown(watched(profile, mixed, said, flush_every=7)) == expected


def test_a_value_of_the_whole_request_counts_once(profile: Profile) -> None:
    body = b'{"instances": [{"amount": 1, "country": "FR"}, {"amount": 2, "country": "DE"}], "price": 7.25}'
    per_row = body.replace(b"7.25", b"[1.5, 2.5]")
    found = shown(watched(profile, [sent(body, [1, 2], 100.0), sent(per_row, [1, 2], 101.0)], BY_COUNTRY))
    assert (found["price", "", ""].rows, found["price", "", ""].total) == (3, 11.25)
    assert (found["price", "country", "FR"].total, found["price", "country", "DE"].total) == (8.75, 2.5)


def test_without_a_profile_they_are_shown_all_the_same() -> None:
    body = b'{"instances": [{"amount": 1}, {"amount": 2}], "price": 7.25}'
    found = shown(watched(None, [sent(body, [1, 2], 100.0)]))
    assert {name: (one.rows, one.total) for (name, *_), one in found.items()} == {
        "amount": (2, 3.0), "score": (2, 3.0), "price": (1, 7.25)
    }  # fmt: skip


def test_what_failed_is_worth_nothing(profile: Profile) -> None:
    failed = sent([{"amount": 5, "country": "DE"}], [1], 100.0, status=500)
    assert shown(watched(profile, [failed])) == {}
    assert shown(watched(None, [failed])) == {}


def test_gaps_are_left_out(profile: Profile) -> None:
    rows = [{"amount": None, "country": "DE"}, {"amount": 3, "country": "DE"}, {"amount": "x", "country": "DE"}]
    one = shown(watched(profile, [sent(rows, [1, 1, 1], 100.0)], BY_COUNTRY))["amount", "country", "DE"]
    assert (one.rows, one.total, one.mean, math.isnan(one.lower)) == (1, 3.0, 3.0, True)


def test_windows_end(profile: Profile) -> None:
    monitor = watched(profile, traffic(50))
    assert shown(monitor, 109.0)
    assert not shown(monitor, 120.0)
    assert {one.window for one in monitor.snapshot(120.0).valued} == {"100s"}


def joined(value: float | None, number: int = 1, at_s: float = 100.0, **segments: str) -> Joined:
    extra = pack(Extra(1.0, value, tuple(sorted(segments.items()))))
    return Joined(number, Owner("m", "1", "t"), round(at_s * 1000), 0, b"", b"1", extra)


def test_truths_have_values_of_the_segments_that_they_name(profile: Profile) -> None:
    monitor = watched(profile, traffic(10), BY_COUNTRY)
    assert monitor.valuing
    told = [joined(2.5, 1, country="DE"), joined(-1.25, 2, country="ES"), joined(1.0, 3), joined(None, 4),
            joined(4.0, 5, at_s=900.0)]  # fmt: skip
    monitor.valuing.add_feedback(told, 105.0)
    found = shown(monitor)
    assert (found["profit", "", ""].rows, found["profit", "", ""].total) == (4, 6.25)
    assert found["profit", "country", "DE"].total == 2.5
    assert ("profit", "country", "other") not in found  # a value that nobody knows is of no segment


def test_windows_go_on_after_a_restart_each_segment_where_it_is_now(profile: Profile) -> None:
    first = watched(profile, traffic(100), BY_COUNTRY)
    held = dict(first.held(105.0))
    again = Monitor(profile, WINDOWS, (), BY_COUNTRY, WATCH)
    again.put_back(held, 0.0, 105.0)
    assert shown(again) == shown(first)
    turned = Said(segments=Segments(by=segmentations([{"name": "country", "values": ["FR", "DE"]}]), windows=(10.0,)))
    other = Monitor(profile, WINDOWS, (), turned, WATCH)
    other.put_back(held, 0.0, 105.0)
    assert shown(other) == shown(first)


def test_what_was_joined_before_a_restart_counts_once(profile: Profile) -> None:
    first = watched(profile, [])
    assert first.valuing
    first.valuing.add_feedback([joined(1.0, 1), joined(2.0, 2)], 105.0)
    again = Monitor(profile, WINDOWS, (), NOTHING_SAID, WATCH)
    again.put_back(dict(first.held(105.0)), 0.0, 105.0)
    assert again.valuing
    again.valuing.add_again([joined(1.0, 1), joined(2.0, 2), joined(4.0, 3)], 105.0)
    assert shown(again)["profit", "", ""].total == 7.0
    cold = Monitor(profile, WINDOWS, (), NOTHING_SAID, WATCH)
    assert cold.valuing
    cold.valuing.add_again([joined(1.0, 1), joined(2.0, 2), joined(4.0, 3)], 105.0)
    assert shown(cold)["profit", "", ""].total == 7.0


def test_arrays_are_all_that_is_known(profile: Profile) -> None:
    first = watched(profile, traffic(100), BY_COUNTRY)
    again = Monitor(profile, WINDOWS, (), BY_COUNTRY, WATCH)
    kept = first.arrays()
    for name, array in again.arrays().items():
        array[...] = kept[name]
    assert shown(again) == shown(first)


_NUMBERS = st.lists(st.floats(-1e12, 1e12) | st.integers(-(10**12), 10**12).map(float), min_size=2, max_size=30)


@given(_NUMBERS)
def test_any_numbers_are_summed_exactly(numbers: list[float]) -> None:
    valuing = Valuing(PRICE, (), (100.0,), 1.0)
    for number in numbers:
        valuing.alone(Came(0.0, wall_ns=10**9, values=((number,),)))
    valuing.add(None, None)
    (one,) = valuing.snapshot(1.0)
    parts = [Fraction(int(np.rint(number * 1e6)), 10**6) for number in numbers]
    mean = sum(parts) / len(parts)
    assert (one.rows, one.total, one.mean) == (len(parts), float(sum(parts)), float(mean))
    variance = sum((part - mean) ** 2 for part in parts) / (len(parts) - 1)
    assert one.lower <= one.mean <= one.upper
    if variance == 0:
        assert one.lower == one.upper


def test_intervals_have_the_true_mean_about_as_often_as_they_say() -> None:
    random = np.random.default_rng(11)
    found = 0
    for _ in range(2000):
        valuing = Valuing(PRICE, (), (100.0,), 1.0)
        valuing.alone(Came(0.0, wall_ns=10**9, values=(tuple(random.gamma(2.0, 50.0, 60).tolist()),)))
        valuing.add(None, None)
        (one,) = valuing.snapshot(1.0)
        found += one.lower <= 100.0 <= one.upper
    assert 0.93 <= found / 2000 <= 0.97


def test_another_value_does_not_go_on_with_this_ones_windows(profile: Profile) -> None:
    held = dict(watched(profile, traffic(20)).held(105.0))
    values = (VALUES[0]._replace(name="revenue"), *VALUES[1:])
    watch = WATCHING._replace(hindsight=Hindsight(performance=WATCH.hindsight.performance, values=values))
    other = Monitor(profile, WINDOWS, (), NOTHING_SAID, watch)
    other.put_back(held, 0.0, 105.0)
    assert shown(other) == {}
