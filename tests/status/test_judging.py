"""What is said of a model in a word, and why: each verdict is reached by traffic."""

import dataclasses
from typing import Any

import pytest
from monitor_scenes import make_profile
from told_scenes import CALM, KNOWN, MODEL, PANE_S, UP, VERSION, WALL, Row, World, rows_of, times_hundred

from exporter.condition import DependencyState, Relay
from exporter.override import Overrides
from exporter.reference import Profile
from exporter.status.facts import ACT, BLIND, HEALTHY, LEARNING, VERDICTS, WATCH
from exporter.versioned import SHADOW, Versioned


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


def with_said(**said: Any) -> Overrides:
    """Something said of amounts."""
    amount = dataclasses.replace(KNOWN, **said)
    return Overrides(features={"amount": amount, "*": KNOWN}, outputs=CALM.outputs)


# --- healthy, act, watch


def test_a_model_that_is_asked_what_it_was_trained_on_is_healthy_as_far_as_anybody_can_tell(profile: Profile) -> None:
    judged = World(profile).see(range(60)).judged()
    assert judged.verdict == HEALTHY
    assert [one for one in judged.reasons if one.verdict != HEALTHY] == []
    assert judged.sentence.startswith("Healthy: nothing that is looked at differs beyond chance in 8 columns")
    assert judged.sentence.endswith("of what pages.")


def test_amounts_in_cents_are_a_reason_to_act_which_says_what_moved_and_since_when(profile: Profile) -> None:
    world = World(profile).see(range(60)).see(range(60, 75), times_hundred)
    found = world.model()
    assert found.judgement.verdict == ACT
    assert found.judgement.sentence.startswith("Act: 1 of 7 features moved since 23:")
    assert found.judgement.sentence.endswith(": amount, values went up, at once.")
    first = found.judgement.reasons[0]
    assert (first.code, first.column) == ("ModelDrift", "amount")
    assert first.since == pytest.approx(WALL + 60 * PANE_S, abs=3 * PANE_S)
    assert first.runbook.endswith("alert_rules/runbooks.md#modeldrift")
    assert found.evidence is not None
    assert found.evidence.nats >= found.evidence.threshold_nats
    assert found.evidence.days_between_false_pages == 30


def test_drift_that_only_scores_see_is_watched_and_overrides_make_a_page_or_nothing_of_it(profile: Profile) -> None:
    def judged(said: Overrides) -> tuple[str, dict[str, str]]:
        world = World(profile, said, enable=False).see(range(60)).see(range(60, 75), times_hundred)
        return world.judged().verdict, world.codes()

    verdict, codes = judged(CALM)
    assert verdict == WATCH == codes["ModelFeatureDrift"]
    assert "ModelDrift" not in codes
    verdict, codes = judged(with_said(severity="page"))
    assert verdict == ACT == codes["ModelFeatureDrift"]
    for silent in ({"snooze_until": WALL * 2}, {"ignore": True}, {"tolerance": 1.0}):
        verdict, codes = judged(with_said(**silent))
        assert (verdict, "ModelFeatureDrift" in codes) == (HEALTHY, False), silent


def test_what_has_moved_is_watched_only_until_it_is_back(profile: Profile) -> None:
    world = World(profile, enable=False).see(range(30)).see(range(30, 60), times_hundred)
    assert "ModelFeatureDrift" in world.codes()
    assert "ModelFeatureDrift" not in world.see(range(60, 100)).codes()


def test_drift_of_a_model_that_nobody_has_asked_for_a_day_is_no_news(profile: Profile) -> None:
    world = World(profile).see(range(60)).see(range(60, 75), times_hundred)
    assert "ModelDrift" in world.codes()
    world.now += 2 * 86400
    codes = world.codes()
    assert "ModelDrift" not in codes
    assert codes["ModelTrafficStopped"] == BLIND


def _without(*names: str) -> Any:
    return lambda rows: [{name: cell for name, cell in row.items() if name not in names} for row in rows]


def test_a_field_that_does_not_arrive_any_longer_is_watched_and_many_of_them_are_a_reason_to_act(
    profile: Profile,
) -> None:
    few = World(profile, enable=False).see(range(60)).see(range(60, 80), _without("age"))
    assert {"ModelFeatureAbsent": WATCH}.items() <= few.codes().items()
    assert {"ModelFeatureDrift", "ModelFeatureMissingSurge", "ModelManyFeaturesAbsent"}.isdisjoint(few.codes())
    many = World(profile, enable=False).see(range(60)).see(range(60, 80), _without("age", "city", "code"))
    assert {"ModelManyFeaturesAbsent": ACT}.items() <= many.codes().items()


