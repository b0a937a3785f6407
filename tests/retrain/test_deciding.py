"""Who is asked, of what there is: never below the minimum, once an episode, with one id wherever it is decided."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from retrain.retrain_scenes import DAY, PROFILE, SAID, START, deciding, performed, snapshot, watched

from exporter.retrain import keeping
from exporter.retrain.alerts import Firing
from exporter.retrain.deciding import Deciding, Watched
from exporter.retrain.event import Event, Key, event_id
from exporter.retrain.keeping import Kept
from exporter.retrained import COOLING, FIRED, IDLE

DRIFTED = watched(snapshot(11.0))
WELL = watched(snapshot(1.0))


def looks(at: Deciding, *models: Watched, now: float = START, firing: tuple[Firing, ...] = ()) -> list[Event]:
    """Events that this look makes."""
    before = set(at.events.values())
    at.look(models, firing, now)
    return [one for one in at.events.values() if one not in before]


def alert(name: str = "ModelDrift", model: str = "m", version: str = "") -> Firing:
    return Firing(name, model, version, START)


def data(event: Event) -> Any:
    return json.loads(event.body)["data"]


def test_drift_is_an_event_that_says_what_was_found() -> None:
    (event,) = looks(deciding(lasts=False), watched(snapshot(11.0, performed=performed(nats=11.0))))
    document = json.loads(event.body)
    assert {name: document[name] for name in ("specversion", "type", "source", "subject", "datacontenttype")} == {
        "specversion": "1.0", "type": "io.github.inference-exporter.retrain.requested",
        "source": "/inference-exporter/model/m", "subject": "m", "datacontenttype": "application/json",
    }  # fmt: skip
    assert document["id"] == event.id
    told = document["data"]
    assert (told["model"], told["model_version"], told["profile"]) == ("m", "1", PROFILE.digest)
    assert (told["advice"], told["rows"], told["truths"]) == ("retrain", 5000, 1000)
    kinds = {one["kind"]: one for one in told["findings"]}
    assert kinds["drift"] == {
        "kind": "drift", "value": 11.0, "line": 10.0, "found": True, "enough": True,
        "since": kinds["drift"]["since"],
    }  # fmt: skip
    assert kinds["concept_drift"]["found"]
    assert told["moved"][0]["feature"] == "f0"
    assert told["moved"][0]["evidence_nats"] == 11.0


@pytest.mark.parametrize(("found", "reason"), [
    (snapshot(9.9), ""), (snapshot(30.0, rows=999), "evidence"),
    (snapshot(performed=performed(nats=30.0, truths=199)), "evidence"),
    (snapshot(performed=performed(0.5, truths=199)), "evidence"),
    (snapshot(30.0, performed=performed(0.9)), "advice"),
    (snapshot(30.0, diagnoses=(("scaled", "f0 looks ×100"),)), "advice"),
    (snapshot(performed=performed(0.875)), ""),
])  # fmt: skip
def test_nobody_is_asked_for_less_or_for_nothing(found: Any, reason: str) -> None:
    at = deciding()
    for number in range(100):
        assert not looks(at, watched(found), now=START + number * 60)
    assert dict(at.suppressed) == ({reason: 1} if reason else {})


@given(st.floats(0, 60), st.integers(0, 3000), st.floats(0, 60), st.integers(0, 600), st.floats(0.5, 1.0))
@settings(max_examples=150, deadline=None)
def test_whatever_is_found_an_event_rests_on_the_minimum(
    nats: float, rows: int, concept: float, truths: int, accuracy: float
) -> None:
    found = snapshot(nats, rows, performed(accuracy, concept, truths))
    if events := looks(deciding(), watched(found)):
        assert rows >= SAID.minimum_rows
        told = [one for one in data(events[0])["findings"] if one["found"] and one["enough"]]
        assert told
        assert truths >= SAID.minimum_truths or nats >= 10.0
        assert all(one["value"] >= one["line"] for one in told)


def test_a_model_that_was_good_and_is_worse_is_to_be_trained_again() -> None:
    at = deciding()
    assert not looks(at, watched(snapshot(performed=performed(0.9))))
    (event,) = looks(at, watched(snapshot(performed=performed(0.8))), now=START + 60)
    assert data(event)["advice"] == "retrain"
    assert data(event)["performance"]["measures"] == [
        {"measure": "accuracy", "value": 0.8, "lower": 0.79, "upper": 0.81, "training": 0.9}
    ]


def test_a_model_that_was_never_good_is_to_be_reworked_where_that_can_be_known() -> None:
    worse = watched(snapshot(performed=performed(0.8)))
    (event,) = looks(deciding(), worse)
    assert json.loads(event.body)["type"] == "io.github.inference-exporter.rework.requested"
    (event,) = looks(deciding(lasts=False), worse)
    assert data(event)["advice"] == "retrain"


def test_a_broken_pipeline_is_told_where_that_is_wanted_and_training_where_it_was_repaired() -> None:
    broken = watched(snapshot(30.0, diagnoses=(("scaled", "f0 looks ×100"),)))
    (event,) = looks(deciding(replace(SAID, advice=("fix_the_pipeline",))), broken)
    assert json.loads(event.body)["type"] == "io.github.inference-exporter.fix.requested"
    assert data(event)["faults"] == ["f0 looks ×100"]
    at = deciding()
    assert not looks(at, broken)
    (event,) = looks(at, DRIFTED, now=START + 3600)
    assert data(event)["advice"] == "retrain"


def test_within_the_cool_down_another_version_of_the_model_is_no_event_and_after_it_is() -> None:
    at = deciding()
    (first,) = looks(at, DRIFTED)
    later = watched(snapshot(11.0), "2")
    for day in range(1, 7):
        assert not looks(at, later, now=START + day * DAY)
    assert at.shown["m", "2"].state == COOLING
    assert at.suppressed["cool_down"] == 1
    (second,) = looks(at, later, now=START + 7 * DAY)
    assert second.id != first.id


def test_another_model_is_not_held_back() -> None:
    at = deciding()
    assert len(looks(at, DRIFTED, watched(snapshot(11.0), model="n"))) == 2


def test_an_episode_ends_after_a_day_below_the_lower_line_and_not_before() -> None:
    said = replace(SAID, cool_down=3600.0)
    at, between = deciding(said), watched(snapshot(8.0))
    assert looks(at, DRIFTED)
    for hour in range(1, 100):
        assert not looks(at, between if hour % 2 else DRIFTED, now=START + hour * 3600)
    assert at.shown["m", "1"].state == FIRED
    for step in range(100 * 12, 125 * 12):
        assert not looks(at, WELL, now=START + step * 300)
    assert at.shown["m", "1"].state == IDLE
    assert looks(at, DRIFTED, now=START + 125 * 3600)


@pytest.mark.parametrize(("reason", "worse"), [
    ("performance", performed(0.8)), ("concept_drift", performed(nats=11.0)),
])  # fmt: skip
def test_truths_that_come_once_a_week_are_one_episode_until_they_say_that_it_is_over(reason: str, worse: Any) -> None:
    at, now = deciding(replace(SAID, reasons=("drift", reason))), START
    silent, good = watched(snapshot()), watched(snapshot(performed=performed(0.9)))
    assert looks(at, good, now=START - 60) == []
    events = 0
    for _ in range(6):
        for hour in range(7 * 24):
            events += len(looks(at, watched(snapshot(performed=worse)) if hour < 24 else silent, now=now))
            now += 3600
    assert events == 1
    for _ in range(300 * 2):
        at.look([good], (), now)
        now += 300
    assert at.shown["m", "1"].state == IDLE


def test_a_reason_that_is_wanted_no_longer_keeps_no_episode() -> None:
    before = deciding()
    assert looks(before, watched(snapshot(performed=performed(nats=11.0))))
    at = deciding(replace(SAID, reasons=("drift",)))
    at.resume(before.memories, {})
    for step in range(300):
        at.look([WELL], (), START + step * 300)
    assert not next(iter(at.memories.values())).asked


def test_a_clock_that_was_ahead_holds_back_no_other_version_for_years() -> None:
    at = deciding()
    assert looks(at, DRIFTED, now=START + 3650 * DAY)
    at.look([WELL], (), START)
    assert looks(at, watched(snapshot(11.0), "2"), now=START + 8 * DAY)


def test_an_alert_about_truths_does_not_advise_where_too_few_are_known_here() -> None:
    few = watched(snapshot(11.0, performed=performed(truths=10)))
    (event,) = looks(deciding(), few, firing=(alert("ModelConceptDrift"),))
    assert (data(event)["advice"], "nobody knows" in data(event)["why"]) == ("retrain", True)


def test_a_column_without_evidence_has_not_moved() -> None:
    (event,) = looks(deciding(), watched(snapshot(performed=performed(nats=11.0))))
    assert data(event)["moved"] == []


def test_replicas_and_one_that_has_forgotten_use_the_same_id_within_one_cool_down() -> None:
    key, week = Key("m", "1", "d"), 7 * DAY
    begin = np.ceil(START / week) * week
    assert len({event_id(key, begin + at, week) for at in (0.0, 5.0, 3 * DAY, week - 1)}) == 1
    assert event_id(key, begin + week, week) != event_id(key, begin, week)
    others = [Key("n", "1", "d"), Key("m", "2", "d"), Key("m", "1", "e")]
    assert len({event_id(one, begin, week) for one in (key, *others)}) == 4


def test_an_alert_is_a_reason_where_enough_is_known_of_its_model() -> None:
    calm = watched(snapshot(2.0))
    (event,) = looks(deciding(), calm, firing=(alert("ModelFleetDrift"),))
    assert (data(event)["alerts"], data(event)["advice"]) == (["ModelFleetDrift"], "retrain")
    at = deciding()
    assert not looks(at, calm, firing=(alert(model="n"), alert(version="9")))
    assert not looks(at, watched(snapshot(2.0, rows=10)), firing=(alert(),))
    assert not looks(at, watched(snapshot(2.0, performed=performed(truths=10))), firing=(alert("ModelConceptDrift"),))
    assert at.suppressed["evidence"] == 1
    (event,) = looks(
        deciding(lasts=False), watched(snapshot(performed=performed())), firing=(alert("ModelConceptDrift"),)
    )
    assert "wrong more often" in data(event)["why"]


def test_an_alert_that_flaps_is_one_event() -> None:
    at, calm = deciding(), watched(snapshot(2.0))
    events = [
        event for number in range(500)
        for event in looks(at, calm, now=START + number * 300, firing=(alert(),) if number % 2 else ())
    ]  # fmt: skip
    assert len(events) == 1
    assert at.suppressed["latched"] == 249


def test_a_dry_run_decides_counts_and_sends_nothing() -> None:
    at = deciding(replace(SAID, url=None, dry_run=True))
    for number in range(10):
        assert not looks(at, DRIFTED, now=START + number)
    assert dict(at.suppressed) == {"dry_run": 1}
    assert at.shown["m", "1"].advice == "retrain"
    real = deciding()
    real.resume(at.memories, {})
    assert looks(real, DRIFTED, now=START + 20)


def test_a_kind_that_is_not_wanted_is_no_reason() -> None:
    at = deciding(replace(SAID, reasons=("concept_drift",)))
    assert not looks(at, watched(snapshot(60.0)))
    assert looks(at, watched(snapshot(60.0, performed=performed(nats=12.0))), now=START + 60)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.0, 8.0, 30.0]), st.sampled_from(["", "ledger", "nothing"])), max_size=60))
def test_whoever_dies_at_any_step_nobody_is_asked_twice_under_another_id(steps: list[tuple[float, str]]) -> None:
    """`ledger`: what was packed last is there. `nothing`: not even that, and still the id is the same one."""
    at, kept, made = deciding(), b"", list[Event]()
    begin = float(np.ceil(START / SAID.cool_down) * SAID.cool_down)
    for number, (nats, death) in enumerate(steps):
        made += looks(at, watched(snapshot(nats)), now=begin + number * 60)
        kept, on_their_way = keeping.packed(Kept(at.memories, at.events, {})), dict(at.events)
        if death:
            at = deciding()
        if death == "ledger":
            before = keeping.unpacked(kept)
            at.resume(before.memories, before.events)
            assert at.events == on_their_way
    assert len({one.id for one in made}) <= 1


def test_memories_are_bounded_and_the_oldest_go() -> None:
    at = deciding()
    for version in range(200):
        at.look([watched(snapshot(), str(version))], (), START + version)
    assert len(at.memories) == 4 * 32
    assert Key("m", "199", PROFILE.digest) in at.memories


def test_versions_that_come_by_the_dozen_do_not_end_a_cool_down() -> None:
    at = deciding()
    assert looks(at, watched(snapshot(11.0), "first"))
    for version in range(200):
        at.look([watched(snapshot(), str(version))], (), START + version)
    assert not looks(at, watched(snapshot(11.0), "last"), now=START + DAY)


def test_marks_change_with_what_must_not_be_forgotten_and_not_with_time() -> None:
    at = deciding()
    looks(at, WELL)
    before = list(at.marks())
    looks(at, WELL, now=START + 60)
    assert list(at.marks()) == before
    looks(at, DRIFTED, now=START + 120)
    assert list(at.marks()) != before
