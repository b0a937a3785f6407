"""Which spans are sent: by the caller, by lot, and by OpenTelemetry's variables."""

import random
from collections.abc import Mapping
from typing import Any

import pytest
from kept_scenes import SPAN, seen

from exporter import config
from exporter.trace_context import Context
from exporter.witness import environment
from exporter.witness.spans import Spans

DRAW = random.Random(4)
TRACES = [f"{DRAW.getrandbits(128):032x}" for _ in range(2000)]


def share(said: Mapping[str, Any], sampled: bool | None, **changes: Any) -> float:
    """Of many traces those that are sent."""
    settings = config.resolve(("test", {"tracing.exporter": "otlp", "tracing.endpoint": "http://127.0.0.1:1", **said}))
    spans = Spans(settings, None, None)
    sent = sum(spans.take(seen(Context(trace, SPAN, sampled), **changes)) is not None for trace in TRACES)
    spans.porter.end()
    assert spans.porter.offered == sent
    return sent / len(TRACES)


@pytest.mark.parametrize(
    ("sampler", "recorded", "not_recorded", "undecided"),
    [
        ("always_on", 1.0, 1.0, 1.0),
        ("always_off", 0.0, 0.0, 0.0),
        ("traceidratio", 0.25, 0.25, 0.25),
        ("parentbased_always_on", 1.0, 0.0, 1.0),
        ("parentbased_always_off", 1.0, 0.0, 0.0),
        ("parentbased_traceidratio", 1.0, 0.0, 0.25),
    ],
)
def test_a_sampler_does_what_its_name_says(
    monkeypatch: pytest.MonkeyPatch, sampler: str, recorded: float, not_recorded: float, undecided: float
) -> None:
    expected = {True: recorded, False: not_recorded, None: undecided}
    for said, more in (({"tracing.sampler": sampler, "tracing.ratio": 0.25}, {}),
                       ({}, {"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": "0.25"})):  # fmt: skip
        for name, value in more.items():
            monkeypatch.setenv(name, value)
        for sampled, wanted in expected.items():
            assert share(said, sampled) == pytest.approx(wanted, abs=0.05), (sampler, sampled)


def test_whatever_failed_is_sent_and_all_that_was_slow_where_settings_say_when() -> None:
    off = {"tracing.sampler": "always_off"}
    assert share(off, False, status=500) == 1.0
    assert share(off | {"tracing.errors": "false"}, False, status=500) == 0.0
    assert share(off | {"tracing.slow": "10ms"}, None, duration_ns=10**7) == 1.0
    assert share(off | {"tracing.slow": "10ms"}, None, duration_ns=10**7 - 1) == 0.0


def test_a_ratio_alone_is_of_those_that_nobody_decided_on() -> None:
    assert share({"tracing.ratio": 0.25}, None) == pytest.approx(0.25, abs=0.05)
    assert share({"tracing.ratio": 0.25}, True) == 1.0


def test_what_variables_say_is_heeded_and_nonsense_is_as_good_as_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"OTEL_PROPAGATORS": "baggage, b3multi,tracecontext,b3", "OTEL_TRACES_SAMPLER": "sometimes",
                        "OTEL_TRACES_SAMPLER_ARG": "half", "OTEL_BSP_MAX_QUEUE_SIZE": "-3",
                        "OTEL_SDK_DISABLED": "TRUE"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert environment.propagators() == ("b3", "w3c")
    assert environment.sampler() == "parentbased_always_on"
    assert environment.ratio() == 1.0
    assert environment.number("OTEL_BSP_MAX_QUEUE_SIZE", 7) == 7
    assert environment.is_disabled()
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "12")
    assert environment.number("OTEL_BSP_MAX_QUEUE_SIZE", 7) == 12


def test_ids_are_drawn_anew_where_the_caller_has_none() -> None:
    settings = config.resolve(("test", {"tracing.exporter": "otlp", "tracing.endpoint": "http://127.0.0.1:1"}))
    spans = Spans(settings, None, None)
    traces = {spans.take(seen(None)) for _ in range(100)}
    spans.porter.end()
    assert len({one.trace_id for one in traces if one}) == len({one.span_id for one in traces if one}) == 100
