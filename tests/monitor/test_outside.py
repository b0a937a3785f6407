"""What people say of columns, live: what they allow is counted by the values, what they ignore is not shown."""

import math
from typing import Any

import pytest
from monitor_scenes import FEATURES, OUTPUT, answers, exchange, live_rows, make_profile

from exporter.collect import columns, failed, reference
from exporter.collect.scene import Scene
from exporter.condition import ServerVitals
from exporter.decode import Decoder
from exporter.monitor import Monitor
from exporter.monitor.said import Said
from exporter.override import NO_OVERRIDES, Override, Overrides
from exporter.records import Exchange
from exporter.reference import Profile
from exporter.sections import Windows

SHORT = Windows(pane=1.0, lengths=(10.0, 100.0), rows=())
RULES = Overrides(
    {
        "amount": Override(range=(10.0, 50.0)), "age": Override(range=(18.0, 18.0)),
        "note": Override(range=(0.0, 5.0)), "city": Override(allowed=("Berlin", "東京")),
        "member": Override(allowed=("true",)), "code": Override(allowed=("100", "400")),
    },
    {OUTPUT: Override(range=(0.25, 0.5))},
)  # fmt: skip


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


def watched(profile: Profile, said: Overrides, exchanges: list[Exchange]) -> Monitor:
    monitor = Monitor(profile, SHORT, (), Said(said))
    for one in exchanges:
        monitor.observe(one, Decoder().decode(one))
    monitor.flush()
    return monitor


def seen(rows: list[dict[str, Any]], at: float = 1.0, status: int = 200) -> Exchange:
    return exchange(rows, answers(rows, 3), at, status=status)


def is_outside(kind: str, rule: Override, cell: Any) -> bool:
    """By the words of the documentation."""
    if kind == "text":
        cell = len(cell) if isinstance(cell, str) else None
    if rule.range:
        number = isinstance(cell, bool | int | float) and math.isfinite(cell)
        return number and not rule.range[0] <= cell <= rule.range[1]
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return False
    name = str(cell).lower() if isinstance(cell, bool) else str(int(cell)) if isinstance(cell, float) else str(cell)
    if kind == "boolean":
        name = {"1": "true", "0": "false"}.get(name, name.lower())
    return name not in (rule.allowed or ())


def test_what_is_not_allowed_is_counted_by_the_values_themselves(profile: Profile) -> None:
    rows = [row for row in live_rows(900, 5) if all(not isinstance(cell, list) for cell in row.values())]
    for row in rows:  # a float is spelled by its digits only where it is whole
        row["code"] = row.get("code") if not isinstance(row.get("code"), float) or row["code"] == 200.0 else None
        row["city"] = row.get("city") if isinstance(row.get("city"), str) else None
        row["member"] = row.get("member") if not isinstance(row.get("member"), float) else None
    rows[0] |= {"amount": 10.0, "age": 18}
    rows[1] |= {"amount": 50, "age": 18.000001}
    found = watched(profile, RULES, [seen(rows[start : start + 60]) for start in range(0, len(rows), 60)]).snapshot(2.0)
    for place, column in enumerate(profile.features):
        rule = RULES.feature(column.name)
        if rule == Override():
            continue
        by_hand = sum(is_outside(column.kind, rule, row.get(column.name)) for row in rows)
        assert 0 < by_hand < len(rows), column.name
        assert found.features.totals.quality["out_of_range"][place] == by_hand, column.name
        for scores in found.features.scores:
            assert scores.ratios["out_of_range"][place] == by_hand / len(rows)


def test_both_ends_of_a_range_are_in_it(profile: Profile) -> None:
    rule = Overrides({"amount": Override(range=(1.0, 2.0))})
    rows = [dict.fromkeys(FEATURES, 1) | {"amount": cell} for cell in (1, 2, 1.0, 2.0, math.nextafter(2, 3), 0.999)]
    found = watched(profile, rule, [seen(rows)]).snapshot(1.0).features
    assert found.totals.quality["out_of_range"][0] == 2


def test_what_nobody_speaks_of_is_counted_as_before(profile: Profile) -> None:
    traffic = [seen(live_rows(200, 1))]
    plain = watched(profile, NO_OVERRIDES, traffic).snapshot(1.0).features
    found = watched(profile, Overrides({"amount": Override(range=(0.0, 1.0))}), traffic).snapshot(1.0).features
    for word, values in plain.totals.quality.items():
        assert found.totals.quality[word][1:].tolist() == pytest.approx(values[1:].tolist(), nan_ok=True)
    assert found.totals.quality["out_of_range"][0] != plain.totals.quality["out_of_range"][0]
    assert (found.totals.bins == plain.totals.bins).all()


def test_windows_forget_and_totals_do_not(profile: Profile) -> None:
    row = live_rows(1, 1)[0] | {"amount": 1e6}
    monitor = watched(profile, RULES, [seen([row], 1.0), seen([row | {"amount": 20.0}], 15.0)])
    found = monitor.snapshot(15.0).features
    assert [scores.ratios["out_of_range"][0] for scores in found.scores] == [0.0, 0.5]
    assert found.totals.quality["out_of_range"][0] == 1


