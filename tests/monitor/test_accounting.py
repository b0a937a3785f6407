"""Every payload is decoded or has its reason, every row and every request is counted."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitor_scenes import FEATURES, OUTPUT, exchange, make_profile, undecoded, watch

from exporter.decode import REASONS
from exporter.monitor import Monitor
from exporter.records import Body, Capture, Failure, Observation
from exporter.reference import Profile
from exporter.sections import Windows

FOUR = {"age": 30, "city": "Paris", "code": 100, "member": True}
"""Of the seven features."""


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


@pytest.mark.parametrize(("rows", "predictions", "failures"), [
    ([[1, 2]], [0.5], {("request", "profile_mismatch"): 1}),
    ([3], [0.5], {("request", "profile_mismatch"): 1}),
    ([{"unheard": 1}], [0.5], {("request", "profile_mismatch"): 1}),
    ([{}], [0.5], {("request", "profile_mismatch"): 1}),
    ([{"age": 1, "city": "Paris", "code": 100}], [0.5], {("request", "profile_mismatch"): 1}),
    ([FOUR], [0.5, 0.6], {("response", "row_count"): 1}),
    ([FOUR], [[0.5, 0.5]], {("response", "profile_mismatch"): 1}),
    ([FOUR], [{"a": 1, "b": 2}], {("response", "profile_mismatch"): 1}),
    ([FOUR], [{"whatever": 1}], {}),
    ([], [], {}),
])  # fmt: skip
def test_what_does_not_fit_the_profile_is_a_failure(
    profile: Profile, rows: Any, predictions: Any, failures: Any
) -> None:
    monitor = watch(profile, [exchange(rows, predictions, 1.0)])
    assert undecoded(monitor) == failures
    assert monitor.snapshot(1.0).rows.observed == (0 if ("request", "profile_mismatch") in failures else len(rows))


def test_unknown_fields_are_counted_and_absent_ones_are_missing(profile: Profile) -> None:
    snapshot = watch(profile, [exchange([FOUR | {"new": 1, "newer": 2}] * 4, [0.5] * 4, 1.0)]).snapshot(1.0)
    assert snapshot.rows.unknown_fields == 8
    assert snapshot.features.scores[0].ratios["missing"][FEATURES.index("amount")] == 1.0


def test_a_lone_feature_needs_its_name_a_lone_output_does_not(tmp_path: Path) -> None:
    columns = {"x": list(range(100)), OUTPUT: [n / 100 for n in range(100)]}
    profile = make_profile_of(tmp_path, columns)
    assert undecoded(watch(profile, [exchange([{"y": 3}], [{"p": 0.5}], 1.0)])) == {("request", "profile_mismatch"): 1}
    snapshot = watch(profile, [exchange([{"x": 3, "y": 1}], [0.5], 1.0), exchange([3], [[0.5]], 1.0)]).snapshot(1.0)
    assert snapshot.features.scores[0].samples.tolist() == [2]
    assert snapshot.rows.unknown_fields == 1


def make_profile_of(directory: Path, columns: Any) -> Profile:
    from monitor_scenes import write_csv  # noqa: PLC0415

    from exporter.profile import document  # noqa: PLC0415
    from exporter.profile.build import Plan, build  # noqa: PLC0415

    return document.save(build(Plan(write_csv(directory / "t.csv", columns), [OUTPUT]))[0], str(directory / "p.json"))


def test_rows_of_a_body_that_was_cut_off_are_counted_and_said_so() -> None:
    body = Body(10**7, Capture.TRUNCATED, b'{"instances": [[1, 2], [3, 4], [5, ')
    cut_off = exchange(b"", [0.5] * 9, 1.0)._replace(request=body)
    snapshot = watch(None, [cut_off, exchange([[1, 2]], [0.5], 1.0)]).snapshot(1.0)
    assert snapshot.rows.observed == 3
    assert snapshot.decoding.decoded == {"request": 2, "response": 2}
    assert snapshot.decoding.partial == {"request": 1, "response": 0}
    assert snapshot.decoding.partial_rows == {"request": 2, "response": 0}


def test_without_a_profile_rows_and_payloads_are_counted_all_the_same() -> None:
    monitor = watch(None, [exchange([[1, 2], [3, 4]], [1, 2], 1.0), exchange(b"{", b"", 1.0)])
    snapshot = monitor.snapshot(1.0)
    assert snapshot.rows.observed == 2
    assert snapshot.features is None
    assert snapshot.outputs is None
    assert snapshot.decoding.decoded == {"request": 1, "response": 1}
    assert undecoded(monitor) == {("request", "invalid_json"): 1, ("response", "empty"): 1}


CELLS = st.one_of(st.none(), st.floats(), st.text(max_size=5), st.lists(st.none()))
ROWS = st.one_of(
    st.none(),
    st.integers(),
    st.text(max_size=3),
    st.lists(st.floats(), max_size=8),
    st.dictionaries(st.sampled_from([*FEATURES, "new"]), CELLS),
)
ANSWERS = st.one_of(
    st.floats(), st.lists(st.floats(), max_size=2), st.dictionaries(st.sampled_from([OUTPUT, "x"]), st.floats())
)
BODIES = st.one_of(
    st.binary(max_size=30),
    st.lists(ROWS, max_size=4).map(lambda rows: json.dumps({"instances": rows}).encode()),
    st.lists(ANSWERS, max_size=4).map(lambda rows: json.dumps({"predictions": rows}).encode()),
)
EXCHANGES = st.lists(
    st.tuples(
        BODIES,
        BODIES,
        st.sampled_from([200, 200, 200, 204, 301, 400, 500, 999]),
        st.sampled_from(["POST", "POST", "GET", "PUT"]),
        st.sampled_from(list(Capture)),
        st.sampled_from(["/v1/models/m:predict", "/health"]),
        st.floats(0, 5000),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=150)
@given(EXCHANGES)
def test_every_payload_is_decoded_or_has_a_reason(profile: Profile, drawn: Any) -> None:
    seen = [
        exchange(request, response, at, status=status, method=method, path=path,
                 request=Body(len(request), capture, request))
        for request, response, status, method, capture, path, at in drawn
    ]  # fmt: skip
    monitor = watch(profile, seen)
    snapshot = monitor.snapshot(5000.0)
    offered = sum(one.request.capture is not Capture.SKIPPED and one.path != "/health" for one in seen)
    for side in ("request", "response"):
        failed = sum(count for (where, _, _), count in snapshot.decoding.undecoded.items() if where == side)
        assert snapshot.decoding.offered[side] == offered == snapshot.decoding.decoded[side] + failed
    assert snapshot.features.totals.bins.sum() == snapshot.rows.observed * len(FEATURES)
    assert sum(snapshot.traffic.codes.values()) + snapshot.traffic.probes == len(seen)
    assert all(snapshot.features.totals.type_errors >= 0)


def test_every_reason_of_a_failure_can_be_counted() -> None:
    monitor = Monitor(None, Windows(), ())
    for reason in REASONS:
        monitor.observe(exchange([], [], 1.0), Observation(Failure(reason), Failure(reason)))
    assert set(monitor.snapshot(1.0).decoding.undecoded.values()) == {1}


def test_probes_are_not_requests_of_the_model(profile: Profile) -> None:
    probe = exchange([], [], 1.0)
    seen = [probe._replace(path="/health"), probe._replace(request_headers={"user-agent": "kube-probe/1.31"})]
    snapshot = watch(profile, seen).snapshot(1.0)
    assert snapshot.traffic.probes == 2
    assert snapshot.traffic.codes == {"200": 0}
    assert snapshot.decoding.offered == {"request": 0, "response": 0}


def test_traffic_counts_codes_sizes_and_durations() -> None:
    given = ((200, 1_000_000), (200, 1_000_001), (503, 10**12), (42, 0), (700, 5))
    seen = [exchange([1], [1], 1.0, status=status, duration_ns=nanoseconds) for status, nanoseconds in given]
    traffic = watch(None, seen).snapshot(1.0).traffic
    assert traffic.codes == {"200": 2, "503": 1, "other": 2}
    assert (sum(traffic.duration.counts), traffic.duration.counts[:2]) == (2, (1, 1))
    assert traffic.duration.total == pytest.approx(0.002_000_001)
    assert (traffic.failed_duration.counts[0], traffic.failed_duration.counts[-1]) == (2, 1)
    assert traffic.failed_duration.total == pytest.approx(1000.000_000_005)
    assert sum(traffic.request_size.counts) == sum(traffic.response_size.counts) == 5
    assert traffic.last_wall_s == 1.0


@pytest.mark.parametrize("jump_s", [-86_400.0, 86_400.0])
def test_the_last_request_is_the_last_one_though_the_wall_clock_jumped(profile: Profile, jump_s: float) -> None:
    def at(moment: float, wall_s: float) -> Any:
        return exchange([], [], moment, wall_ns=round(wall_s * 1e9))

    passed = [at(1.0, 1e6), at(2.0, 1e6 + jump_s), at(3.0, 1e6 + 2)]
    for order in (passed, passed[::-1]):
        assert watch(profile, order).snapshot(3.0).traffic.last_wall_s == 1e6 + 2
    assert watch(profile, passed[:2]).snapshot(3.0).traffic.last_wall_s == 1e6 + jump_s
