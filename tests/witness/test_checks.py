"""Which checks single rows failed, held against what windows count of the same rows."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from monitor_scenes import DECODER, answers, exchange, live_rows, make_profile, training_rows, watch

from exporter.monitor import Monitor
from exporter.monitor.checking import MOST_FLAGS, MOST_ROWS
from exporter.monitor.said import NOTHING_SAID
from exporter.override import Override, Overrides
from exporter.records import Observation
from exporter.reference import Profile
from exporter.sections import Windows
from exporter.snapshots import Moved
from exporter.witnessed import Flag

FINE = {"amount": 20.0, "age": 40, "city": "Berlin", "member": True, "note": "hello", "constant": 7.25, "code": 100}


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return make_profile(tmp_path_factory.mktemp("profile"))


def observed(rows: Any, predictions: Any = None) -> Observation:
    return DECODER.decode(exchange(rows, predictions or [0.3] * len(rows), 1.0))


def failed(profile: Profile, *rows: Any) -> list[tuple[int, str, str]]:
    (flags,) = Monitor(profile, *_watched()).checks.judge([observed(list(rows))])
    return [(one.row, one.column, one.check) for one in flags if one.side == "feature" and one.check != "unusual"]


def _watched() -> tuple[Any, ...]:
    return Windows(), ()


def test_a_row_that_is_fine_fails_nothing(profile: Profile) -> None:
    assert failed(profile, FINE) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"age": None}, ("age", "missing")),
        ({"age": "old"}, ("age", "type_error")),
        ({"age": -5}, ("age", "out_of_range")),
        ({"age": 1e9}, ("age", "out_of_range")),
        ({"age": float("inf")}, ("age", "nonfinite")),
        ({"city": "Atlantis"}, ("city", "unseen")),
        ({"member": "perhaps"}, ("member", "unseen")),
    ],
)
def test_a_value_fails_by_its_name(profile: Profile, changed: dict[str, Any], expected: tuple[str, str]) -> None:
    assert failed(profile, FINE, FINE | changed, FINE) == [(1, *expected)]


def test_a_field_that_is_not_there_is_missing(profile: Profile) -> None:
    assert failed(profile, {key: value for key, value in FINE.items() if key != "age"}) == [(0, "age", "missing")]


def test_what_the_training_data_have_themselves_fails_nothing(profile: Profile) -> None:
    assert failed(profile, FINE | {"amount": None, "city": None}) == [], "one in twenty was missing there"


def test_of_many_rows_as_many_fail_as_windows_count(profile: Profile) -> None:
    rows = live_rows(2000, 7)
    told = answers(rows, 7)
    exchanges = [
        exchange([row], [answer], 1.0 + at / 1000) for at, (row, answer) in enumerate(zip(rows, told, strict=True))
    ]
    monitor = watch(profile, exchanges)
    flags: list[Flag] = []
    for start in range(0, 2000, 32):
        for one in monitor.checks.judge([DECODER.decode(of) for of in exchanges[start : start + 32]]):
            flags += one
    counted = Counter((one.side, one.column, one.check) for one in flags)
    assert counted, "there is something to compare"
    snapshot = monitor.snapshot(5.0)
    for side, block, columns in (("feature", snapshot.features, profile.features),
                                 ("output", snapshot.outputs, profile.outputs)):  # fmt: skip
        assert block is not None
        for place, column in enumerate(columns):
            for word, bins in column.quality_bins().items():
                if sum(column.counts[at] for at in bins) / column.rows > 0.0002:
                    continue  # the training data have such, too
                ours = counted[side, column.name, word]
                if word == "nonfinite":
                    ours += counted[side, column.name, "type_error"]
                assert ours == block.totals.quality[word][place], (column.name, word)
    unusual = sum(1 for one in flags if one.check == "unusual")
    ratio = next(one.value for one in snapshot.features.aspects if getattr(one, "word", "") == "unusual_rows_ratio")
    assert unusual == round(ratio * 2000)


def test_rows_of_a_batch_fail_in_their_places_whoever_is_judged_beside_them(profile: Profile) -> None:
    checks = Monitor(profile, *_watched()).checks
    batch = [FINE] * 500 + [FINE | {"age": None}] + [FINE] * 100
    many = [observed([FINE]), observed(batch), observed([FINE | {"city": "Atlantis"}])] * 20
    for first, second, third in zip(*[iter(checks.judge(many))] * 3, strict=True):
        assert first == ()
        assert second == (Flag(500, "feature", "age", "missing"),)
        assert third == (Flag(0, "feature", "city", "unseen"),)


def test_of_a_huge_batch_the_first_rows_are_judged_and_not_all_flags_are_told(profile: Profile) -> None:
    wrong = FINE | {"age": None, "city": "Atlantis"}
    checks = Monitor(profile, *_watched()).checks
    (flags,) = checks.judge([observed([wrong] * 5000)])
    assert len(flags) == MOST_FLAGS
    (late,) = checks.judge([observed([FINE] * MOST_ROWS + [wrong])])
    assert late == ()


def test_what_is_no_table_or_of_another_model_fails_nothing(profile: Profile) -> None:
    checks = Monitor(profile, *_watched()).checks
    stranger = observed([{"colour": "red", "size": 3}])
    assert list(checks.judge([Observation(None, None), stranger])) == [(), ()]


def test_a_value_in_a_bin_that_has_grown_is_marked_until_it_has_not(profile: Profile) -> None:
    checks = Monitor(profile, *_watched()).checks
    place = next(at for at, one in enumerate(profile.features) if one.name == "age")
    column = profile.features[place]
    at = int(np.searchsorted(column.edges, 40, side="right"))
    checks.watch((Moved(place, at, 0.3), Moved(place, 1, -0.3)), ())
    assert checks.judge([observed([FINE])]) == [(Flag(0, "feature", "age", "drifted"),)]
    assert checks.judge([observed([FINE | {"age": column.minimum}])]) == [()], "that bin has shrunk"
    checks.watch((), ())
    assert checks.judge([observed([FINE])]) == [()]


def test_people_say_what_is_out_of_range_and_what_is_ignored(profile: Profile) -> None:
    said = NOTHING_SAID._replace(overrides=Overrides(
        {"age": Override(range=(30.0, 35.0)), "city": Override(allowed=("Berlin",)), "code": Override(ignore=True)}, {}
    ))  # fmt: skip
    checks = Monitor(profile, Windows(), (), said).checks
    (flags,) = checks.judge([observed([FINE | {"city": "Paris", "code": -1}, FINE | {"age": 33, "city": "Berlin"}])])
    assert {(one.row, one.column, one.check) for one in flags if one.column} == {
        (0, "age", "out_of_range"), (0, "city", "out_of_range")
    }  # fmt: skip


def test_rows_of_a_model_without_a_profile_are_not_judged() -> None:
    assert Monitor(None, *_watched()).checks.judge([observed([FINE])]) == [()]


def test_training_rows_hardly_fail_anything(profile: Profile) -> None:
    columns = training_rows()
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)][:1000]
    for row in rows:
        row["member"] = None if row["member"] is None else row["member"] == "true"
    found = failed(profile, *[{name: row[name] for name in FINE} for row in rows])
    assert len(found) <= 2
