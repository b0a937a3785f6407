"""/metrics with what a model server says of itself, without the sidecar's processes."""

import gzip
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import repeat

import pytest
from flask.testing import FlaskClient
from merging.serving import LIMITS, OPEN_TYPE, TYPE, Script, Server, answer, serving
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.openmetrics.exposition import generate_latest as generate_open
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_text
from support import Metrics

from exporter import catalogue, web
from exporter.collect.exposition import Samples
from exporter.collect.rendered import OPEN_METRICS, TEXT, Rendered
from exporter.collect.writing import Writing
from exporter.handoff import board
from exporter.merging import Merging
from exporter.merging.asking import MARK
from exporter.merging.telling import Counts
from exporter.records import MERGE_ERRORS, MERGE_REFUSALS
from exporter.web import merged

PROMETHEUS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
UP, SERIES = "inference_exporter_upstream_metrics_up", "inference_exporter_upstream_metrics_series"
ERRORS = "inference_exporter_upstream_metrics_errors_total"
REFUSED = "inference_exporter_upstream_metrics_refused_total"
OWN = Rendered([Writing().block(Samples(catalogue.ROWS, [(("m", "1"), 5)]))])


def _always(*said: bytes) -> Script:
    return lambda _: said


@contextmanager
def _client(script: Script, limits: object = LIMITS) -> Iterator[tuple[FlaskClient, Server]]:
    with serving(script) as server:
        app = web.create_app(lambda: OWN)
        merged.add(app, Merging(server.target(), limits, Counts(board.attach(board.create()))))  # type: ignore[arg-type]
        yield app.test_client(), server


def _scraped(client: FlaskClient, **headers: str) -> Metrics:
    return Metrics(client.get("/metrics", headers=headers).text)


def _reasons(metrics: Metrics, name: str) -> dict[str, float]:
    return {labels["reason"]: value for labels, value in metrics.all(name)}


def test_one_page_has_ours_and_theirs_and_says_so() -> None:
    with _client(_always(answer(b'# HELP x Theirs.\n# TYPE x gauge\nx 1\nx{a="1"} 2 1600000000000\n'))) as (client, _):
        page = client.get("/metrics")
    assert (page.status_code, page.content_type, page.content_length) == (200, TEXT, len(page.data))
    assert page.text.startswith("# HELP model_rows_total ")
    assert page.text.endswith('# HELP x Theirs.\n# TYPE x gauge\nx 1\nx{a="1"} 2 1600000000000\n')
    metrics = Metrics(page.text)
    assert (metrics.value("model_rows_total"), metrics.value(UP), metrics.value(SERIES)) == (5, 1, 2)
    assert metrics.value("inference_exporter_upstream_metrics_duration_seconds") > 0
    assert _reasons(metrics, ERRORS) == dict.fromkeys(MERGE_ERRORS, 0)
    assert _reasons(metrics, REFUSED) == dict.fromkeys(MERGE_REFUSALS, 0)


def test_a_family_that_would_fail_the_scrape_is_left_out_alone() -> None:
    theirs = b"x 1\nmodel_rows_total 7\nbad{ 1\nagain 1\ny 2\nagain 2\n" + b"".join(
        b'big{n="%d"} 1\n' % at for at in range(999)
    )
    with _client(_always(answer(theirs))) as (client, _):
        metrics = _scraped(client)
    assert (metrics.value("x"), metrics.value("y"), metrics.value("model_rows_total")) == (1, 2, 5)
    assert not {"bad", "again", "big"} & {sample.name for sample in metrics.samples}
    assert (metrics.value(UP), metrics.value(SERIES)) == (1, 2)
    assert _reasons(metrics, REFUSED) == {"clash": 1, "duplicate": 2, "malformed": 1, "too_many": 1}


def _formats(script_type: str) -> Script:
    body = b"x 1\n# EOF\n" if script_type == OPEN_TYPE else b"x 1\n"
    return _always(answer(body, media=script_type))


