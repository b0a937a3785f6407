"""What a window holds, written into a profile: counts exactly, moments as well as bins know them."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from profile_tables import profile_of

from exporter import adopt_command
from exporter.config import Windows
from exporter.errors import ConfigError, DataError
from exporter.monitor.binner import Binner
from exporter.monitor.block import Block
from exporter.profile import document, parsing
from exporter.profile.adopt import Seen, Window, Wish, adopt, drop, parse
from exporter.profile.in_force import in_force
from exporter.records import Table
from exporter.reference import Profile

NOW = 1_790_000_000.5
RANDOM = np.random.default_rng(7)
COLUMNS = {
    "normal": RANDOM.normal(10, 2, 5000).tolist(),
    "skewed": RANDOM.lognormal(0, 1, 5000).tolist(),
    "flag": RANDOM.integers(0, 2, 5000).tolist(),
    "constant": [7.25] * 5000,
    "town": RANDOM.choice(["Berlin", "Paris"], 5000).tolist(),
    "a[0]": RANDOM.normal(0, 1, 5000).tolist(),
}


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    path = tmp_path_factory.mktemp("profile")
    made, _ = profile_of(path / "t.csv", COLUMNS)
    return document.save(made, str(path / "p.json"))


def window_of(profile: Profile, **cells: Sequence[Any]) -> Window:
    """What an exporter would say that has seen these values; the others are those of the training."""
    block = Block(profile.asked, Windows(), Binner(profile.asked, None), by_name=True)
    names = tuple(COLUMNS)
    columns = tuple(list(cells.get(name, COLUMNS[name])) for name in names)
    table = Table(5000, names, columns)
    block.add(block.fit(table), table, 0, 5000)
    block.flush(1.0)
    scores = block.snapshot(1.0).scores[0]
    seen = {
        ("features", column.name): Seen(tuple(scores.counts[at][: len(column.counts)].tolist()), scores.deviation[at])
        for at, column in enumerate(profile.features)
    }
    return Window("5m", profile.digest, 200, seen)


def wish(*features: str, **more: Any) -> Wish:
    return Wish(features, (), "ada", "a new currency", NOW, None)._replace(**more)


def adopted(profile: Profile, name: str, window: Window) -> Any:
    found, notes = adopt(profile, window, wish(name))
    saved = document.parse(document.describe(found))
    column = next(one for one in in_force(saved, NOW).features if one.name == name)
    return column, notes


def test_adopting_what_the_training_had_changes_nothing_but_who_says_so(profile: Profile) -> None:
    window = window_of(profile)
    for column in profile.features:
        found, notes = adopted(profile, column.name, window)
        assert found.counts == column.counts
        assert (found.mean, found.sd) == pytest.approx((column.mean, column.sd), rel=1e-9)
        assert notes == []


@pytest.mark.parametrize(("name", "cells", "tolerance"), [
    ("normal", RANDOM.normal(11, 3, 5000), 0.1),
    ("normal", RANDOM.normal(9, 1, 5000), 0.1),
    ("skewed", RANDOM.lognormal(0.3, 1, 5000), 0.2),
    ("flag", RANDOM.binomial(1, 0.1, 5000), 0.1),
])  # fmt: skip
def test_the_mean_is_exact_and_the_spread_nearly_so(profile: Profile, name: str, cells: Any, tolerance: float) -> None:
    cells = cells.tolist()
    column, _ = adopted(profile, name, window_of(profile, **{name: cells}))
    assert column.mean == pytest.approx(np.mean(cells), abs=1e-9)
    assert column.sd == pytest.approx(np.std(cells), rel=tolerance)
    assert column.minimum <= np.mean(cells) <= column.maximum


def test_values_beyond_the_training_lie_where_the_mean_wants_them(profile: Profile) -> None:
    cells = [10.0] * 4000 + [1000.0] * 1000
    column, notes = adopted(profile, "normal", window_of(profile, normal=cells))
    assert column.mean == pytest.approx(208.0)
    assert column.maximum == pytest.approx(1000, rel=0.01)
    assert column.sd == pytest.approx(np.std(cells), rel=0.1)
    assert notes == []


def test_what_lies_mostly_in_one_open_bin_is_adopted_with_a_warning(profile: Profile) -> None:
    _, (note,) = adopted(profile, "normal", window_of(profile, normal=[1000.0] * 5000))
    assert note.startswith("normal: 100% of what is adopted are in one bin, ")
    assert note.endswith("build a new profile instead")
    _, (note,) = adopted(profile, "town", window_of(profile, town=["Rome"] * 4000 + ["Paris"] * 1000))
    assert note.startswith("town: 80% of what is adopted are in one bin, 'unseen'")


def test_columns_of_which_there_are_no_numbers_or_of_one_keep_what_they_had(profile: Profile) -> None:
    column, _ = adopted(profile, "normal", window_of(profile, normal=[None] * 5000))
    assert (column.counts[14], column.mean) == (5000, profile.features[0].mean)
    column, _ = adopted(profile, "constant", window_of(profile))
    assert column.mean == pytest.approx(7.25)


def test_patterns_and_names_that_look_like_patterns(profile: Profile) -> None:
    window = window_of(profile)
    assert [one.name for one in adopt(profile, window, wish("*a*"))[0].adoptions] == [
        "normal",
        "flag",
        "constant",
        "a[0]",
    ]
    assert [one.name for one in adopt(profile, window, wish("a[0]"))[0].adoptions] == ["a[0]"]


def test_adopting_again_replaces_what_was_adopted_before_and_dropping_leaves_the_training(profile: Profile) -> None:
    first, _ = adopt(profile, window_of(profile), wish("normal", "town"))
    first = document.parse(document.describe(first))
    again, _ = adopt(
        first, window_of(in_force(first, NOW), normal=[9.0] * 5000)._replace(digest=first.digest), wish("normal")
    )
    assert [one.name for one in again.adoptions] == ["town", "normal"]
    assert again.adoptions[1].moments[0] == pytest.approx(9.0)
    assert again.features == profile.features, "the training data stay"
    assert [one.name for one in drop(again, wish("normal")).adoptions] == ["town"]
    with pytest.raises(ConfigError, match="nothing was adopted"):
        drop(profile, wish("normal"))


def test_who_why_when_and_for_how_long_is_written_down(profile: Profile) -> None:
    found, _ = adopt(profile, window_of(profile), wish("town", expires_at=NOW + 99.5))
    (one,) = document.parse(document.describe(found)).adoptions
    assert (one.author, one.reason, one.window) == ("ada", "a new currency", "5m")
    assert (one.adopted_at, one.expires_at) == (NOW - 0.5, NOW + 99.5)


def test_a_window_of_another_profile_or_of_too_little_is_refused(profile: Profile) -> None:
    window = window_of(profile)
    with pytest.raises(DataError, match="adopt into the file that is in force"):
        adopt(dataclasses.replace(profile, digest="ab" * 32), window, wish("town"))
    with pytest.raises(DataError, match="has 5000 values in the window of 5m, fewer than the 5001"):
        adopt(profile, window._replace(minimum_samples=5001), wish("town"))
    with pytest.raises(DataError, match="does not know 'town' of features in the bins of this file"):
        adopt(profile, window._replace(columns={}), wish("town"))
    with pytest.raises(ConfigError, match="did you mean town"):
        adopt(profile, window, wish("twon"))


@pytest.mark.parametrize(("document_", "words"), [
    ([], "answer: must be a mapping"),
    ({}, "window: must be text"),
    ({"window": "5m", "profile": "ab", "minimum_samples": -1}, "minimum_samples: must be a whole number"),
    ({"window": "5m", "profile": "ab", "minimum_samples": 1, "features": 3}, "features: must be a list"),
    ({"window": "5m", "profile": "ab", "minimum_samples": 1, "features": [{"counts": [1.5]}]}, "features[0].counts[0]"),
    ({"window": "5m", "profile": "ab", "minimum_samples": 1, "features": [{"counts": [], "deviation": "x"}]},
     "features[0].deviation"),
])  # fmt: skip
def test_an_answer_that_is_none_names_the_path_to_the_fault(document_: Any, words: str) -> None:
    with pytest.raises(DataError) as caught:
        parse(document_)
    assert words in str(caught.value)


def test_moments_of_numbers_that_nearly_fill_the_floats_stay_finite(tmp_path: Path) -> None:
    huge = [(-1.0) ** row * (row + 1) * 1e304 for row in range(5000)]
    made, _ = profile_of(tmp_path / "t.csv", {**COLUMNS, "normal": huge})
    profile = document.parse(document.describe(made))
    column, _ = adopted(profile, "normal", window_of(profile, normal=[1.7e308] * 2500 + [-1.7e308] * 2500))
    assert np.isfinite([column.mean, column.sd, column.minimum, column.maximum]).all()


@pytest.mark.parametrize("text", ["2999-12-31", "9999-12-31T23:59:59", "9999-12-31T23:59:59.5", "30d"])
def test_an_expiry_is_a_moment_that_a_profile_can_hold(text: str) -> None:
    at = adopt_command._expiry(text, 1e9)
    assert at is not None
    assert parsing.moment(parsing.stamp(at)) == at
