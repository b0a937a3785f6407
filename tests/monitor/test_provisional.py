"""Provisional references: which rows become one, when, and what it is then."""

import dataclasses
import logging
from typing import Any

import numpy as np
import pytest
from monitor_scenes import exchange

from exporter import config
from exporter.adoption import Adoption
from exporter.decode import Decoder
from exporter.monitor.models import Models
from exporter.monitor.provisional import Provisionals
from exporter.profile import Plan, build_frame, document
from exporter.profile.builder import ColumnBuilder
from exporter.profile.directory import OneProfile
from exporter.profile.standing import Standing
from exporter.records import Label, Table
from exporter.reference import Profile

M = Label("m", "unknown")


class Watching:
    """Models without a profile, and what becomes of them."""

    def __init__(self, kept: Any = None, profile: Profile | None = None, **given: Any) -> None:
        settings = {f"provisional.{key}": value for key, value in given.items()}
        found = config.resolve(("test", {"provisional.rows": 1000} | settings))
        self.now = 0.0
        """Unix time."""
        self.references = Standing(OneProfile(profile), lambda: self.now)
        self.provisional = Provisionals(found.provisional, self.references, kept or {})
        self.models = Models(found, self.references, provisional=self.provisional)
        self.decoder = Decoder()
        self.saved: dict[Label, Profile] = {}
        self.provisional.keep_in(self.saved.__setitem__)

    def see(self, rows: Any, answers: Any = None, at: float = 1.0, version: str = "", **changes: Any) -> None:
        """One exchange; rows as a body, or as a table."""
        seen = exchange(rows if not isinstance(rows, Table) else [], answers, at, **changes)
        observation = dataclasses.replace(self.decoder.decode(seen), model="m", version=version)
        if isinstance(rows, Table):
            observation = dataclasses.replace(observation, features=rows)
        self.models.observe(seen, observation)

    def settle(self, now: float = 1.0) -> Profile | None:
        """Let time do its work, as the analyser does; what the model is compared with then."""
        for _ in range(1000):
            self.provisional.advance(now)
        self.models.look_at_profiles()
        return self.compared()

    def compared(self, label: Label = M) -> Profile | None:
        return next((one.profile for one in self.models.shown(1.0) if one.label == label), None)

    def rows(self, label: Label = M) -> int:
        return self.provisional.progress([label])[label]