@pytest.mark.parametrize(("theirs", "accept", "expected", "is_up"), [
    (TYPE, "", TEXT, 1),
    (TYPE, PROMETHEUS, TEXT, 1),
    (TYPE, "application/openmetrics-text;version=1.0.0", OPEN_METRICS, 0),
    (OPEN_TYPE, PROMETHEUS, OPEN_METRICS, 1),
    (OPEN_TYPE, "", OPEN_METRICS, 1),
    (OPEN_TYPE, "text/plain", TEXT, 0),
])  # fmt: skip
def test_the_page_is_in_the_format_that_both_have(theirs: str, accept: str, expected: str, is_up: int) -> None:
    with _client(_formats(theirs)) as (client, _):
        page = client.get("/metrics", headers={"Accept": accept} if accept else {})
    assert page.content_type == expected
    families = (read_open if expected == OPEN_METRICS else read_text)(page.text)
    found = {sample.name: sample.value for family in families for sample in family.samples}
    assert (found[UP], found.get("x")) == (is_up, 1 if is_up else None)


def test_exemplars_of_theirs_reach_who_takes_openmetrics() -> None:
    registry = CollectorRegistry()
    Counter("served", "Served.", registry=registry).inc(3, {"trace_id": "abc"})

    def script(head: bytes) -> Iterable[bytes]:
        assert b"Accept: application/openmetrics-text" in head
        return [answer(generate_open(registry), media=OPEN_TYPE)]

    with _client(script) as (client, _):
        page = client.get("/metrics", headers={"Accept": PROMETHEUS}).text
    exemplars = [s.exemplar for f in read_open(page) for s in f.samples if s.name == "served_total"]
    assert exemplars[0].labels == {"trace_id": "abc"}
    assert page.count("# EOF") == 1


def test_names_and_packing_are_of_the_whole_page() -> None:
    with _client(_always(answer(gzip.compress(b"x 1\ny 2\n"), "Content-Encoding: gzip"))) as (client, server):
        page = client.get("/metrics?name[]=y&name[]=model_rows", headers={"Accept-Encoding": "gzip"})
        text = gzip.decompress(page.data).decode()
        assert [line for line in text.splitlines() if line[0] != "#"] == [
            'model_rows_total{model="m",model_version="1"} 5',
            "y 2",
        ]
        assert gzip.decompress(client.get("/metrics", headers={"Accept-Encoding": "gzip"}).data).endswith(b"x 1\ny 2\n")
        assert len(server.heads) == 1


def test_without_theirs_ours_goes_out_alone_and_the_reason_is_counted() -> None:
    with _client(_always(answer(b"", status="404 Not Found"))) as (client, _):
        first = _scraped(client)
        again = _scraped(client)
    for metrics in (first, again):
        assert (metrics.value("model_rows_total"), metrics.value(UP), metrics.value(SERIES)) == (5, 0, 0)
        assert _reasons(metrics, ERRORS) == dict.fromkeys(MERGE_ERRORS, 0) | {"status": 1}


@pytest.mark.parametrize(("said", "reason"), [
    ([answer(b"x 1\n", media=OPEN_TYPE)], "cut_off"),
    ([answer(b"\n" * 20_000)], "too_large"),
])  # fmt: skip
def test_a_page_that_is_none_is_as_good_as_no_answer(said: list[bytes], reason: str) -> None:
    with _client(_always(*said)) as (client, _):
        metrics = _scraped(client)
    assert metrics.value(UP) == 0
    assert _reasons(metrics, ERRORS)[reason] == 1


def test_a_scraper_with_little_time_gets_ours_while_the_server_hangs() -> None:
    silence = lambda _: (b"" for _ in repeat(None))  # noqa: E731
    with _client(silence, LIMITS._replace(timeout_s=30)) as (client, _):
        metrics = _scraped(client, **{"X-Prometheus-Scrape-Timeout-Seconds": "0.2"})
        assert (metrics.value("model_rows_total"), metrics.value(UP)) == (5, 0)
        assert _reasons(metrics, ERRORS) == dict.fromkeys(MERGE_ERRORS, 0) | {"late": 1}


@pytest.mark.parametrize(("said", "expected"), [
    ("10", 9.5), ("0.4", 0.2), ("1", 0.5), (None, 3600), ("nan", 3600), ("-1", 3600), ("inf", 3600), ("x", 3600),
])  # fmt: skip
def test_a_margin_is_left_of_the_time_that_a_scrape_has(said: str | None, expected: float) -> None:
    assert merged.patience_s(said) == expected


def test_a_question_of_our_kind_gets_ours_alone_so_that_no_circle_closes() -> None:
    with _client(_always(answer(b"x 1\n"))) as (client, server):
        page = client.get("/metrics", headers={MARK: "1"}).text
        assert UP not in page
        assert "\nx 1\n" not in page
        assert server.heads == []