def _odd(rows: list[Row]) -> list[Row]:
    """A fifth of each kind."""
    return [
        row | ({"city": "Atlantis"}, {"age": "many"}, {"age": 10**6}, {"amount": None}, {"amount": None})[at % 5]
        for at, row in enumerate(rows)
    ]


def test_values_that_cannot_be_right_are_watched_by_kind_with_the_column(profile: Profile) -> None:
    world = World(profile, enable=False).see(range(60))
    assert not {"ModelFeatureUnseen", "ModelFeatureTypeErrors"} & world.codes().keys()
    reasons = {one.code: one for one in world.see(range(60, 80), _odd).judged().reasons}
    for code, column in (
        ("ModelFeatureUnseen", "city"), ("ModelFeatureTypeErrors", "age"), ("ModelFeatureOutOfRange", "age"),
        ("ModelFeatureMissingSurge", "amount"),
    ):  # fmt: skip
        assert (reasons[code].verdict, reasons[code].column) == (WATCH, column), code
    later = world.see(range(80, 160)).codes()
    assert not {"ModelFeatureUnseen", "ModelFeatureTypeErrors", "ModelFeatureOutOfRange"} & later.keys()


def test_a_column_with_the_same_value_again_and_again_is_told_as_that_and_not_as_drift(profile: Profile) -> None:
    def stuck(rows: list[Row]) -> list[Row]:
        return [row | {"age": 42} for row in rows]

    codes = World(profile, enable=False).see(range(60)).see(range(60, 80), stuck).codes()
    assert codes["ModelFeatureStuck"] == WATCH
    assert "ModelFeatureDrift" not in codes


# --- serving


def test_errors_beyond_the_objective_are_a_reason_to_act_and_end_with_them(profile: Profile) -> None:
    world = World(profile).see(range(60))
    world.told.show(world.page())
    codes = world.see(range(60, 90), status=500).codes()
    assert codes["ModelErrors"] == ACT
    assert world.judged().sentence.startswith("Act: ")
    for pane in range(90, 100):
        world.see(range(pane, pane + 1)).told.show(world.page())
    assert "ModelErrors" not in world.codes()


@pytest.mark.parametrize(("panes", "before_ns", "expected"), [
    (100, 10**6, {"ModelLatency": ACT}), (100, 2 * 10**9, {}), (30, 2 * 10**9, {"AnswersSlow": WATCH}),
], ids=["it was fast", "it never was", "nobody knows"])  # fmt: skip
def test_late_answers_are_a_reason_to_act_where_the_model_was_fast_before(
    profile: Profile, panes: int, before_ns: int, expected: dict[str, str]
) -> None:
    world = World(profile)
    for pane in range(panes):
        duration_ns = before_ns if pane < 70 else 2 * 10**9
        codes = world.see(range(pane, pane + 1), duration_ns=duration_ns).codes()
    found = {code: verdict for code, verdict in codes.items() if code in {"ModelLatency", "AnswersSlow"}}
    assert found == expected


def test_a_server_that_was_up_and_is_down_is_a_reason_to_act_before_all_others(profile: Profile) -> None:
    world = World(profile).see(range(60)).see(range(60, 75), times_hundred)
    world.server = dataclasses.replace(UP, up=False)
    assert world.codes()["ModelServerReplicaDown"] == WATCH
    world.server = UP
    world.judged()
    world.server = dataclasses.replace(UP, up=False)
    judged = world.judged()
    assert judged.sentence.startswith("Act: the model server does not accept connections. Since 23:")
    assert judged.reasons[0].code == "ModelServerDown"


def test_a_dependency_that_is_down_is_watched(profile: Profile) -> None:
    world = World(profile).see(range(60))
    world.changes = {"dependencies": (DependencyState("redis", "tcp://redis:1", "refused", "nothing listens"),)}
    assert world.judged().sentence == "Watch: redis cannot be reached: refused."


# --- blind and learning


def test_a_model_is_blind_while_nobody_looks(profile: Profile) -> None:
    world = World(profile).see(range(60))
    world.observing(enabled=False)
    judged = world.judged()
    assert judged.verdict == BLIND
    assert judged.sentence == "Blind: observation is switched off: requests are relayed, and nobody looks."
    world.observing(enabled=True)
    assert world.judged().verdict == HEALTHY


def test_a_model_is_blind_whose_payloads_nobody_can_read(profile: Profile) -> None:
    world = World(profile)
    for pane in range(60):
        world.send(b"\x00nonsense", rows_of(pane, 20)[1], pane * PANE_S)
    found = world.model()
    assert found.judgement.verdict == BLIND
    assert "could not be decoded" in found.judgement.sentence
    assert any(one.startswith("100 % of the requests could not be decoded: ") for one in found.judgement.unseen)
    assert (found.coverage.requests_read, found.coverage.requests_offered) == (0, 60)
    assert sum(count for key, count in found.coverage.unread.items() if key.startswith("request/")) == 60


