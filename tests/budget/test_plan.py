"""What a page leaves out: in a stated order, never what pages, and no more than must be."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_profiles import profile_of

from exporter import catalogue
from exporter.allowance import Metrics
from exporter.budget import costs
from exporter.budget.leading import leads
from exporter.budget.order import REFERENCE, UNITS, emergency
from exporter.budget.plan import OTHER, Plan, Watched, plan, ranked
from exporter.budget.shape import Shape
from exporter.budget.switches import switched_off
from exporter.errors import ConfigError
from exporter.override import NOTHING, Override
from exporter.reference import Profile

ORDER = [name for unit in UNITS for name in unit]
ALERTS = ("psi", "psi_critical", "total_variation", "total_variation_critical", "window_samples", "window_sufficient")


def planned(columns: int, most: int, models: int = 1, **more: object) -> Plan:
    shape = Shape(Metrics(max_series=most, **more))  # type: ignore[arg-type]
    return plan(shape, [watched(shape, profile_of(columns)) for _ in range(models)], frozenset())


def watched(shape: Shape, profile: Profile, said: tuple[Override, ...] = ()) -> Watched:
    rules = (said, ())
    names = tuple([one.name for one in side] for side in (profile.features, profile.outputs))
    return Watched(costs.costs(shape, profile, rules), ranked(profile, rules), (names[0], names[1]))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 150), st.integers(1000, 60_000), st.integers(1, 3), st.sampled_from([0, 100, 500, 5000]))
def test_a_plan_is_within_its_limits_and_leaves_out_in_order(columns: int, most: int, models: int, family: int) -> None:
    found = planned(columns, most, models, max_series_per_family=family)
    assert found.expected <= most or found.columns[0] == 0  # beyond that there is the guard
    assert all(series >= 0 for series in (*found.by_family.values(), *found.lost.values()))
    whole = Counter(planned(columns, 10_000_000, models).by_family)
    assert +(Counter(found.by_family) + Counter(found.lost)) - Counter([OTHER] * found.by_family.get(OTHER, 0)) == whole
    hidden = found.models[0].hidden
    gone = [name in hidden for name in ORDER if whole[name]]
    assert gone == sorted(gone, reverse=True)
    if family:
        of_columns = {
            name: series for name, series in found.by_family.items() if name not in (OTHER, catalogue.REQUESTS.name)
        }
        assert all(series <= family for series in of_columns.values())


def test_a_hundred_numeric_features_keep_all_that_shipped_alerts_read_but_the_reference() -> None:
    found = planned(100, Metrics().max_series)
    rules = [file.read_text() for file in (Path(__file__).parents[2] / "alert_rules").glob("*.rules.yml")]
    with_alerts = "".join(text for text in rules if "- alert: " in text)  # the others are for people who look
    with_alerts = re.sub(r"  - name: \S+-shown\n.*?(?=\n  - name: |\Z)", "", with_alerts, flags=re.DOTALL)
    expressions = "\n".join(line for line in with_alerts.splitlines() if "{{" not in line)
    read = set(re.findall(r"\bmodel_(?:feature|prediction)_[a-z_]+\b", expressions)) & {*ORDER}
    assert read & REFERENCE
    # Of a bin that takes all values nothing is known then; runs of one value are judged all the same.
    assert read & found.models[0].hidden <= REFERENCE | {catalogue.FEATURES.bins.name}
    assert found.columns == (101, 101)


def test_it_is_told_of_whatever_alerts_need_and_the_page_leaves_out() -> None:
    rules = (Path(__file__).parents[2] / "alert_rules" / "exporter.rules.yml").read_text()
    (told,) = set(re.findall(r'inference_exporter_dropped_series\{family=~"(.+)"\}', rules))
    needed = UNITS[UNITS.index((catalogue.FAILED_VARIATION.name, catalogue.FAILED_CRITICAL.name)) :]
    assert len(needed) > 5
    assert [unit for unit in needed if not any(re.fullmatch(told, name) for name in unit)] == []


def test_what_pages_and_what_alerts_begin_with_is_in_no_unit() -> None:
    never = {catalogue.EVIDENCE.name, catalogue.EVIDENCE_THRESHOLD.name, catalogue.SLOW_EVIDENCE.name}
    never |= {f"model_{side}_{word}" for side in ("feature", "prediction") for word in ALERTS}
    never |= {one.name for one in (*catalogue.CONCEPT, *catalogue.TARGET)}
    of = catalogue.PERFORMANCE
    never |= {one.name for one in (of.samples, of.sufficient, of.coverage, of.lag, of.outcomes)}
    never |= {one.name for one in (of.values["accuracy"], of.lower["f1_macro"], of.values["rmse"], of.bound["roc_auc"])}
    assert not never & {*ORDER}
    assert len(ORDER) == len({*ORDER})
    known = {family.name for family in catalogue.families()}
    assert {*ORDER} <= known
    assert [*emergency(dict.fromkeys([*known], 1))][-5:] == [
        name for name in emergency(dict.fromkeys([*known], 1)) if name in never | {catalogue.REQUESTS.name}
    ][-5:]


def test_of_a_thousand_features_the_first_keep_their_series_and_the_others_are_one() -> None:
    found = planned(1000, 10_000)
    kept, known = found.columns
    assert 100 < kept < known == 1001
    first, outputs = found.models[0].places
    assert first == frozenset(range(kept - 1))
    assert outputs == frozenset({0})
    assert 9_900 < found.expected <= 10_000
    assert found.lost[catalogue.FEATURES.statistics["psi"].name] == (known - kept) * 6


def test_columns_that_weigh_more_come_first_and_ignored_ones_never() -> None:
    profile = profile_of(5)
    said = (NOTHING, Override(weight=3.0), Override(ignore=True), Override(weight=0.5), NOTHING)
    assert ranked(profile, (said, ()))[0] == [1, 0, 4, 3]
    shares = dict(zip(profile.features, (0.1, 0.1, 0.5, 0.2, None), strict=True))
    important = replace(profile, features=tuple(replace(column, importance=of) for column, of in shares.items()))
    assert ranked(important, (said, ()))[0] == [1, 0, 3, 4]
    clash = replace(profile, features=(replace(profile.features[0], name=OTHER), *profile.features[1:]))
    assert ranked(clash, ((), ()))[0] == [1, 2, 3, 4, 0]


def test_families_are_switched_off_by_name_and_pattern_and_a_misspelt_one_is_an_error() -> None:
    off = switched_off(Metrics(disable=("model_feature_ks", "model_*_js_distance*")), "")
    both = {f"model_{side}_js_distance{end}" for side in ("feature", "prediction") for end in ("", "_critical")}
    assert off == both | {"model_feature_ks"}
    with pytest.raises(ConfigError, match="model_feature_psy: no family is called so, did you mean model_feature_psi"):
        switched_off(Metrics(disable=("model_feature_psy",)), "")


@pytest.mark.parametrize(
    ("host", "leader", "expected"),
    [
        ("churn-0", "auto", True), ("churn-1", "auto", False), ("churn-12", "auto", False), ("churn", "auto", True),
        ("churn-7d9f5-x8k2p", "auto", True), ("churn-7d9f5-24569", "auto", True), ("", "auto", True),
        ("churn-1", "true", True), ("churn-0", "false", False),
    ],
)  # fmt: skip
def test_the_first_pod_leads_others_of_a_set_do_not_and_who_cannot_tell_does(
    host: str, leader: str, expected: bool
) -> None:
    metrics = Metrics(expose_reference="leader", leader=leader)
    assert leads(metrics, host) == expected
    assert (switched_off(metrics, host) == frozenset()) == expected
    assert switched_off(Metrics(expose_reference="never"), host) == REFERENCE
    assert switched_off(Metrics(), host) == frozenset()


def test_a_page_of_many_models_keeps_as_many_columns_of_each() -> None:
    found = planned(100, 10_000, 4)
    assert len({one.places for one in found.models}) == 1
    assert found.columns[0] == 4 * len(found.models[0].places[0] or ()) + 4
    assert found.expected <= 10_000


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 60), st.integers(3000, 40_000), st.integers(1, 8))
def test_another_model_takes_more_of_the_same_order_from_all_of_them_and_gives_nothing_back(
    columns: int, most: int, models: int
) -> None:
    before, after = planned(columns, most, models), planned(columns, most, models + 1)
    assert before.models[0].hidden <= after.models[0].hidden
    assert {one.hidden for one in after.models} == {after.models[0].hidden}, "none is better off for being there first"
    assert after.columns[0] / (models + 1) <= before.columns[0] / models


def test_a_limit_of_each_family_costs_no_family_that_is_of_no_column() -> None:
    """Which has no columns to leave out: its first series are shown."""
    found = planned(3, 100_000, max_series_per_family=100)
    assert all(name.startswith(("model_feature_", "model_prediction_")) for name in found.models[0].limits)
    assert catalogue.REQUESTS.name not in found.models[0].limits
