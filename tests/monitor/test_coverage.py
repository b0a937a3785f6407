"""How many of the rows that were served were seen; and of payloads that were not read, why, and where the last was."""

from typing import Any

import pytest
from monitor_scenes import exchange, watch

from exporter.decode import PROTOCOLS
from exporter.findings import RowCounts
from exporter.monitor import Monitor
from exporter.records import Body, Capture, Exchange, Failure, Observation, Table
from exporter.sections import Windows

ROW = [1.5, 2.5, 3.5]


def batch(rows: int, at: float = 1.0, **changes: Any) -> Exchange:
    return exchange([ROW] * rows, [0.5] * rows, at, **changes)


def without(capture: Capture, rows: int) -> Exchange:
    """A request whose body was not kept."""
    whole = batch(rows)
    return whole._replace(request=Body(whole.request.size, capture, b""))


def counted(*seen: Exchange) -> RowCounts:
    return watch(None, seen).snapshot(1.0).rows


# --- coverage


def test_what_is_decoded_whole_is_served_and_observed() -> None:
    rows = counted(batch(3), batch(4), batch(0))
    assert (rows.observed, rows.served) == (7, 7.0)


@pytest.mark.parametrize("capture", [Capture.SHED, Capture.SAMPLED])
def test_rows_of_a_body_that_was_not_copied_are_estimated_by_its_size(capture: Capture) -> None:
    rows = counted(batch(10), batch(30), without(capture, 500))
    assert rows.observed == 40
    assert rows.served == pytest.approx(540, rel=0.05)


def test_rows_beyond_the_part_that_was_copied_are_estimated_by_the_size_of_all() -> None:
    whole = batch(1000)
    cut = whole._replace(request=Body(whole.request.size, Capture.TRUNCATED, whole.request.content[:4000]))
    rows = counted(cut)
    assert 200 < rows.observed < 300
    assert rows.served == pytest.approx(1000, rel=0.02)


def test_rows_of_what_cannot_be_read_are_as_many_as_a_payload_has_on_average() -> None:
    assert counted(batch(2), batch(4), exchange(b"{", [1], 1.0)).served == pytest.approx(9)
    assert counted(exchange(b"{", [1], 1.0)).served == 1, "of a server that was never understood, one each"
    assert counted(without(Capture.SHED, 500)).served == 1


def test_drawing_by_lot_among_batches_of_all_sizes_leaves_the_estimate_right() -> None:
    sizes = [1, 1, 2, 3, 5, 8, 40, 100] * 50
    seen = [batch(rows) if at % 3 else without(Capture.SAMPLED, rows) for at, rows in enumerate(sizes)]
    rows = counted(*seen)
    assert rows.observed == sum(size for at, size in enumerate(sizes) if at % 3)
    assert rows.served == pytest.approx(sum(sizes), rel=0.1)


def test_failed_requests_and_those_that_are_no_predictions_are_not_served_rows() -> None:
    rows = counted(batch(3, status=500), batch(2, status=422), without(Capture.SKIPPED, 9))
    assert (rows.observed, rows.served, rows.failed) == (0, 0.0, {"4xx": 2, "5xx": 3})


# --- predictions without an id


def test_predictions_whose_exchange_has_no_id_are_counted_by_row() -> None:
    monitor = Monitor(None, Windows(), ())
    table = Table(3, None, ([1, 2, 3],))
    for given in ("", "42"):
        monitor.observe(batch(3), Observation(table, table, request_id=given))
    monitor.observe(batch(3), Observation(table, Failure("ragged")))
    assert monitor.snapshot(1.0).rows.predictions_without_id == 3


# --- reasons by protocol


def test_failures_are_counted_by_protocol_and_only_protocols_that_were_met_are_shown() -> None:
    monitor = Monitor(None, Windows(), ())
    fresh = monitor.snapshot(1.0).decoding
    assert {protocol for _, _, protocol in fresh.undecoded} == {"unknown"}
    table, name = Table(1, None, ([1],)), next(iter(PROTOCOLS))
    monitor.observe(batch(1), Observation(table, Failure("ragged"), protocol=name))
    monitor.observe(batch(1), Observation(Failure("unknown_protocol"), Failure("empty"), protocol="never heard of"))
    decoding = monitor.snapshot(1.0).decoding
    assert {key: count for key, count in decoding.undecoded.items() if count} == {
        ("response", "ragged", name): 1,
        ("request", "unknown_protocol", "unknown"): 1,
        ("response", "empty", "unknown"): 1,
    }
    assert {protocol for _, _, protocol in decoding.undecoded} == {"unknown", name}
    assert decoding.undecoded["request", "ragged", name] == 0, "there before it first happens, for rate()"
    assert decoding.offered == {"request": 2, "response": 2}


# --- the last failures


def test_the_last_failure_of_each_reason_is_known_with_its_path_and_no_content() -> None:
    secret = b'{"instances": [["secret-a"], ["secret-b", "secret-c"]]}'
    bodies = (b"{", b"{", secret)
    seen = [exchange(body, b"no JSON", at + 1.0, path=f"/{at}") for at, body in enumerate(bodies)]
    unread = watch(None, seen).snapshot(3.0).unread
    assert [(one.wall_s, one.side, one.reason, one.path) for one in unread] == [
        (3.0, "request", "ragged", "/2"),
        (3.0, "response", "invalid_json", "/2"),
        (2.0, "request", "invalid_json", "/1"),
    ]
    assert "secret" not in repr(unread)


FAILED = Observation(Failure("ragged", "a row is short"), Failure("empty"), protocol=next(iter(PROTOCOLS)))


def told(monitor: Monitor, now: float, *paths: str, observation: Observation = FAILED) -> list[str]:
    for path in paths:
        monitor.observe(batch(1, path=path), observation)
    return list(monitor.news(now))


def test_paths_of_strangers_are_one_short_printable_line() -> None:
    monitor = Monitor(None, Windows(), ())
    lines = told(monitor, 0.0, "/\x1b[31m\r\n<b>\u202e" + "x" * 5000)
    (one, _) = monitor.snapshot(1.0).unread
    assert one.path.startswith("/�[31m��<b>�xxx")
    assert len(one.path) == 201
    assert all(line.isprintable() and len(line) < 400 for line in lines)


def test_each_reason_is_told_once_a_minute_with_how_often_it_happened() -> None:
    monitor, protocol = Monitor(None, Windows(), ()), FAILED.protocol
    assert told(monitor, 0.0) == []
    assert told(monitor, 0.0, "/a") == [
        f"1 payload could not be decoded (request, ragged); the last one: protocol {protocol}, path /a, a row is short",
        f"1 payload could not be decoded (response, empty); the last one: protocol {protocol}, path /a",
    ]
    assert told(monitor, 10.0, *[f"/{number}" for number in range(1000)]) == []
    assert told(monitor, 59.9) == []
    assert told(monitor, 60.0)[1] == (
        f"1000 payloads could not be decoded (response, empty); the last one: protocol {protocol}, path /999"
    )
    assert told(monitor, 200.0) == []


def test_errors_of_the_server_and_bodies_that_were_let_go_are_no_news() -> None:
    monitor = Monitor(None, Windows(), ())
    for reason in ("error_status", "shed", "sampled"):
        assert told(monitor, 0.0, "/", observation=Observation(Failure(reason), Failure(reason))) == []
