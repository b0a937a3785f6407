"""`/api/v1`: the facts as they are, what cannot be meant refused, and no more than a share of a processor for it."""

import gzip
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from web.status.sample import HOSTILE, NOW, PANE_S, ROWBACK, Sample
from werkzeug.test import TestResponse

from exporter import web
from exporter.status.facts import VERDICTS
from exporter.web.limits import Bucket
from exporter.web.status import api
from exporter.web.status.budget import Budget

FRAUD = {"model": "fraud", "version": "2026.11"}


def client(source: Any, budget: Budget | None = None) -> FlaskClient:
    app = Flask("test")
    web.speak_plainly(app)
    api.add(app, source, budget or Budget(Bucket(1e9, 1e9)))
    return app.test_client()


def get(source: Any, path: str, headers: Mapping[str, str] | None = None, **asked: Any) -> TestResponse:
    return client(source).get(f"/api/v1/{path}", query_string=asked, headers=headers)


def told(source: Any, path: str, **asked: Any) -> Any:
    answer = get(source, path, **asked)
    assert (answer.status_code, answer.content_type) == (200, "application/json"), answer.text
    return orjson.loads(answer.data)


def refused(source: Any, path: str, **asked: Any) -> tuple[int, str]:
    answer = get(source, path, **asked)
    found = orjson.loads(answer.data)
    assert (list(found), answer.content_type) == (["error"], "application/json")
    return answer.status_code, found["error"]


def plain(fact: Any) -> Any:
    return orjson.loads(orjson.dumps(fact))


def test_the_status_is_the_facts_word_for_word() -> None:
    source = Sample(others=3)
    assert told(source, "status") == plain(source.facts)


def test_models_are_listed_with_what_is_to_be_said_of_each() -> None:
    found = told(Sample(others=5), "models")
    assert found["time"] == NOW
    assert [one["model"] for one in found["models"]] == ["fraud", *(f"model-{n}" for n in range(5))]
    assert {one["verdict"] for one in found["models"]} == set(VERDICTS)
    assert found["models"][0]["sentence"].startswith("Act: 2 of 24 features moved")


def test_one_model_need_not_be_named_and_of_several_one_must() -> None:
    source = Sample()
    assert source.facts is not None
    assert told(source, "model") == told(source, "model", **FRAUD) == plain(source.facts.models[0])
    several = Sample(others=30)
    assert told(several, "model", model="model-7")["model"] == "model-7"
    status, words = refused(several, "model")
    assert status == 400
    assert words.startswith("several models are so, say which by model and version: 'fraud' '2026.11', 'model-0' '1'")
    assert words.endswith("…")
    assert refused(several, "model", model="no such")[0] == 404
    assert refused(source, "model", **(FRAUD | {"version": "1"})) == (
        404,
        "no model is so; there are: 'fraud' '2026.11'",
    )


def test_columns_come_in_pages_and_can_be_searched() -> None:
    source = Sample(1000)
    found = told(source, "features", per_page=100)
    assert (found["found"], found["page"], found["pages"], found["side"]) == (1000, 1, 10, "feature")
    assert [one["name"] for one in found["columns"][:2]] == ["amount", "device_score"]
    every = [one for page in range(1, 11) for one in told(source, "features", per_page=100, page=page)["columns"]]
    assert every == plain(source.columns(*FRAUD.values(), "feature"))
    assert told(source, "features", page=99)["columns"] == []
    searched = told(source, "features", search="VELOCITY")
    assert {one["name"] for one in searched["columns"]} == {"velocity_1h", "velocity_24h"}
    assert [one["name"] for one in told(source, "features", search=ROWBACK[:3])["columns"]] == [ROWBACK]
    nothing = told(source, "features", search="no such")
    assert (nothing["found"], nothing["pages"], nothing["columns"]) == (0, 1, [])
    drifted = told(source, "features", standing="drifted")
    assert {one["name"] for one in drifted["columns"]} == {"amount", "device_score"}
    assert [one["name"] for one in told(source, "features", side="output")["columns"]] == ["score"]


