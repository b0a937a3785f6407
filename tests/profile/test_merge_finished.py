"""Finished profiles of equal edges add up to that of all rows, and what does not fit is named by its column."""

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from profile_tables import bytes_of, write_csv

from exporter.errors import DataError
from exporter.profile import document
from exporter.profile.build import Plan, build, build_like
from exporter.profile.merge import merge
from exporter.reference import Column, Profile

Parts = tuple[Profile, list[Profile]]


def table(seed: int, rows: int) -> dict[str, list[Any]]:
    random = np.random.default_rng(seed)
    columns = {
        "amount": random.lognormal(3 + seed / 5, 1, rows).tolist(),
        "town": random.choice(["a", "b", "c", *[f"t{n}" for n in range(40)]], rows).tolist(),
        "flag": random.choice(["true", "false"], rows).tolist(),
        "words": [f"{place}-{'y' * (place % 37)}" for place in range(rows)],
        "p": random.random(rows).tolist(),
    }
    columns["amount"][:5] = [None] * 5
    columns["town"][:7] = [None] * 7
    return columns


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """The whole table in the bins of its profile, and three parts of it in the same."""
    path = tmp_path_factory.mktemp("merge")
    tables = [table(seed, rows) for seed, rows in ((1, 3000), (2, 500), (3, 2000))]
    whole = {name: [cell for one in tables for cell in one[name]] for name in tables[0]}
    profile, _ = build(Plan(write_csv(path / "whole.csv", whole), ["p"], model="m", version="3"))
    made = [build_like(Plan(write_csv(path / f"part{place}.csv", one)), profile) for place, one in enumerate(tables)]
    return profile, made


def test_the_same_table_in_the_bins_of_its_profile_is_the_profile(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", table(1, 3000))
    profile, _ = build(Plan(path, ["p"], model="m", version="3", trained_at=5.0))
    assert build_like(Plan(path), profile) == profile


def rounded(column: Column) -> Column:
    """Without what is not counted: the moments, and answers, which the parts know in units of their own.

    Nor different values, of which nobody knows which ones the parts have in common.
    """
    association = tuple(one._replace(means=tuple(round(mean, 7) for mean in one.means)) for one in column.association)
    importance = None if column.importance is None else round(column.importance, 3)
    return dataclasses.replace(column, mean=0, sd=0, distinct=None, association=association, importance=importance)


def test_the_parts_add_up_to_the_whole(parts: Parts) -> None:
    whole, made = parts
    merged = merge([("a", made[0]), ("b", made[1]), ("c", made[2])])
    for column, expected in zip((*merged.features, *merged.outputs), (*whole.features, *whole.outputs), strict=True):
        assert rounded(column) == rounded(expected)
        assert column.mean == pytest.approx(expected.mean, rel=1e-14)
        assert column.sd == pytest.approx(expected.sd, rel=1e-3)  # the grid's cells of a part are finer
    assert (merged.rows, merged.source) == (5500, "part0.csv + part1.csv + part2.csv")


def test_the_order_of_merging_changes_no_byte(tmp_path: Path, parts: Parts) -> None:
    _, made = parts
    found = {bytes_of(tmp_path / "p.json", merge([(str(n), made[n]) for n in order]))
             for order in itertools.permutations(range(3))}  # fmt: skip
    assert len(found) == 1
    assert document.load(str(tmp_path / "p.json")).rows == 5500


def test_categories_in_another_order_are_ranked_anew(parts: Parts) -> None:
    _, made = parts
    town = made[1].features[1]
    names = town.categories[::-1]
    turned = changed(made[1], 1, categories=names, counts=(*town.counts[:20][::-1], *town.counts[20:]))
    found = [merge(order).features[1] for order in ([("a", made[0]), ("b", turned)], [("b", turned), ("a", made[0])])]
    assert found[0] == found[1]
    first, second = (dict(zip(one.features[1].categories, one.features[1].counts, strict=False)) for one in made[:2])
    assert dict(zip(found[0].categories, found[0].counts, strict=False)) == {n: first[n] + second[n] for n in first}
    assert list(found[0].counts[:20]) == sorted(found[0].counts[:20], reverse=True)


def test_one_profile_alone_is_itself(parts: Parts) -> None:
    _, made = parts
    alone = merge([("a", made[0])])
    assert alone.features == made[0].features


def changed(profile: Profile, place: int, **changes: Any) -> Profile:
    features = list(profile.features)
    features[place] = dataclasses.replace(features[place], **changes)
    return dataclasses.replace(profile, features=tuple(features))


@pytest.mark.parametrize(("change", "words"), [
    (lambda p: changed(p, 0, edges=(1.0, 2.0)), "features: 'amount' has other edges: build one with --like the other"),
    (lambda p: changed(p, 0, kind="text"), "features: 'amount' is numeric in one and text in the other"),
    (lambda p: changed(p, 1, categories=("x", *p.features[1].categories[1:])), "features: 'town' has other categories"),
    (lambda p: changed(p, 1, others=("x",)), "features: 'town' has other categories"),
    (lambda p: changed(p, 2, name="flags"), "features: 'flag' is in one alone"),
    (lambda p: dataclasses.replace(p, features=p.features[::-1]), "features: not in the same order"),
    (lambda p: dataclasses.replace(p, outputs=()), "outputs: 'p' is in one alone"),
    (lambda p: dataclasses.replace(p, version="4"), "of different models or versions"),
])  # fmt: skip
def test_what_does_not_fit_is_named(parts: tuple[Profile, list[Profile]], change: Any, words: str) -> None:
    _, made = parts
    with pytest.raises(DataError, match=r"^b\.json and a\.json: ") as caught:
        merge([("a.json", made[0]), ("b.json", change(made[1]))])
    assert words in str(caught.value)


def test_moments_of_any_magnitude_are_combined(parts: Parts) -> None:
    _, made = parts
    for scale in (1e300, 1e-300, 0.0):
        ends = [changed(made[0], 0, mean=sign * scale, sd=0.0) for sign in (1, -1)]
        column = merge([("a", ends[0]), ("b", ends[1])]).features[0]
        assert (column.mean, column.sd) == (0.0, pytest.approx(scale, rel=1e-15))


def test_a_table_without_a_column_of_the_profile_is_refused(tmp_path: Path, parts: Parts) -> None:
    path = write_csv(tmp_path / "t.csv", {"amount": [1], "p": [2]})
    with pytest.raises(DataError, match=r"t\.csv: no column 'town', which the profile has"):
        build_like(Plan(path), parts[0])


def test_what_the_training_data_did_not_have_falls_outside(tmp_path: Path, parts: Parts) -> None:
    columns = {"amount": [-1, 1e9, "inf", "n.a.", None], "town": ["a", "zz", "t1", None, "NA"],
               "flag": ["TRUE", "1", "0", "maybe", None], "words": ["x" * 500, "", "a", "b", "c"],
               "p": [0.5] * 5}  # fmt: skip
    found = {
        column.name: column for column in build_like(Plan(write_csv(tmp_path / "t.csv", columns)), parts[0]).features
    }
    amount = found["amount"].counts
    assert (amount[0], amount[13], amount[14], amount[15]) == (1, 1, 1, 2)
    assert found["town"].counts[-2:] == (1, 2)
    assert found["flag"].counts == (1, 2, 0, 1, 1)
    assert (found["words.length"].counts[13], found["words.length"].counts[14]) == (1, 1)
