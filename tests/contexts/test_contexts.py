"""What callers say of their trace, in whichever words."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from exporter.contexts import FORMATS, Reader
from exporter.trace_context import Context

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
READ = Reader(tuple(FORMATS))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"traceparent": f"00-{TRACE}-{SPAN}-01"}, Context(TRACE, SPAN, True)),
        ({"traceparent": f"00-{TRACE}-{SPAN}-00"}, Context(TRACE, SPAN, False)),
        ({"traceparent": f"00-{TRACE}-{SPAN}-03", "tracestate": "a=1,b=2"}, Context(TRACE, SPAN, True, "a=1,b=2")),
        ({"traceparent": f"cc-{TRACE}-{SPAN}-01-what-comes-later"}, Context(TRACE, SPAN, True)),
        ({"ce-traceparent": f"00-{TRACE}-{SPAN}-01", "ce-tracestate": "a=1"}, Context(TRACE, SPAN, True, "a=1")),
        ({"b3": f"{TRACE}-{SPAN}-1-05e3ac9a4f6e3b90"}, Context(TRACE, SPAN, True)),
        ({"b3": f"{TRACE}-{SPAN}-d"}, Context(TRACE, SPAN, True)),
        ({"b3": f"{TRACE}-{SPAN}-0"}, Context(TRACE, SPAN, False)),
        ({"b3": f"{TRACE[16:]}-{SPAN}"}, Context(TRACE[16:].rjust(32, "0"), SPAN, None)),
        ({"x-b3-traceid": TRACE.upper(), "x-b3-spanid": SPAN}, Context(TRACE, SPAN, None)),
        ({"x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-sampled": "0"}, Context(TRACE, SPAN, False)),
        ({"x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-flags": "1"}, Context(TRACE, SPAN, True)),
        ({"x-cloud-trace-context": f"{TRACE}/255;o=1"}, Context(TRACE, "00000000000000ff", True)),
        ({"x-cloud-trace-context": f"{TRACE}/255;o=0"}, Context(TRACE, "00000000000000ff", False)),
        ({"x-cloud-trace-context": f"{TRACE}/255"}, Context(TRACE, "00000000000000ff", None)),
        (
            {"x-amzn-trace-id": f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=1"},
            Context(TRACE, SPAN, True),
        ),
        (
            {"x-amzn-trace-id": f"Self=1-67891234-{'1' * 24};Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=?"},
            Context(TRACE, SPAN, None),
        ),
    ],
)
def test_each_format_says_trace_span_and_whether_it_is_recorded(headers: Mapping[str, str], expected: Context) -> None:
    assert READ(headers) == expected


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"traceparent": ""},
        {"traceparent": f"00-{TRACE}-{SPAN}-01-more"},
        {"traceparent": f"ff-{TRACE}-{SPAN}-01"},
        {"traceparent": f"00-{'0' * 32}-{SPAN}-01"},
        {"traceparent": f"00-{TRACE}-{'0' * 16}-01"},
        {"traceparent": f"00-{TRACE.upper()}-{SPAN}-01"},
        {"traceparent": f"00-{TRACE[:-1]}-{SPAN}-01"},
        {"tracestate": "a=1"},
        {"b3": "0"},
        {"b3": f"{TRACE[:20]}-{SPAN}"},
        {"b3": f"{'0' * 32}-{SPAN}"},
        {"x-b3-traceid": TRACE},
        {"x-b3-sampled": "1"},
        {"x-cloud-trace-context": TRACE},
        {"x-cloud-trace-context": f"{TRACE}/0;o=1"},
        {"x-cloud-trace-context": f"{TRACE}/{1 << 64};o=1"},
        {"x-amzn-trace-id": f"Root=1-{TRACE[:8]}-{TRACE[8:]}"},
        {"x-amzn-trace-id": f"Root=2-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN}"},
        {"x-amzn-trace-id": ";" * 1000},
    ],
)
def test_what_is_missing_or_malformed_is_no_context_and_no_fault(headers: Mapping[str, str]) -> None:
    assert READ(headers) is None


def test_a_malformed_one_does_not_hide_another() -> None:
    assert READ({"traceparent": "00-broken", "b3": f"{TRACE}-{SPAN}-1"}) == Context(TRACE, SPAN, True)


def test_of_several_the_one_named_first_is_believed() -> None:
    both = {"traceparent": f"00-{TRACE}-{SPAN}-01", "b3": f"{TRACE[::-1]}-{SPAN}-1"}
    assert READ(both) == Context(TRACE, SPAN, True)
    assert Reader(("b3", "w3c"))(both) == Context(TRACE[::-1], SPAN, True)


def test_a_tracestate_that_is_too_long_or_no_text_is_left_out() -> None:
    parent = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
    assert READ(parent | {"tracestate": "a=" + "1" * 511}) == Context(TRACE, SPAN, True)
    assert READ(parent | {"tracestate": "a=\x01"}) == Context(TRACE, SPAN, True)


_HEADERS = sorted({header for one in FORMATS.values() for header in one.headers})


@given(st.dictionaries(st.sampled_from(_HEADERS), st.text(max_size=80)))
def test_no_header_raises_whatever_it_holds(headers: dict[str, str]) -> None:
    found = READ(headers)
    assert found is None or (len(found.trace_id) == 32 and len(found.span_id) == 16)


@given(
    st.from_regex(r"[0-9a-fg]{2}-[0-9a-f]{31,33}-[0-9a-f]{15,17}-[0-9a-f]{2}(-x)?", fullmatch=True)
    | st.builds("00-{:032x}-{:016x}-{:02x}".format, st.integers(0, 9), st.integers(0, 9), st.integers(0, 255))
)
def test_traceparent_is_read_as_opentelemetry_reads_it(header: str) -> None:
    theirs = trace.get_current_span(TraceContextTextMapPropagator().extract({"traceparent": header})).get_span_context()
    ours = READ({"traceparent": header})
    if not theirs.is_valid:
        assert ours is None
    else:
        assert ours is not None
        assert (int(ours.trace_id, 16), int(ours.span_id, 16)) == (theirs.trace_id, theirs.span_id)
        assert ours.sampled is theirs.trace_flags.sampled