def rows_of(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Rows of JSON with every kind of column, and gaps."""
    random = np.random.default_rng(seed)
    rows = [
        {
            "amount": float(random.lognormal(3, 1)),
            "age": int(random.integers(18, 90)),
            "town": str(random.choice(["Berlin", "Paris", "東京", f"village {random.integers(99)}"])),
            "member": bool(random.integers(2)),
            "note": f"{place} " + "x" * int(random.integers(40)),
            "empty": None,
        }
        for place in range(count)
    ]
    for row in rows[::7]:
        del row["age"]
    for row in rows[::5]:
        row["town"] = None
    return rows


def test_the_first_rows_become_what_profile_build_makes_of_them() -> None:
    rows, answers = rows_of(1000), np.random.default_rng(2).normal(size=1000).tolist()
    watching = Watching()
    for start in range(0, 1000, 8):
        watching.see(rows[start : start + 8], answers[start : start + 8], at=1 + start / 100)
    assert watching.compared() is None
    profile = watching.settle()
    assert profile is not None
    names = ("amount", "age", "town", "member", "note", "empty")
    table = {name: np.array([row.get(name) for row in rows], object) for name in names} | {"prediction": answers}
    built, _ = build_frame(table, Plan(predictions=["prediction"]))
    made = {column.name: column for column in profile.features}
    assert made == {one.name: dataclasses.replace(one, association=(), importance=None) for one in built.features}
    assert profile.outputs == built.outputs
    assert (profile.model, profile.version, profile.rows, profile.provisional) == ("m", "unknown", 1000, True)
    assert profile.source == "live traffic from 1970-01-01T00:00:01Z to 1970-01-01T00:00:10Z"
    assert watching.saved == {M: profile}


def test_from_then_on_the_model_is_scored_and_later_rows_change_nothing(caplog: Any) -> None:
    watching = Watching()
    watching.see(rows_of(1000))
    profile = watching.settle()
    watching.see(rows_of(1000, seed=3))
    assert watching.settle() is profile
    (one,) = [one for one in watching.models.shown(1.0) if one.label == M]
    assert one.snapshot.features is not None
    assert one.snapshot.features.scores[0].samples.tolist() == [1000] * 10
    assert caplog.text.count("is compared with its own first 1000 rows from now on") == 1


def test_requests_that_failed_are_not_in_it() -> None:
    watching = Watching()
    watching.see(rows_of(900), status=500)
    watching.see(rows_of(900), status=404)
    watching.see(rows_of(10))
    assert watching.rows() == 10


def test_without_traffic_nothing_happens() -> None:
    watching = Watching()
    assert watching.settle(1e9) is None
    assert watching.provisional.arrays() == {}
    assert watching.rows() == 0


def test_after_the_period_fewer_rows_do_but_never_fewer_than_the_least() -> None:
    watching = Watching(rows=10_000, minimum_rows=200, period="1h")
    watching.see(rows_of(199), at=1.0)
    assert watching.settle(1 + 3599) is None
    assert watching.settle(1 + 7200) is None, "too few"
    watching.see(rows_of(1, seed=2), at=7300.0)
    profile = watching.settle(7300.0)
    assert profile is not None
    assert profile.rows == 200


def test_each_version_has_its_own() -> None:
    watching = Watching()
    watching.see(rows_of(700), version="1")
    watching.see(rows_of(700), version="2")
    assert watching.settle() is None
    watching.see(rows_of(300, seed=2), version="2")
    watching.settle()
    assert watching.compared(Label("m", "1")) is None
    found = watching.compared(Label("m", "2"))
    assert found is not None
    assert (found.version, found.rows) == ("2", 1000)


def test_bare_arrays_have_columns_by_position_and_rows_of_the_same_width_fit() -> None:
    watching = Watching()
    cells = np.random.default_rng(1).normal(size=(1000, 3)).tolist()
    watching.see(cells, [row[:2] for row in cells])
    profile = watching.settle()
    assert profile is not None
    assert [column.name for column in profile.features] == ["x[0]", "x[1]", "x[2]"]
    watching.see(cells[:50], [row[:2] for row in cells[:50]])
    (one,) = [one for one in watching.models.shown(1.0) if one.label == M]
    assert one.snapshot.features is not None
    assert one.snapshot.features.match.mismatched == 0
    assert one.snapshot.features.totals.bins.sum() == 150


def test_what_has_another_form_than_most_rows_is_left_out() -> None:
    watching = Watching()
    watching.see([[1.0, 2.0]] * 30)
    for width in range(3, 9):
        watching.see([[1.0] * width] * 20)
    watching.see(rows_of(1000))
    profile = watching.settle()
    assert profile is not None
    assert set(profile.inputs) == {"amount", "age", "town", "member", "note", "empty"}
    assert profile.rows == 1000


def test_columns_that_come_late_were_missing_before_and_rare_ones_are_left_out() -> None:
    watching = Watching()
    watching.see([{"a": float(row)} for row in range(600)])
    watching.see([{"a": float(row), "late": row % 3} for row in range(391)])
    watching.see([{"a": 1.0, "somebody@example.org": 1.0}] * 9)
    profile = watching.settle()
    assert profile is not None
    assert {column.name: column.rows for column in profile.features} == {"a": 1000, "late": 1000}
    late = profile.features[1]
    assert late.counts[late.quality_bins()["missing"][0]] == 609


def test_ten_thousand_columns_are_cut_where_they_have_names_and_not_taken_where_they_have_none(caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    watching = Watching(rows=600, max_columns=40)
    wide = Table(
        600, tuple(f"c{place}" for place in range(10_000)), tuple([float(place)] * 600 for place in range(10_000))
    )
    watching.see(wide)
    profile = watching.settle()
    assert profile is not None
    assert [column.name for column in profile.features] == [f"c{place}" for place in range(40)]
    assert "leaves out 40 columns or more" in caplog.text
    bare = Watching(rows=600, max_columns=40)
    bare.see([[1.0] * 10_000] * 20)
    assert bare.rows() == 0
    assert bare.settle(1e9) is None


def test_all_models_together_collect_a_bounded_number_of_columns_and_others_wait(caplog: Any) -> None:
    watching = Watching(rows=600)
    names = tuple(f"c{place}" for place in range(500))
    table = Table(20, names, tuple([1.0] * 20 for _ in names))
    for _ in range(3):
        for version in "abcde":
            watching.see(table, version=version)
    assert [watching.rows(Label("m", version)) for version in "abcde"] == [60, 60, 60, 60, 0]
    assert caplog.text.count("others wait for these") == 1
    watching.see(Table(540, names, tuple([1.0] * 540 for _ in names)), version="a")
    watching.settle()
    assert watching.compared(Label("m", "a")) is not None
    watching.see(table, version="e")
    assert watching.rows(Label("m", "e")) == 20


def test_long_texts_do_not_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.monitor.collecting._MOST_CHARACTERS", 10_000)
    watching = Watching()
    watching.see([{"note": f"{row}" * 50, "town": f"t{row % 3}", "n": row} for row in range(1000)])
    profile = watching.settle()
    assert profile is not None
    assert {column.field: column.kind for column in profile.features if column.scalar in {"", "length"}} == {
        "note": "text",
        "town": "categorical",
        "n": "numeric",
    }


def test_a_column_that_is_of_two_kinds_beyond_all_measure_costs_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.monitor.collecting._MOST_WAITING_CELLS", 10)
    watching = Watching()
    for row in range(1000):
        watching.see([{"a": float(row), "odd": row if row % 2 else f"x{row}", "\ud800": 1, "": 2}])
    profile = watching.settle()
    assert profile is not None
    assert profile.inputs == ("a", "odd")


def test_arrays_without_names_fit_even_where_one_of_their_columns_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.monitor.collecting._MOST_WAITING_CELLS", 10)
    watching = Watching()
    build = ColumnBuilder.build

    def odd(self: ColumnBuilder) -> Any:
        if self.name == "x[1]":
            raise ValueError("numbers in one part of the table and something else in another")
        return build(self)

    monkeypatch.setattr(ColumnBuilder, "build", odd)
    watching.see([[float(row), "x", row % 7] for row in range(1000)])
    profile = watching.settle()
    assert profile is not None
    assert [column.name for column in profile.features] == ["x[0]", "x[2]"]
    watching.see([[5.0, "y", 3]])
    (one,) = [one for one in watching.models.shown(1.0) if one.label == M]
    assert one.snapshot.features is not None
    assert one.snapshot.features.match.mismatched == 0
    assert one.snapshot.features.totals.bins[1].sum() == 1
    assert one.snapshot.features.totals.bins[1, 14] == 0, "the third number is there"


def test_categories_that_are_no_text_cost_themselves_alone() -> None:
    watching = Watching()
    watching.see([{"a": float(row), "town": ["\ud800", "Berlin", "Paris"][row % 3]} for row in range(1000)])
    profile = watching.settle()
    assert profile is not None
    assert profile.inputs == ("a", "town")
    assert "Berlin" in profile.features[-1].categories or profile.features[-1].kind == "text"


def test_what_has_nothing_to_be_compared_with_is_given_up_and_said_once(caplog: Any) -> None:
    watching = Watching(rows=20, minimum_rows=20)
    for time in range(3):
        for row in range(20):
            watching.see([{f"{time}.{row}": 1.0}])
        assert watching.settle() is None
    assert caplog.text.count("can be made") == 1


def test_rows_of_nulls_alone_are_a_reference_too() -> None:
    watching = Watching()
    watching.see([{"a": None, "b": None}] * 1000)
    profile = watching.settle()
    assert profile is not None
    assert [column.counts[-1] for column in profile.features] == [1000, 1000]


def test_one_that_was_kept_goes_on_as_it_is() -> None:
    before = Watching()
    before.see(rows_of(1000))
    profile = before.settle()
    after = Watching(kept=before.provisional.arrays())
    after.see(rows_of(5, seed=5))
    assert after.compared() == profile
    assert after.saved == {M: profile}


def test_one_of_a_ledger_that_is_not_understood_begins_anew(caplog: Any) -> None:
    after = Watching(kept={'["m", "unknown"]': np.frombuffer(b"{}", np.uint8)})
    after.see(rows_of(5))
    assert after.rows() == 5
    assert "begins anew" in caplog.text


def test_a_real_profile_comes_first_and_the_provisional_one_waits() -> None:
    watching = Watching()
    watching.see(rows_of(1000))
    provisional = watching.settle()
    assert provisional is not None
    real = dataclasses.replace(provisional, provisional=False, digest="ab" * 32)
    after = Watching(kept=watching.provisional.arrays(), profile=real)
    after.see(rows_of(5))
    assert after.compared() == real
    assert after.references.provisional(M) == provisional


def test_one_that_somebody_deletes_begins_anew(caplog: Any) -> None:
    watching = Watching()
    watching.see(rows_of(1000))
    watching.settle()
    watching.provisional.drop(M)
    assert watching.settle() is None
    watching.see(rows_of(30))
    assert watching.rows() == 30
    assert "in place of its provisional reference" in caplog.text


def test_it_can_be_switched_off() -> None:
    watching = Watching(enable=False)
    watching.see(rows_of(1000))
    assert watching.settle() is None
    assert watching.provisional.progress([M]) == {}


def test_the_model_of_all_others_never_has_one() -> None:
    watching = Watching()
    watching.see(rows_of(1000), status=200, version="x" * 200)
    assert watching.provisional.progress([Label("m", "x" * 200), Label("_other", "unknown")]) == {
        ("m", "x" * 200): 0, ("_other", "unknown"): 0,
    }  # fmt: skip


def test_one_whose_windows_do_not_fit_into_memory_is_refused(caplog: Any) -> None:
    watching = Watching()
    watching.models._settings = config.resolve(("test", {"analyser.memory_limit": "16MiB"}))
    watching.see(rows_of(1000))
    watching.see(
        Table(1000, tuple(f"c{n}" for n in range(300)), tuple([float(n)] * 1000 for n in range(300))), version="2"
    )
    watching.settle()
    assert watching.compared(Label("m", "2")) is None
    assert "no room for the windows of a provisional reference" in caplog.text
    assert watching.models.look_at_profiles() in {True, False}
    assert watching.compared(Label("m", "2")) is None


def test_when_an_adoption_expires_models_switch_over_and_windows_begin_anew(caplog: Any) -> None:
    watching = Watching()
    watching.see(rows_of(1000))
    made = watching.settle()
    assert made is not None
    amount = made.features[0]
    adoption = Adoption("features", "amount", amount.counts[::-1], (1.0, 2.0, 0.0, 3.0), "ada", "why", 0.0, 10.0, "1h")
    watching.provisional.put(M, document.parse(document.describe(dataclasses.replace(made, adoptions=(adoption,)))))
    adopted = watching.settle()
    assert adopted is not None
    assert adopted.digest != made.digest
    watching.see(rows_of(50, 3))
    watching.now = 9.9
    assert not watching.models.look_at_profiles()
    assert watching.compared() is adopted
    watching.now = 10.0
    assert watching.models.look_at_profiles()
    (one,) = [one for one in watching.models.shown(1.0) if one.label == M]
    assert one.profile is not None
    assert (one.profile.digest, one.profile.features) == (made.digest, made.features)
    assert one.snapshot.features is not None
    assert one.snapshot.features.totals.bins.sum() == 0
    assert "what ada adopted for features 'amount' of the model 'm' has expired" in caplog.text