def test_a_column_whole_is_found_by_its_name_whatever_that_is() -> None:
    source = Sample(100)
    for name in ("amount", HOSTILE, ROWBACK):
        assert told(source, "feature", name=name) == plain(source.column(*FRAUD.values(), "feature", name))
    assert refused(source, "feature", name="score") == (404, "no such column is watched: 'score'")
    assert told(source, "feature", name="score", side="output")["column"]["name"] == "score"


def test_trails_and_moments_are_of_the_columns_that_are_named() -> None:
    source = Sample(100)
    names = ["amount", HOSTILE]
    found = told(source, "trails", name=names)
    assert found == plain(source.trails(*FRAUD.values(), "feature", names))
    at = found["starts"][-3]
    then = told(source, "moment", name=names, at=at)
    assert (then["start"], then["end"]) == (at, at + PANE_S)
    assert [one["name"] for one in then["columns"]] == ["amount", HOSTILE]
    assert refused(source, "trails", name="no such")[0] == 404


def test_without_names_the_columns_with_most_evidence_are_meant() -> None:
    source = Sample(100)
    first = [one["name"] for one in told(source, "features", per_page=50)["columns"]]
    assert [one["name"] for one in told(source, "trails")["columns"]] == first
    assert len(told(source, "moment", at=NOW)["columns"]) == 50