def test_a_few_payloads_that_nobody_can_read_are_a_ticket(profile: Profile) -> None:
    world = World(profile).see(range(60), count=20)
    for at in range(200):
        rows, answers = rows_of(at, 5)
        world.send(b"nonsense" if at % 5 == 0 else rows, answers, 3600 + at)
    assert world.codes()["ModelPayloadsUndecodable"] == WATCH


def test_a_model_is_blind_whose_payloads_are_of_another_profile(profile: Profile) -> None:
    world = World(profile)
    for pane in range(60):
        world.send([{"other": 1, "columns": 2}] * 10, rows_of(pane, 10)[1], pane * PANE_S)
    codes = world.codes()
    assert codes["ModelProfileMismatch"] == BLIND
    assert world.judged().verdict == BLIND


def test_a_model_is_blind_of_which_the_exporter_lost_most_exchanges(profile: Profile) -> None:
    world = World(profile).see(range(60))
    relay: Relay = dataclasses.replace(world.page().health.relay, offered=6000, dropped={"ring_full": 5900})
    world.changes = {"relay": relay}
    assert {"ModelCoverageLow": BLIND, "InferenceExporterDropping": WATCH}.items() <= world.codes().items()


def test_what_nothing_has_come_for_is_no_longer_said_to_be_so(profile: Profile) -> None:
    world = World(profile).see(range(60))
    world.now += 1200
    judged = world.judged()
    assert judged.verdict == BLIND
    assert judged.sentence.startswith("Blind: no request has come for 20 minutes")


def test_a_model_without_a_profile_is_learning_while_it_makes_its_own_and_blind_if_it_does_not() -> None:
    world = World(None).see(range(3))
    world.collecting = {(MODEL, VERSION): 300}
    judged = world.judged()
    assert judged.sentence == (
        "Learning: there is no reference yet: 300 of 1,000 rows that one is to be made of have come."
    )
    assert world.model().collecting == 300
    world.collecting = {}
    assert world.judged().verdict == BLIND


def test_a_model_is_learning_before_its_first_request_and_before_windows_hold_enough(profile: Profile) -> None:
    world = World(profile)
    judged = world.judged()
    assert (judged.verdict, judged.sentence) == (LEARNING, "Learning: no request has come yet. And 2 other findings.")
    judged = world.see(range(1), count=50).judged()
    assert judged.verdict == LEARNING
    assert "0 of 7 features have a window with enough values: 50 of 200 so far" in judged.sentence


def test_evidence_that_rests_on_careful_defaults_is_said_and_is_no_alarm(profile: Profile) -> None:
    world = World(profile, Overrides()).see(range(60))
    found = world.model()
    assert found.judgement.verdict == HEALTHY
    assert {"EvidenceCareful": HEALTHY}.items() <= world.codes().items()
    assert found.evidence is not None
    assert not found.evidence.ready
    assert "defaults of 8 of 8 columns" in found.evidence.rests_on


# --- all of them


def test_reasons_come_the_most_urgent_first_and_the_verdict_is_the_first_ones(profile: Profile) -> None:
    world = World(profile).see(range(60)).see(range(60, 75), lambda rows: _odd(times_hundred(rows)))
    judged = world.judged()
    order = [VERDICTS.index(one.verdict) for one in judged.reasons]
    assert order == sorted(order)
    assert len({*order}) > 1
    assert judged.reasons[0].verdict == judged.verdict


def test_what_is_not_observed_is_said_with_why(profile: Profile) -> None:
    world = World(profile, with_said(ignore=True)).see(range(60))
    world.server = dataclasses.replace(UP, visible=False)
    unseen = world.judged().unseen
    assert "1 of 7 features are ignored, as overrides say: amount." in unseen
    assert "How good its answers are is not known: nobody tells the truth (POST /feedback)." in unseen
    assert "CPU and memory of the model server: its process cannot be seen from here." in unseen
    assert not any("too few values" in one for one in unseen)


def test_nothing_of_a_copy_that_answers_nobody_counts_as_served(profile: Profile) -> None:
    world = World(profile).see(range(60)).see(range(60, 75), times_hundred)
    judged = world.judged(versioned=Versioned(SHADOW, "settings"))
    assert judged.verdict == HEALTHY
    assert not {one.code for one in judged.reasons} & {"ModelDrift", "ModelFeatureDrift"}


def test_a_snoozed_override_ends(profile: Profile) -> None:
    said = with_said(snooze_until=WALL + 60)
    world = World(profile, said, enable=False).see(range(60)).see(range(60, 75), times_hundred)
    assert "ModelFeatureDrift" in world.codes()
