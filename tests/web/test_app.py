"""The web side without its processes."""

import gzip

import pytest

from exporter import web
from exporter.collect.exposition import Block
from exporter.collect.rendered import OPEN_METRICS, TEXT, Rendered

EMPTY = Rendered([])
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
HEAD, OPEN_HEAD = b"# TYPE model_x gauge\n", b"# TYPE model_x gauge\n# HELP model_x X.\n"


def _page() -> Rendered:
    big = Block("model_x", HEAD, OPEN_HEAD, b"model_x 1\n" * 50_000, 50_000)
    return Rendered([big, Block("model_y_total", b"", b"", b"model_y_total 2\n", 1)])


def test_metrics_are_served_plain_and_compressed() -> None:
    client = web.create_app(_page).test_client()
    page = HEAD + b"model_x 1\n" * 50_000 + b"model_y_total 2\n"
    plain = client.get("/metrics")
    assert (plain.status_code, plain.data, plain.headers["Content-Type"]) == (200, page, TEXT)
    assert "Content-Encoding" not in plain.headers
    assert plain.content_length == len(page)
    assert plain.headers["Vary"] == "Accept, Accept-Encoding"
    squeezed = client.get("/metrics", headers={"Accept-Encoding": "gzip"})
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(squeezed.data) == page
    assert squeezed.content_length == len(squeezed.data)
    refused = client.get("/metrics", headers={"Accept-Encoding": "gzip;q=0"})
    assert refused.data == page


def test_openmetrics_is_served_to_whom_asks_for_it_and_ends_as_it_must() -> None:
    answer = web.create_app(_page).test_client().get("/metrics", headers={"Accept": PROMETHEUS_2})
    assert answer.headers["Content-Type"] == OPEN_METRICS
    assert answer.data.startswith(OPEN_HEAD)
    assert answer.data.endswith(b"model_y_total 2\n# EOF\n")
    assert answer.content_length == len(answer.data)


@pytest.mark.parametrize("names", [["model_y_total"], ["model_y"], ["model_y_total", "model_z"]])
def test_families_are_served_by_name(names: list[str]) -> None:
    client = web.create_app(_page).test_client()
    for headers in ({}, {"Accept-Encoding": "gzip"}):
        answer = client.get("/metrics", query_string={"name[]": names}, headers=headers)
        assert answer.status_code == 200
        text = gzip.decompress(answer.data) if headers else answer.data
        assert text == b"model_y_total 2\n"
    assert client.get("/metrics?name[]=model_z").data == b""
    assert client.get("/metrics?name[]=model_z", headers={"Accept": PROMETHEUS_2}).data == b"# EOF\n"


def test_before_the_first_snapshot_it_is_healthy_but_not_ready() -> None:
    client = web.create_app(lambda: None).test_client()
    assert client.get("/-/healthy").status_code == 200
    assert client.get("/-/ready").status_code == 503
    assert client.get("/metrics").status_code == 503


def test_observation_is_switched_by_who_may() -> None:
    asked: list[bool] = []
    client = web.create_app(lambda: EMPTY, asked.append).test_client()
    for text, status in (("?enabled=false", 200), ("?enabled=true", 200), ("", 400), ("?enabled=maybe", 400)):
        assert client.post("/-/observe" + text).status_code == status
    assert client.get("/-/observe?enabled=false").status_code == 405
    assert asked == [False, True]
    refused = web.create_app(lambda: EMPTY).test_client().post("/-/observe?enabled=false")
    assert refused.status_code == 403
    assert b"web.enable_lifecycle" in refused.data


def test_unknown_paths_and_methods_are_refused() -> None:
    client = web.create_app(lambda: EMPTY).test_client()
    assert client.get("/nothing").status_code == 404
    assert client.post("/metrics").status_code == 405
