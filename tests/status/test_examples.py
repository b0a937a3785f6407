"""Rows that failed a check: told as they are held where settings ask for them, and not at all where they do not."""

import dataclasses
from typing import Any

import orjson
import pytest
from monitor_scenes import make_profile
from told_scenes import MODEL, VERSION, WALL, World

from exporter import config
from exporter.reference import Profile
from exporter.rules import files
from exporter.status.facts import ExampleFacts, ExampleFlag, ModelFacts
from exporter.status.told import Told
from exporter.witnessed import Example

FOUND = Example(
    WALL + 5, "order-17", "4bf92f3577b34da6a3ce929d0e0e4736", 200, 3, (("amount", "out_of_range"), ("", "unusual")),
    {"amount": "5000.0"}, {"score": "0.93"},
)  # fmt: skip


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


def told(profile: Profile, fields: list[str], *held: Example, of: tuple[str, str] = (MODEL, VERSION)) -> ModelFacts:
    """A model with such rows."""
    world = World(profile).see(range(3))
    said: dict[str, Any] = {"upstream": "http://127.0.0.1:9", "examples.fields": fields}
    told = Told(config.resolve(("test", said)), files.defaults)
    told.show(dataclasses.replace(world.page(), examples={of: held} if held else {}))
    found = told.now()
    assert found is not None
    return found.models[0]


def test_rows_that_failed_are_told_with_all_that_is_held_of_them_in_their_order(profile: Profile) -> None:
    older = FOUND._replace(wall_s=WALL + 1, request_id="", trace_id="", features={}, outputs={})
    first, second = told(profile, ["*"], FOUND, older).examples or ()
    flags = (ExampleFlag("amount", "out_of_range"), ExampleFlag("", "unusual"))
    assert first == ExampleFacts(
        WALL + 5, 200, "order-17", FOUND.trace_id, 3, flags, {"amount": "5000.0"}, {"score": "0.93"}
    )
    assert (second.time, second.request_id, second.trace_id, second.features) == (WALL + 1, "", "", {})


def test_where_nobody_asks_for_rows_there_are_none_to_tell_of(profile: Profile) -> None:
    assert told(profile, []).examples is None
    assert told(profile, [], FOUND).examples is None


def test_where_nothing_failed_or_only_rows_of_another_model_there_is_an_empty_list(profile: Profile) -> None:
    assert told(profile, ["amount"]).examples == ()
    assert told(profile, ["amount"], FOUND, of=(MODEL, "8")).examples == ()


def test_whatever_a_row_holds_is_told_as_json_can_hold_it(profile: Profile) -> None:
    half = "\ud800<b>"
    hostile = FOUND._replace(
        request_id=half, flags=((half, "unseen"),), features={half: half}, outputs={"score": half}
    )  # fmt: skip
    (one,) = told(profile, ["*"], hostile).examples or ()
    whole = orjson.loads(orjson.dumps(one))
    assert whole["request_id"] == whole["flags"][0]["column"] == whole["outputs"]["score"] == "?<b>"
    assert whole["features"] == {"?<b>": "?<b>"}
