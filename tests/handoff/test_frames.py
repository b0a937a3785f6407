"""Exchanges as records, and back."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.handoff import frames
from exporter.records import Body, Capture, Exchange

numbers = st.integers(0, 2**63)
latin = st.text(st.characters(max_codepoint=255), max_size=40)
values = latin.map(lambda text: text.replace("\n", " "))
headers = st.dictionaries(st.sampled_from(["content-type", "user-agent", "x-request-id"]), values)
bodies = st.builds(Body, numbers, st.sampled_from(Capture), st.binary(max_size=60))
exchanges = st.builds(
    Exchange, numbers, numbers, numbers, st.integers(100, 999), st.sampled_from(["GET", "POST", "M-SEARCH"]), latin,
    headers, headers, bodies, bodies, st.integers(0, 4), numbers,
)  # fmt: skip


@given(exchanges)
def test_an_exchange_comes_back_as_it_went(exchange: Exchange) -> None:
    assert frames.unpack(b"".join(frames.pack(exchange))) == exchange


@given(exchanges)
def test_shedding_bodies_keeps_everything_else(exchange: Exchange) -> None:
    shed = frames.without_bodies(exchange)
    assert shed.request.content == shed.response.content == b""
    assert (shed.request.size, shed.response.size) == (exchange.request.size, exchange.response.size)
    assert shed._replace(request=exchange.request, response=exchange.response) == exchange
    if not exchange.request.content:
        assert shed.request == exchange.request, "an absent body is not shed"


@given(exchanges, st.integers(0, 400), st.integers(1, 255))
def test_a_damaged_record_is_an_exchange_or_a_value_error(exchange: Exchange, at: int, mask: int) -> None:
    record = bytearray(b"".join(frames.pack(exchange)))
    record[at % len(record)] ^= mask
    with suppress(ValueError):
        frames.unpack(bytes(record))


@given(st.binary(max_size=200))
def test_any_bytes_are_an_exchange_or_a_value_error(record: bytes) -> None:
    with suppress(ValueError):
        frames.unpack(record)


@pytest.mark.parametrize("lost", [1, 20, 10**6])
def test_a_record_cut_short_is_a_value_error(lost: int) -> None:
    body = Body(3, Capture.WHOLE, b"abc")
    record = b"".join(frames.pack(Exchange(1, 2, 3, 200, "POST", "/", {}, {}, body, body)))
    with pytest.raises(ValueError, match="record"):
        frames.unpack(record[:-lost] if lost < len(record) else b"")
