"""The web side without its processes."""

import gzip

from exporter import web
from exporter.collect.exposition import CONTENT_TYPE
from exporter.collect.pressed import pressed
from exporter.findings import Unread

EMPTY = pressed()


def test_metrics_are_served_plain_and_compressed() -> None:
    page = b"model_x 1\n" * 50_000
    client = web.create_app(lambda: pressed(page), lambda: ["m"]).test_client()
    plain = client.get("/metrics")
    assert (plain.status_code, plain.data, plain.headers["Content-Type"]) == (200, page, CONTENT_TYPE)
    assert "Content-Encoding" not in plain.headers
    assert plain.content_length == len(page)
    squeezed = client.get("/metrics", headers={"Accept-Encoding": "gzip"})
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(squeezed.data) == page
    refused = client.get("/metrics", headers={"Accept-Encoding": "gzip;q=0"})
    assert refused.data == page


def test_before_the_first_snapshot_it_is_healthy_but_not_ready() -> None:
    client = web.create_app(lambda: None, lambda: ["m"]).test_client()
    assert client.get("/-/healthy").status_code == 200
    assert client.get("/-/ready").status_code == 503
    assert client.get("/metrics").status_code == 503


def test_the_landing_page_names_each_model_once_escaped_and_links_to_the_metrics() -> None:
    answer = web.create_app(lambda: EMPTY, lambda: ["<script>", "b", "b"]).test_client().get("/")
    assert b'href="/metrics"' in answer.data
    assert b"<script>" not in answer.data
    assert b"Watching &lt;script>, b." in answer.data


def test_observation_is_switched_by_who_may() -> None:
    asked: list[bool] = []
    client = web.create_app(lambda: EMPTY, lambda: ["m"], asked.append).test_client()
    for text, status in (("?enabled=false", 200), ("?enabled=true", 200), ("", 400), ("?enabled=maybe", 400)):
        assert client.post("/-/observe" + text).status_code == status
    assert client.get("/-/observe?enabled=false").status_code == 405
    assert asked == [False, True]
    refused = web.create_app(lambda: EMPTY, lambda: ["m"]).test_client().post("/-/observe?enabled=false")
    assert refused.status_code == 403
    assert b"web.enable_lifecycle" in refused.data


def test_unknown_paths_and_methods_are_refused() -> None:
    client = web.create_app(lambda: EMPTY, lambda: ["m"]).test_client()
    assert client.get("/nothing").status_code == 404
    assert client.post("/metrics").status_code == 405


def test_the_landing_page_lists_payloads_that_could_not_be_decoded_and_trusts_no_path() -> None:
    unread = [Unread(0.0, "request", "invalid_json", "unknown", "/<script>", "nested too deeply")]
    client = web.create_app(lambda: EMPTY, lambda: ["m"], unread=lambda: unread).test_client()
    text = client.get("/").get_data(as_text=True)
    assert "1970-01-01 00:00:00 UTC</td><td>request</td><td>invalid_json</td><td>unknown</td>" in text
    assert "<td>nested too deeply</td>" in text
    assert "<script>" not in text
    quiet = web.create_app(lambda: EMPTY, lambda: ["m"]).test_client().get("/").get_data(as_text=True)
    assert "could not be decoded" not in quiet