@pytest.mark.parametrize(("path", "asked", "words"), [
    ("status", {"model": "fraud"}, "no parameters are known"),
    ("model", {"modle": "fraud"}, "there is no parameter 'modle', did you mean model?"),
    ("features", {"perpage": "5"}, "there is no parameter 'perpage', did you mean per_page?"),
    ("features", {"per_page": "101"}, "per_page must be a whole number from 1 to 100, not '101'"),
    ("features", {"per_page": "٣"}, "per_page must be a whole number from 1 to 100, not '٣'"),
    ("features", {"page": "0"}, "page must be a whole number from 1 to 1000000, not '0'"),
    ("features", {"page": "1.0"}, "page must be a whole number"),
    ("features", {"page": "9" * 5000}, "page must be a whole number from 1 to 1000000, not '9999"),
    ("features", {"side": "features"}, "side must be feature or output, not 'features'"),
    ("features", {"standing": "x"}, "standing must be drifted or moved or quiet or too_few or ignored, not 'x'"),
    ("features", {"search": ["a", "b"]}, "search may be said once"),
    ("feature", {}, "name must be said"),
    ("trails", {"name": [f"f{n}" for n in range(51)]}, "name may be said 50 times at most"),
    ("moment", {}, "at must be said"),
    ("moment", {"at": "nan"}, "at must be a number from 0 to 4000000000, not 'nan'"),
    ("moment", {"at": "1e999"}, "at must be a number"),
    ("moment", {"at": "-1"}, "at must be a number"),
    ("moment", {"at": "1_000"}, "at must be a number"),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_words(path: str, asked: Any, words: str) -> None:
    status, said = refused(Sample(), path, **asked)
    assert status == 400
    assert said.startswith(words)
    assert len(said) < 200


def test_before_the_first_snapshot_and_while_the_analyser_is_busy_one_may_come_back() -> None:
    none = Sample()
    none.facts = None
    for source, path in ((none, "status"), (none, "trails"), (Sample(is_busy=True), "trails")):
        assert refused(source, path)[0] == 503
        assert int(get(source, path).headers["Retry-After"]) >= 1
    assert told(Sample(is_busy=True), "features")["found"] == 24


def test_a_poll_of_what_did_not_change_is_a_304_and_after_a_snapshot_it_is_told() -> None:
    source = Sample()
    first = get(source, "features", search="a")
    tag, said = first.headers["ETag"], {"If-None-Match": first.headers["ETag"]}
    assert first.headers["Cache-Control"] == "no-cache"
    assert "Accept-Encoding" in first.headers["Vary"]
    again = get(source, "features", said, search="a")
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert get(source, "features", said, search="b").status_code == 200
    source.tick()
    assert get(source, "features", said, search="a").status_code == 200


def test_who_takes_it_packed_gets_the_same_packed() -> None:
    packed = get(Sample(), "features", {"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == get(Sample(), "features").data
    assert len(packed.data) < len(gzip.decompress(packed.data)) / 3
    assert "Content-Encoding" not in get(Sample(), "features", {"Accept-Encoding": "gzip;q=0"}).headers
    assert (
        "Content-Encoding" not in get(Sample(), "models", {"Accept-Encoding": "gzip"}).headers
    )  # a line is not worth it


def test_whoever_asks_without_end_is_told_to_wait_while_a_poll_goes_on() -> None:
    now = [0.0]
    asking = client(Sample(1000), Budget(Bucket(0.1, 0.05, lambda: now[0])))
    begun, codes = time.thread_time(), []
    tag = asking.get("/api/v1/features?page=1").headers["ETag"]
    while 503 not in codes:
        codes.append(asking.get(f"/api/v1/features?per_page=100&page={len(codes) % 10 + 1}").status_code)
    assert time.thread_time() - begun > 0.05
    refused = asking.get("/api/v1/features?page=2")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert "too much was asked for" in refused.text
    assert asking.get("/api/v1/features?page=1", headers={"If-None-Match": tag}).status_code == 304
    assert asking.get("/api/v1/openapi.json").status_code == 200
    now[0] = 60.0
    assert asking.get("/api/v1/features?page=2").status_code == 200


def test_what_is_made_of_half_characters_or_no_number_is_json_all_the_same() -> None:
    source = Sample()
    assert source.facts is not None
    model = source.facts.models[0]
    half = replace(model.traffic, codes={"\ud800": 1}, last_request=float("nan"))
    source.facts = replace(source.facts, models=(replace(model, model="\ud83d!", traffic=half),))
    (found,) = told(source, "status")["models"]
    assert (found["model"], found["traffic"]["codes"], found["traffic"]["last_request"]) == ("?!", {"?": 1}, None)


def test_hostile_names_are_text_in_json_that_no_browser_takes_for_a_page() -> None:
    answer = get(Sample(100), "features", search="<script>")
    assert answer.content_type == "application/json"
    assert orjson.loads(answer.data)["columns"][0]["name"] == HOSTILE
    assert b"\x00" not in answer.data
    assert b"\x1b" not in answer.data


@pytest.mark.parametrize(("method", "path", "code"), [
    ("POST", "status", 405), ("DELETE", "features", 405), ("GET", "no/such", 404), ("GET", "", 404),
])  # fmt: skip
def test_errors_of_the_way_it_is_asked_are_json_too(method: str, path: str, code: int) -> None:
    answer = client(Sample()).open(f"/api/v1/{path}", method=method)
    assert (answer.status_code, list(orjson.loads(answer.data))) == (code, ["error"])
    assert code != 405 or "GET" in answer.headers["Allow"]


def test_the_document_is_served_as_it_lies_there() -> None:
    lying = (Path(api.__file__).parent / "openapi.json").read_bytes()
    answer = get(Sample(), "openapi.json")
    assert (answer.data, answer.content_type) == (lying, "application/json")
    packed = get(Sample(), "openapi.json", {"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.data) == lying
    said = {"If-None-Match": answer.headers["ETag"]}
    assert get(Sample(), "openapi.json", said).status_code == 304


def test_nothing_is_said_of_a_model_without_a_profile_but_that() -> None:
    assert "no profile" in refused(Sample(others=1), "features", model="model-0")[1]
    assert asdict(Sample(others=1).facts.models[1])["profile"] is None  # type: ignore[union-attr]
