"""Golden requests that come by are relayed and counted apart: nothing else on the page knows of them."""

import dataclasses
from typing import Any

import pytest
from events import loggers
from hypothesis import given, settings
from hypothesis import strategies as st
from monitor_scenes import answers, exchange, live_rows, make_profile

from exporter import config, marks
from exporter.collect import Renderer
from exporter.collect.rendered import TEXT
from exporter.collect.scene import Page, Scene
from exporter.condition import Health, ServerVitals
from exporter.decode import Decoder, rules
from exporter.events.desk import Desk
from exporter.handoff import board, frames, report, ring
from exporter.handoff.ring import Ring
from exporter.messages import KEPT_HEADERS
from exporter.monitor import stream
from exporter.monitor.models import Models
from exporter.monitor.naming import OTHER
from exporter.monitor.provisional import Provisionals
from exporter.profile.directory import OneProfile
from exporter.records import Exchange
from exporter.reference import Profile

SETTINGS = {
    "feedback.enable": True, "provisional.enable": True, "provisional.rows": 100, "provisional.minimum_rows": 50,
    "values": [{"name": "price", "pointer": {"side": "request", "pointer": "/price"}}],
}  # fmt: skip
MARKS = (
    {marks.GOLDEN: "a%20case"},
    {"ce-id": f"{marks.ID}1"},
    {"seldon-puid": f"{marks.ID}2"},
    {"x-request-id": f"{marks.ID}3", "user-agent": "anybody"},
)
TALK = b'{"model": "llm", "messages": [{"role": "user", "content": "Hi!"}]}'
TOLD = b'{"choices": [{"finish_reason": "stop"}], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}'


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


def page(profile: Profile | None, exchanges: list[Exchange]) -> str:
    """What is on /metrics once these came through a ring."""
    found = config.resolve(("test", SETTINGS | ({"profile": "profile.json"} if profile else {})))
    references = OneProfile(profile, found.model.name)
    models = Models(found, references, provisional=Provisionals(found.provisional, references, {}))
    records = [b"".join(frames.pack(one)) for one in exchanges]
    assert stream.observe(records, Decoder(rules.of(found), profile_of=models.profile_of), models) == 0
    health = Health(0.0, len(exchanges), report.relay([Ring(ring.create(1 << 16))], 0, 0))
    scenes = tuple(
        Scene(*one.label, one.profile, one.snapshot, ServerVitals(), health, one.visible, one.label.model == OTHER)
        for one in models.shown(200.0)
    )
    rendered = Renderer().render(Page(scenes, health, models.attributing.snapshot()))
    return b"".join(rendered.pieces(TEXT)).decode()


def ours(number: int) -> Exchange:
    rows = live_rows(3, number)
    return exchange(rows, answers(rows, number), float(number), request_headers={"x-request-id": f"r{number}"})


def golden(kind: int, mark: dict[str, str], status: int) -> Exchange:
    """One that would be counted in many places, were it not marked."""
    rows: Any = live_rows(20, kind)
    priced = b'{"instances": [[1, 2]], "price": 9}'
    asked, answered, path = (
        (rows, answers(rows, 1), "/v1/models/m:predict"),
        (priced, b'{"predictions": [1]}', "/v1/models/another/versions/9:predict"),
        (TALK, TOLD, "/v1/chat/completions"),
        (b"nonsense", b"{}", "/v2/models/third/infer"),
    )[kind]
    return exchange(asked, answered, 150.0, path=path, status=status, duration_ns=10**10, request_headers=mark)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(
    st.integers(0, 30), st.integers(0, 3), st.sampled_from(MARKS), st.sampled_from([200, 400, 503])
), max_size=8), st.booleans())  # fmt: skip
def test_a_page_with_golden_requests_among_the_traffic_is_the_page_without(
    profile: Profile, mixed_in: list[tuple[int, int, dict[str, str], int]], is_profiled: bool
) -> None:
    traffic = [ours(number) for number in range(30)]
    among = list(traffic)
    for place, kind, mark, status in sorted(mixed_in, key=lambda one: -one[0]):
        among.insert(place, golden(kind, mark, status))
    reference = profile if is_profiled else None
    without, together = page(reference, traffic), page(reference, among)
    told = f"\ninference_exporter_golden_exchanges_total {float(len(mixed_in))}\n"
    assert told in together
    counted = "\ninference_exporter_exchanges_observed_total "
    assert f"{counted}{float(len(among))}\n" in together
    expected = without.replace("\ninference_exporter_golden_exchanges_total 0.0\n", told)
    assert together == expected.replace(f"{counted}30.0\n", f"{counted}{float(len(among))}\n")


def test_the_relay_keeps_the_mark() -> None:
    assert marks.GOLDEN.encode() in KEPT_HEADERS
    assert {name.encode() for name in marks.SENT_IDS} <= KEPT_HEADERS


@pytest.mark.parametrize("headers", [{}, {"x-request-id": "abc", "ce-id": "1"}, {"ce-id": f"not-{marks.ID}"}])
def test_other_headers_are_no_mark(headers: dict[str, str]) -> None:
    assert not marks.is_marked(headers)


@pytest.mark.parametrize("logger", [loggers.kserve, loggers.seldon])
@pytest.mark.parametrize("halves", [("request", "response"), ("response",), ("request",)])
def test_what_a_logger_posts_of_a_golden_request_is_known_by_its_id(logger: Any, halves: tuple[str, ...]) -> None:
    found = config.resolve(("test", {"events.enable": True}))
    desk = Desk(found.events, board.attach(board.create()))
    for half in halves:
        headers, body = logger(half, loggers.instances([1]), f"{marks.ID}17")
        desk.post(loggers.lower(headers), body)
    told = desk.take() + desk.rest()
    assert [marks.is_marked(one.request_headers) for _, one in told] == [True]


def test_a_logger_that_passes_headers_on_passes_the_mark_on() -> None:
    desk = Desk(dataclasses.replace(config.resolve().events, enable=True), board.attach(board.create()))
    metadata = '{"X-Inference-Exporter-Golden": ["a case"]}'
    headers, body = loggers.kserve("request", loggers.instances([1]), "17", metadata=metadata)
    desk.post(loggers.lower(headers), body)
    assert [marks.is_marked(one.request_headers) for _, one in desk.take() + desk.rest()] == [True]
