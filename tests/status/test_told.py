"""What is told: once for each page, of every column in its order, plain data without NaN, with names as they are."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from monitor_scenes import make_profile
from told_scenes import CALM, KNOWN, MODEL, SETTINGS, VERSION, WALL, World, times_hundred

from exporter.override import Override, Overrides
from exporter.reference import Profile
from exporter.rules import files
from exporter.status import told
from exporter.status.facts import BLIND, DRIFTED, HEALTHY, IGNORED, LEARNING, ColumnFacts
from exporter.status.told import Told

HOSTILE = "</script>\u202e\x00\x1b[2J\"' \U0001f600"


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


def drifted(profile: Profile, said: Overrides = CALM) -> World:
    world = World(profile, said).see(range(60)).see(range(60, 75), times_hundred)
    world.told.show(world.page())
    return world


def numbers(found: Any) -> Iterator[float]:
    if isinstance(found, float):
        yield found
    elif isinstance(found, dict):
        for value in found.values():
            yield from numbers(value)
    elif isinstance(found, list | tuple):
        for value in found:
            yield from numbers(value)


def _over(one: ColumnFacts) -> float:
    return (one.total_variation or 0) / (one.total_variation_critical or 1)


def test_nothing_is_told_before_there_is_a_page() -> None:
    told = Told(SETTINGS, files.defaults)
    assert told.now() is None
    assert told.columns(MODEL, VERSION, "feature") is None
    assert told.column(MODEL, VERSION, "feature", "amount") is None


def test_facts_are_made_once_for_each_page(profile: Profile) -> None:
    world, asked = World(profile).see(range(3)), []
    told = Told(SETTINGS, lambda: asked.append(1) or files.defaults())
    told.show(world.page())
    assert not asked, "nothing is made before somebody asks"
    assert told.now() is told.now()
    assert told.columns(MODEL, VERSION, "feature") is told.columns(MODEL, VERSION, "feature")
    before, columns = told.now(), told.columns(MODEL, VERSION, "feature")
    told.show(world.page())
    assert told.now() is not before
    assert told.columns(MODEL, VERSION, "feature") is not columns


def test_no_more_columns_are_held_than_there_is_room_for_and_what_is_told_is_the_same(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = drifted(profile)
    world.told.show(world.page())
    asked = [(MODEL, VERSION, side) for side in ("feature", "output", "feature")]
    before = [world.told.columns(*one) for one in asked]
    monkeypatch.setattr(told, "_MOST_COLUMNS", 1)
    world.told.show(world.page())
    assert [world.told.columns(*one) for one in asked] == before
    assert world.told._page is not None
    assert len(world.told._page._columns) == 1


def test_what_there_is_not_is_none_and_a_side_without_columns_is_empty(profile: Profile) -> None:
    told = World(profile).see(range(3)).told
    for model, version, side in ((MODEL, "8", "feature"), ("x", VERSION, "feature"), (MODEL, VERSION, "sides")):
        assert told.columns(model, version, side) is None
    world = World(None).see(range(3))
    world.model()
    assert world.told.columns(MODEL, VERSION, "feature") == ()
    assert world.told.column(MODEL, VERSION, "feature", "amount") is None


def test_columns_come_with_most_evidence_first_and_those_that_are_ignored_last(profile: Profile) -> None:
    said = Overrides(features={"age": Override(ignore=True, owner="us"), "*": KNOWN}, outputs=CALM.outputs)
    columns = drifted(profile, said).told.columns(MODEL, VERSION, "feature")
    assert columns is not None
    assert (columns[0].name, columns[0].standing) == ("amount", DRIFTED)
    assert (columns[-1].name, columns[-1].standing, columns[-1].owner) == ("age", IGNORED, "us")
    assert columns[-1].bins == ()
    keys = [(max(one.evidence_nats or 0, one.slow_evidence_nats or 0), _over(one)) for one in columns[1:-1]]
    assert keys == sorted(keys, reverse=True)
    for one in columns[:-1]:
        assert sum(each.reference for each in one.bins) == pytest.approx(1)
        assert sum(each.live or 0 for each in one.bins) == pytest.approx(1)


def test_all_of_it_is_json_and_no_number_is_nan(profile: Profile) -> None:
    world = drifted(profile)
    told = [world.told.now(), *(world.told.columns(MODEL, VERSION, side) for side in ("feature", "output"))]
    told += [world.told.column(MODEL, VERSION, "feature", one.name) for one in told[1]]
    assert len(told) == 3 + 7
    for one in told:
        found = [dataclasses.asdict(each) for each in one] if isinstance(one, tuple) else dataclasses.asdict(one)
        assert all(map(math.isfinite, numbers(found)))
        assert orjson.loads(orjson.dumps(one)) == orjson.loads(orjson.dumps(found))


def test_names_of_strangers_are_told_as_they_are(profile: Profile) -> None:
    features = tuple(
        dataclasses.replace(one, name=HOSTILE) if one.name == "amount" else one for one in profile.features
    )
    world = World(dataclasses.replace(profile, features=features, model=HOSTILE, source="\ud800 half"))

    def renamed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{HOSTILE if name == "amount" else name: cell for name, cell in row.items()} for row in rows]

    world.see(range(60), renamed).see(range(60, 75), lambda rows: renamed(times_hundred(rows)))
    found = world.model()
    assert found.profile is not None
    assert (found.profile.model, found.profile.source) == (HOSTILE, "? half")
    assert found.judgement.reasons[0].column == HOSTILE
    assert HOSTILE in found.judgement.sentence
    detail = world.told.column(MODEL, VERSION, "feature", HOSTILE)
    assert detail is not None
    assert detail.column.standing == DRIFTED


def test_a_clock_that_is_set_back_changes_no_verdict(profile: Profile) -> None:
    world = World(profile).see(range(60))
    for at in (0.0, -1800.0, -7200.0, 60.0):
        world.changes = {"snapshot_wall_s": WALL + world.now + at}
        judged = world.judged()
        assert judged.verdict == HEALTHY, at
        assert judged.reasons == (), at


def test_windows_that_were_kept_over_a_restart_are_told_as_such(profile: Profile) -> None:
    world = World(profile).see(range(60))
    none_yet = world.monitor.snapshot(world.now).traffic._replace(last_wall_s=0.0, codes={})
    world.changes = {"started_wall_s": WALL + world.now - 5}
    judged = world.judged(traffic=none_yet)
    assert judged.verdict == HEALTHY
    assert [one.text for one in judged.reasons] == [
        "No request has come since the exporter was started: all of this is from before."
    ]
    world.changes = {"started_wall_s": WALL + world.now - 7200}
    assert world.judged(traffic=none_yet).verdict == BLIND
    assert World(profile).judged().verdict == LEARNING


def test_a_model_of_which_all_is_ignored_is_blind_and_never_learning(profile: Profile) -> None:
    said = Overrides(features={"*": Override(ignore=True)}, outputs={"*": Override(ignore=True)})
    judged = World(profile, said).see(range(60)).judged()
    assert judged.sentence == "Blind: all features and outputs are ignored, as overrides say."


def test_a_provisional_reference_is_not_called_training_data(profile: Profile) -> None:
    world = drifted(dataclasses.replace(profile, provisional=True))
    texts = [one.text for one in world.judged().reasons]
    assert any("its own first traffic" in one for one in texts)
    assert not any("like the training data" in one or "range of the training data" in one for one in texts)


def test_errors_of_hours_ago_are_no_news_to_an_analyser_that_begins_anew(profile: Profile) -> None:
    world = World(profile).see(range(30), status=500).see(range(30, 60))
    world.changes = {"started_wall_s": WALL}
    assert world.model().traffic.failed == 30
    assert "ModelErrors" not in world.codes()
    assert "ModelErrors" in World(profile).see(range(30), status=500).codes()


def test_models_that_nobody_watches_are_told_as_one_of_which_nothing_is_seen() -> None:
    world = World(None).see(range(3))
    page = world.page()
    world.told.show(dataclasses.replace(page, scenes=(dataclasses.replace(page.scenes[0], is_other=True),)))
    found = world.told.now()
    assert found is not None
    judged = found.models[0].judgement
    assert (judged.verdict, [one.code for one in judged.reasons]) == (BLIND, ["Unwatched"])