def test_another_process_goes_on_with_the_counts_under_the_same_rules_alone(profile: Profile) -> None:
    before = watched(profile, RULES, [seen(live_rows(50, 1))])
    kept = before.arrays()
    same, other = Monitor(profile, SHORT, (), Said(RULES)), Monitor(profile, SHORT, (), Said(Overrides(RULES.features)))
    assert same.arrays().keys() == kept.keys()
    changed = Monitor(profile, SHORT, (), Said(Overrides({"amount": Override(range=(10.0, 51.0))})))
    for one in (same, other, changed):
        for name, array in one.arrays().items():
            if name in kept:
                array[...] = kept[name]
    outside = before.snapshot(1.0)
    assert outside.outputs.totals.quality["out_of_range"][0] > 0
    assert (
        same.snapshot(1.0).outputs.totals.quality["out_of_range"][0]
        == outside.outputs.totals.quality["out_of_range"][0]
    )
    assert other.snapshot(1.0).features.totals.quality["out_of_range"].tolist() == pytest.approx(
        outside.features.totals.quality["out_of_range"].tolist(), nan_ok=True
    )
    fresh = changed.snapshot(1.0).features
    assert fresh.totals.quality["out_of_range"][0] == 0
    assert math.isnan(fresh.scores[0].ratios["out_of_range"][0]), "what was before the rule was not judged by it"
    assert fresh.scores[0].samples[0] == 50


def test_windows_come_back_from_a_disk_with_what_was_outside(profile: Profile) -> None:
    before = watched(profile, RULES, [seen(live_rows(50, 1))])
    again, changed = Monitor(profile, SHORT, (), Said(RULES)), Monitor(profile, SHORT, ())
    for one in (again, changed):
        assert one.put_back(dict(before.held(1.0)), 100.0, 101.0) > 0
    old, new = before.snapshot(1.0).features.scores[0], again.snapshot(101.0).features.scores[0]
    assert new.ratios["out_of_range"].tolist() == pytest.approx(old.ratios["out_of_range"].tolist(), nan_ok=True)
    assert changed.snapshot(101.0).features.scores[0].samples[0] == 50


def test_rules_that_are_lifted_leave_nothing_behind(profile: Profile) -> None:
    assert (
        Monitor(profile, SHORT, ()).arrays().keys()
        == Monitor(profile, SHORT, (), Said(Overrides({"amount": Override(owner="me", tolerance=0.5)}))).arrays().keys()
    )


# --- what is to be ignored

IGNORED = Overrides({"amount": Override(ignore=True), "city": Override(ignore=True)}, {OUTPUT: Override(ignore=True)})


class Clock:
    snapshot_wall_s = 1000.0


def page(profile: Profile, monitor: Monitor) -> list[tuple[str, tuple[str, ...]]]:
    """Names and labels of all series that have to do with the profile."""
    scene = Scene("m", "1", profile, monitor.snapshot(1.0), ServerVitals(), Clock())  # type: ignore[arg-type]
    found = [one for collect in (columns.collect, failed.collect, reference.collect) for one in collect(scene)]
    return [(one.family.name, labels) for one in found for labels, _ in one.values]


def test_a_column_that_is_to_be_ignored_has_no_series_and_is_no_unknown_field(profile: Profile) -> None:
    traffic = [seen(live_rows(300, 1)), seen(live_rows(300, 2), status=500)]
    plain, found = (watched(profile, said, traffic) for said in (NO_OVERRIDES, IGNORED))
    shown = page(profile, found)
    expected = [(name, labels) for name, labels in page(profile, plain) if not {"amount", "city", "score"} & {*labels}]
    assert sorted(shown) == sorted(expected)
    assert any("age" in labels for _, labels in shown)
    assert found.snapshot(1.0).rows.unknown_fields == plain.snapshot(1.0).rows.unknown_fields == 0


def test_a_column_that_is_to_be_ignored_is_missed_by_nobody(profile: Profile) -> None:
    some = [dict.fromkeys(FEATURES[1:], 1)] * 10
    found = watched(profile, Overrides({"amount": Override(ignore=True)}), [seen(some)]).snapshot(1.0).features.match
    assert (found.fields, found.matched_fields, found.mismatched) == (len(FEATURES) - 1, len(FEATURES) - 1, 0)
    few = [{"constant": 7.25, "code": 100}] * 10
    rules = {name: Override(ignore=True) for name in FEATURES if name not in {"constant", "code", "age"}}
    assert watched(profile, NO_OVERRIDES, [seen(few)]).snapshot(1.0).features.match.mismatched == 1
    assert watched(profile, Overrides(rules), [seen(few)]).snapshot(1.0).features.match.mismatched == 0


def test_the_rows_without_names_have_the_columns_that_are_ignored_in_their_places(profile: Profile) -> None:
    rows = [[20.0, 30, "Berlin", True, "short", 7.25, 100]] * 5
    found = watched(profile, IGNORED, [exchange(rows, [0.5] * 5, 1.0)]).snapshot(1.0).features
    assert found.match.mismatched == 0
    assert found.totals.type_errors.tolist() == [0] * len(FEATURES)
    assert found.totals.bins[1].sum() == 5


def test_where_all_columns_are_to_be_ignored_traffic_is_still_of_the_model(profile: Profile) -> None:
    every = Overrides({"*": Override(ignore=True)}, {"*": Override(ignore=True)})
    monitor = watched(profile, every, [seen(live_rows(20, 1))])
    assert monitor.snapshot(1.0).rows.observed == 20
    assert not [labels for name, labels in page(profile, monitor) if name.startswith("model_feature_")]


def test_the_order_of_rows_and_requests_does_not_matter(profile: Profile) -> None:
    rows = live_rows(120, 9)
    one = watched(profile, RULES, [seen(rows)]).snapshot(1.0).features
    other = watched(profile, RULES, [seen([row]) for row in reversed(rows)]).snapshot(1.0).features
    for word in one.totals.quality:
        assert one.totals.quality[word].tolist() == pytest.approx(other.totals.quality[word].tolist(), nan_ok=True)
