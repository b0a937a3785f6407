"""A pair as an exchange: what is unknown stays so, on every clock."""

import pytest
from events import loggers

from exporter.decode import Decoder
from exporter.events import exchanges, halves, modes
from exporter.events.halves import Arrival, Half
from exporter.events.joining import Pair
from exporter.monitor import Monitor
from exporter.records import Failure, Observation, Table
from exporter.sections import Windows

S = 1_000_000_000
WALL = 1_769_860_800 * S  # 2026-01-31T12:00:00Z
NOW = Arrival(50 * S, WALL)


def half(kind: str, body: bytes, time: str = "", logger: object = loggers.kserve) -> Half:
    headers, body = logger(kind, body, "x", time=time)
    [event] = modes.events(loggers.lower(headers), body, 1 << 20)
    return halves.half(event, NOW)


def pair(request_at: str = "", response_at: str = "") -> Pair:
    return Pair(
        half("request", loggers.instances([1, 2]), request_at), half("response", loggers.predictions(3), response_at)
    )


def cells(side: Table | Failure | None) -> list[list[object]]:
    assert isinstance(side, Table)
    return [list(column) for column in side.columns]


def seen(told: Pair) -> Observation:
    return exchanges.known(told, Decoder().decode(exchanges.exchange(told)))


def test_a_whole_pair_is_read_on_both_sides() -> None:
    found = seen(pair())
    assert cells(found.features) == [[1], [2]]
    assert cells(found.predictions) == [[3]]


def test_of_half_a_pair_the_other_side_is_not_even_offered() -> None:
    whole = pair()
    alone = seen(Pair(whole.request, None))
    assert (cells(alone.features), alone.predictions) == ([[1], [2]], None)
    alone = seen(Pair(None, whole.response))
    assert (alone.features, cells(alone.predictions)) == (None, [[3]])


def test_the_answer_with_the_wrong_key_of_kserves_own_test_costs_the_answer_alone() -> None:
    told = Pair(half("request", b'{"instances":[[0,0,0]]}'), half("response", b'{"instances":[[4,5,6]]}'))
    found = seen(told)
    assert cells(found.features) == [[0], [0], [0]]
    assert found.predictions is not None


@pytest.mark.parametrize(("request_at", "response_at", "duration_ns"), [
    ("2026-01-31T12:00:00.250Z", "2026-01-31T12:00:01.5Z", 1_250_000_000),
    ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z", -1),
    ("2026-01-31T12:00:02Z", "2026-01-31T12:00:00Z", -1),
    ("2026-01-31T12:00:00Z", "2026-01-31T12:30:00Z", -1),
    ("", "2026-01-31T12:00:00Z", -1),
    ("2026-01-31T12:00:00Z", "", -1),
])  # fmt: skip
def test_a_duration_is_known_where_both_times_are_and_make_sense(
    request_at: str, response_at: str, duration_ns: int
) -> None:
    assert exchanges.exchange(pair(request_at, response_at)).duration_ns == duration_ns


@pytest.mark.parametrize(("time", "age_s"), [
    ("", 0),
    ("2026-01-31T12:00:00Z", 0),
    ("2026-01-31T11:56:00Z", 0),
    ("2026-01-31T12:30:00Z", 0),
    ("2026-01-31T11:50:00Z", 600),
    ("2026-01-30T12:00:00Z", 86_400),
    ("1971-01-01T00:00:00Z", 366 * 86_400),
])  # fmt: skip
def test_a_moment_is_the_arrivals_unless_the_event_is_much_older(time: str, age_s: int) -> None:
    found = exchanges.exchange(pair(response_at=time))
    assert found.ended_ns == NOW.monotonic_ns - age_s * S
    assert found.wall_ns == WALL - age_s * S


def test_what_nobody_told_is_in_no_histogram_and_under_no_status() -> None:
    monitor = Monitor(None, Windows(), ())
    whole = pair("2026-01-31T12:00:00Z", "2026-01-31T12:00:02Z")
    for told in (whole, pair(), Pair(whole.request, None), Pair(None, whole.response)):
        monitor.observe(exchanges.counted(told, exchanges.exchange(told)), seen(told))
    monitor.flush()
    snapshot = monitor.snapshot(NOW.monotonic_ns / S)
    traffic, decoding = snapshot.traffic, snapshot.decoding
    assert traffic.codes == {"200": 3, "other": 1}
    assert (sum(traffic.duration.counts), traffic.duration.total) == (1, 2.0)
    request, response = len(whole.request.body), len(whole.response.body)
    assert (sum(traffic.request_size.counts), traffic.request_size.total) == (3, 3 * request)
    assert (sum(traffic.response_size.counts), traffic.response_size.total) == (3, 3 * response)
    assert decoding.offered == decoding.decoded == {"request": 3, "response": 3}
