"""Rows that failed a check, on the page and in the API: what strangers sent is text, and little of much is shown."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
from flask import Flask
from web.status.sample import HOSTILE, NOW, Sample
from web.status.test_page import BIDI, Reader, client, read

from exporter.status.facts import ExampleFacts, ExampleFlag
from exporter.web.limits import Bucket
from exporter.web.status import api
from exporter.web.status.budget import Budget
from exporter.witnessed import CHECKS

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TITLE = "Rows that failed a check"
FOUND = ExampleFacts(
    NOW - 60, 200, "order-17", TRACE, 3, (ExampleFlag("amount", "out_of_range"), ExampleFlag("", "unusual")),
    {"amount": "5000.0"}, {"score": "0.93"},
)  # fmt: skip


def sample(*found: ExampleFacts) -> Sample:
    """A world in which such rows are shown."""
    source = Sample()
    assert source.facts is not None
    (model,) = source.facts.models
    source.facts = dataclasses.replace(source.facts, models=(dataclasses.replace(model, examples=found),))
    return source


def rows(found: Reader) -> list[str]:
    """Ids of the table's."""
    return [one for one in found.values("id") if one.startswith("e-")]


def test_a_row_is_shown_with_when_code_place_what_failed_ids_and_values() -> None:
    text = read(sample(FOUND)).text
    assert f"{TITLE} the last ones, held in memory alone" in text
    assert "2026-11-24 02:14 UTC (1 min ago) 200 3 amount : out of range unusual as a whole order-17" in text
    assert f"order-17 trace {TRACE} amount 5000.0 score (output) 0.93" in text


@pytest.mark.parametrize("address", ["/", "/?feature=amount", "/?side=output"])
def test_it_stands_with_the_facts_of_the_model_closed_until_somebody_opens_it(address: str) -> None:
    found = read(sample(FOUND), address)
    assert [given for tag, given in found.elements if tag == "details"] == [{"id": "examples"}]
    assert len(rows(found)) == 1


def test_every_check_has_words() -> None:
    flags = tuple(ExampleFlag("amount", check) for check in CHECKS)
    text = read(sample(dataclasses.replace(FOUND, flags=flags))).text
    for words in (
        "missing", "not finite", "out of range", "unseen", "wrong type", "unusual as a whole", "in a bin that has grown"
    ):  # fmt: skip
        assert f"amount : {words}" in text, words


def test_where_settings_show_none_nothing_speaks_of_them_and_where_none_failed_that_is_said() -> None:
    off, empty = read(Sample()), read(sample())
    assert TITLE not in off.text
    assert "k-examples" not in off.values("id")
    assert f"{TITLE} None since the start." in empty.text
    assert not [tag for tag, _ in empty.elements if tag == "details"]


def test_what_strangers_sent_is_text_with_every_character_to_be_seen() -> None:
    hostile = dataclasses.replace(
        FOUND, request_id=HOSTILE, trace_id=HOSTILE, flags=(ExampleFlag(HOSTILE, HOSTILE),),
        features={HOSTILE: HOSTILE}, outputs={"\u202e": "<img src=x onerror=alert(1)>"},
    )  # fmt: skip
    text = client(sample(hostile)).get("/").get_data(as_text=True)
    found = Reader(text)
    assert len([tag for tag, _ in found.elements if tag == "script"]) == 1
    assert not [tag for tag, _ in found.elements if tag in {"img", "style", "iframe", "object"}]
    assert not [name for _, given in found.elements for name in given if name.startswith("on") or name == "style"]
    assert not BIDI.search(text)
    assert "\u2039U+202E\u203a (output) <img src=x onerror=alert(1)>" in found.text
    assert found.text.count("<script>alert('x')</script>\"&\u2039U+202E\u203a") >= 3


def test_each_row_has_an_id_of_its_own_that_stays_when_others_come() -> None:
    several = [dataclasses.replace(FOUND, row=at) for at in range(5)]
    before = read(sample(*several))
    assert len(set(rows(before))) == 5
    ids = before.values("id")
    assert len(ids) == len(set(ids))
    newer = dataclasses.replace(FOUND, time=NOW - 1)
    assert rows(read(sample(newer, *several)))[1:] == rows(before)


def test_of_many_rows_fields_and_checks_the_first_are_shown_and_the_api_is_named_for_all() -> None:
    long = dataclasses.replace(
        FOUND, flags=tuple(ExampleFlag(f"c{at:03d}", "unseen") for at in range(200)),
        features={f"c{at:03d}": "\u202e" * 200 for at in range(200)}, outputs={f"o{at:03d}": "1" for at in range(41)},
    )  # fmt: skip
    source = sample(*(dataclasses.replace(long, row=at) for at in range(1000)))
    found = read(source)
    assert len(rows(found)) == 20
    assert "980 more: see the API" in found.text
    assert "c039" in found.text
    assert "c040" not in found.text
    assert "and 190 more" in found.text
    assert "160 more see the API" in found.text
    assert "1 more (output) see the API" in found.text
    assert max(map(len, found.texts)) < 300


def test_the_api_tells_them_as_its_document_says() -> None:
    document = json.loads((Path(api.__file__).parent / api.DOCUMENT).read_text())
    schema = {"$ref": "#/components/schemas/ModelFacts", "components": document["components"]}
    for source, expected in ((sample(FOUND), 1), (sample(), 0), (Sample(), None)):
        app = Flask("test")
        api.add(app, source, Budget(Bucket(1e9, 1e9)))
        found: Any = orjson.loads(app.test_client().get("/api/v1/model").data)
        jsonschema.Draft202012Validator(schema).validate(found)
        assert (None if found["examples"] is None else len(found["examples"])) == expected
