"""Faults by their names: what is said of rows that came through a monitor, and what nothing is said of."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monitor_scenes import exchange
from numpy.typing import NDArray
from profile_tables import profile_of

from exporter.decode import Decoder
from exporter.diagnosis import CODES, Diagnosis, diagnose
from exporter.diagnosis.seen import Part, Seen, points
from exporter.guarantees import Evidence
from exporter.monitor import Monitor
from exporter.monitor.gathering import Watching
from exporter.monitor.lens import MOST_COLUMNS, MOST_ROWS, Lens
from exporter.monitor.said import Said
from exporter.override import Override, Overrides
from exporter.reference import Profile
from exporter.sections import Segments, Windows
from exporter.segmentations import segmentations
from exporter.snapshots import DIAGNOSIS, Listed

WINDOWS = Windows(pane=1.0, lengths=(60.0, 600.0), minimum_samples=100)
QUIET = Watching(Evidence(enable=False))
ROWS = 3000
REGIONS = ("north", "south", "east", "west", "far")
Table = dict[str, list[Any]]
Numbers = NDArray[np.float64]


def table(rows: int, seed: int) -> Table:
    random = np.random.default_rng(seed)
    return {
        "amount": random.lognormal(3, 0.6, rows).round(2).tolist(),
        "age": random.integers(18, 80, rows).astype(float).tolist(),
        "ratio": random.beta(2, 3, rows).tolist(),
        "outside": random.normal(15, 7, rows).round(1).tolist(),
        "centred": random.normal(0, 1, rows).tolist(),
        "region": random.choice(REGIONS, rows, p=[0.3, 0.25, 0.2, 0.15, 0.1]).tolist(),
        "payer": random.choice(["yes", "no"], rows, p=[0.8, 0.2]).tolist(),
        "note": [f"{seed} {row} {'x' * int(n)}" for row, n in enumerate(random.integers(5, 60, rows))],
    }


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    made, _ = profile_of(tmp_path_factory.mktemp("profile") / "t.csv", table(ROWS, 1), segments={"region": ()})
    return made


def sent(monitor: Monitor, columns: Table, start: float = 1000.0, batch: int = 150, **headers: Any) -> None:
    """Rows in batches, one a second, with a scoring after each."""
    decoder = Decoder()
    names, count = list(columns), len(next(iter(columns.values())))
    for number, first in enumerate(range(0, count, batch)):
        some = (column[first : first + batch] for column in columns.values())
        rows = [dict(zip(names, cells, strict=True)) for cells in zip(*some, strict=True)]
        rows = [{name: cell for name, cell in row.items() if cell is not ABSENT} for row in rows]
        one = exchange(rows, [0.5] * len(rows), start + number, **headers)
        monitor.observe(one, decoder.decode(one))
        monitor.flush()
        monitor.snapshot(start + number)


ABSENT = object()


def told(monitor: Monitor, profile: Profile, at: float) -> dict[str, tuple[str, str]]:
    """Code and sentence by column."""
    block = monitor.snapshot(at).features
    assert block is not None
    return {
        profile.features[one.column].name: (one.labels[0], one.labels[1])
        for one in block.aspects if isinstance(one, Listed) and one.word == DIAGNOSIS
    }  # fmt: skip


def watched(profile: Profile, columns: Table, **more: Any) -> dict[str, tuple[str, str]]:
    monitor = Monitor(profile, WINDOWS, (), more.pop("said", Said()), QUIET)
    sent(monitor, columns, **more)
    return told(monitor, profile, 1000.0 + len(columns["amount"]) // 150)


def changed(seed: int = 2, rows: int = 1200, **changes: Callable[[Any], Any]) -> Table:
    """Rows as ever but for some columns."""
    found = table(rows, seed)
    for name, change in changes.items():
        found[name] = list(change(np.array(found[name], dtype=object if isinstance(found[name][0], str) else None)))
    return found


def partly(share: float, value: Any) -> Callable[[Any], Any]:
    """A value in place of some."""
    random = np.random.default_rng(3)
    return lambda column: [value if random.random() < share else cell for cell in column.tolist()]


def clipped(column: Any) -> Any:
    return np.minimum(column, 25.0)


def renamed(old: str, new: str) -> Callable[[Any], Any]:
    return lambda column: [new if cell == old else cell for cell in column]


def noisy(column: Any) -> Any:
    return column + np.random.default_rng(4).normal(0, 1.5 * column.std(), column.size)


# --- each kind


@pytest.mark.parametrize(("name", "change", "code", "text"), [
    ("amount", lambda column: column * 100, "scaled", r"amount looks ×100"),
    ("amount", lambda column: column / 1000, "scaled", r"amount looks ÷1000"),
    ("age", lambda column: column * 12, "scaled", r"age looks ×12 \(years in months\)"),
    ("age", lambda column: column * 7.77, "scaled", r"age looks ×7\.\d*"),
    ("outside", lambda column: column * 1.8 + 32, "scaled", "outside looks like °C in °F"),
    ("outside", lambda column: column + 273.15, "offset", "outside looks like °C in K"),
    ("ratio", lambda column: column + 0.5, "offset", r"ratio looks moved by \+0\.(49|5|51|52)"),
    ("age", lambda column: column - 30, "offset", r"age looks moved by -30"),
    ("amount", lambda column: -column, "sign_flipped", "amount has its sign turned round"),
    ("amount", clipped, "clipped", "amount is cut off above 25"),
    ("age", lambda column: np.clip(column, 30, 60), "clipped", "age is cut off below 30 and above 60"),
    ("amount", partly(0.3, -999), "default_filled", r"amount is filled with -999 in (25|30|35) % of the rows"),
    ("age", partly(0.4, 0), "default_filled", r"age is filled with 0 in (35|40|45) % of the rows"),
    ("region", partly(0.4, ""), "default_filled", r"region is filled with '' in (35|40|45) % of the rows"),
    ("note", partly(0.4, ""), "default_filled", r"note is empty in (35|40|45) % of the rows"),
    ("amount", partly(0.3, None), "missing", r"amount is missing in (25|30|35) % of the rows"),
    ("region", partly(1.0, None), "missing", "region is missing"),
    ("amount", partly(1.0, ABSENT), "missing", "amount is not in the payloads"),
    ("age", partly(1.0, 0), "constant", "age is always 0"),
    ("region", partly(1.0, "south"), "constant", "region is always 'south'"),
    ("region", partly(1.0, "unknown"), "constant", "region is always 'unknown'"),
    ("amount", noisy, "noise_added", r"amount has noise added, of about 1\.\d standard deviations"),
    ("region", renamed("south", "SÜD"), "renamed", "region: 'south' is called 'SÜD'"),
    ("region", lambda column: [cell.upper() for cell in column], "renamed",
     "region: names are spelled otherwise, such as 'NORTH' for 'north'"),
    ("region", renamed("south", "west"), "merged", "region: 'south' counts as 'west'"),
    ("region", partly(0.25, "centre"), "new_category",
     r"region has a new category 'centre' in (20|25|30) % of the rows"),
])  # fmt: skip
def test_a_fault_is_called_by_its_name(profile: Profile, name: str, change: Any, code: str, text: str) -> None:
    found = watched(profile, changed(**{name: change}))
    of_column = {key: value for key, value in found.items() if key.startswith(name)}
    assert found == of_column, "of the other columns nothing is said"
    assert any(one == code and re.match(f"{text}( alone)? since ", words.replace("note.length", "note"))
               for one, words in of_column.values()), found  # fmt: skip


def test_two_columns_that_are_swapped_are_named_together(profile: Profile) -> None:
    found = table(1200, 2)
    found["amount"], found["outside"] = found["outside"], found["amount"]
    names = watched(profile, found)
    assert {name: code for name, (code, _) in names.items()} == {"amount": "swapped", "outside": "swapped"}
    assert all(text.startswith("amount and outside look swapped since ") for _, text in names.values())


def test_all_that_may_be_said_has_one_of_the_codes() -> None:
    assert len(set(CODES)) == len(CODES) == 14


# --- silence


def test_nothing_is_said_of_rows_as_they_were(profile: Profile) -> None:
    for seed in range(2, 4):
        assert watched(profile, table(1200, seed)) == {}


def test_nothing_is_said_where_the_population_has_shifted(profile: Profile) -> None:
    random = np.random.default_rng(5)
    for name in ("amount", "age", "ratio", "outside"):
        found = table(3000, 6)
        ranks = np.argsort(np.argsort(found[name])) / 3000
        rows = random.choice(3000, 1200, p=(weights := np.exp(2 * ranks)) / weights.sum())
        assert watched(profile, {one: [column[row] for row in rows] for one, column in found.items()}) == {}


def test_nothing_is_said_where_two_explanations_fit_as_well(profile: Profile) -> None:
    random = np.random.default_rng(7)
    wider = watched(profile, changed(centred=lambda column: column * 2))
    noisier = watched(profile, changed(centred=lambda column: column + random.normal(0, 3**0.5, column.size)))
    assert wider == noisier == {}


def test_nobody_is_named_by_an_address_or_a_card(profile: Profile) -> None:
    addresses = watched(profile, changed(region=partly(0.5, "ann@example.org")))
    cards = watched(profile, changed(region=partly(0.5, "4111 1111 1111 1111")))
    assert "@" not in str(addresses)
    assert "4111" not in str(cards)


@pytest.mark.parametrize(("rows", "told"), [(9, False), (10, True)])
def test_a_number_that_fewer_than_ten_rows_have_is_not_told(profile: Profile, rows: int, told: bool) -> None:
    place = [column.name for column in profile.features].index("amount")
    values = np.array(table(100, 15)["amount"])
    values[:rows] = -999.0
    column = profile.features[place]
    counts = np.bincount(np.searchsorted(column.edges, values, side="right"), minlength=16)
    found = diagnose(profile.features, {place: Seen(counts, points(values), exact=True)})
    assert ("-999" in str(found)) is told


def test_a_name_cannot_break_a_sentence_or_turn_it_round(profile: Profile) -> None:
    found = str(watched(profile, changed(region=partly(0.5, "a\nb\u202e"))).values())
    assert "'a�b�'" in found


def test_a_column_that_is_to_be_ignored_is_not_diagnosed(profile: Profile) -> None:
    said = Said(Overrides({"amount": Override(ignore=True)}))
    assert watched(profile, changed(amount=lambda column: column * 100), said=said) == {}


# --- where


@pytest.mark.parametrize(
    ("by", "code", "words"),
    [
        ("region", "one_segment", "where region is far"),
        ({"name": "region", "header": "x-region"}, "one_client", "with region far"),
    ],
)
def test_what_befell_one_part_of_the_traffic_is_said_of_that(profile: Profile, by: Any, code: str, words: str) -> None:
    said = Said(segments=Segments(by=segmentations([by]), windows=(60.0, 600.0)))
    random = np.random.default_rng(8)
    found = table(3000, 9)
    found["region"] = random.choice(REGIONS, 3000).tolist()
    found["ratio"] = [0.9 + cell / 20 if region == "far" else cell
                      for cell, region in zip(found["ratio"], found["region"], strict=True)]  # fmt: skip
    monitor = Monitor(profile, WINDOWS, (), said)
    for region in REGIONS:  # a request has one header for all its rows
        rows = [row for row, one in enumerate(found["region"]) if one == region]
        sent(monitor, {name: [column[row] for row in rows] for name, column in found.items()},
             request_headers={"x-region": region})  # fmt: skip
    sent(monitor, {name: column[:100] for name, column in found.items()}, 1012.0, request_headers={"x-region": "north"})
    assert told(monitor, profile, 1013.0)["ratio"][0] == code
    assert words in told(monitor, profile, 1013.0)["ratio"][1]


# --- a closer look


def scope(profile: Profile) -> Any:
    features = Monitor(profile, WINDOWS, ())._sides.features
    assert features is not None
    return features.scope


def batches(profile: Profile, columns: Table, size: int) -> Iterator[Any]:
    block = Monitor(profile, WINDOWS, ())._sides.features
    assert block is not None
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    for start in range(0, len(rows), size):
        observed = Decoder().decode(exchange(rows[start : start + size], [0.5], 5.0)).features
        block.add(block.fit(observed), observed, 0, observed.rows)  # type: ignore[arg-type, union-attr]
        yield block.flush(5.0)


def test_what_was_seen_depends_neither_on_order_nor_on_batches(profile: Profile) -> None:
    columns = changed(rows=1000, region=partly(0.3, "new"), amount=partly(0.2, None))
    order = np.random.default_rng(10).permutation(1000)
    mixed = {name: [column[row] for row in order] for name, column in columns.items()}
    found: list[list[Seen]] = []
    for given, size in ((columns, 100), (columns, 7), (mixed, 333), (mixed, 1)):
        lens = Lens(scope(profile))
        lens.look_at(range(len(profile.features)))
        for batch in batches(profile, given, size):
            lens.add(batch)
        found.append([lens.looks[place].seen() for place in range(len(profile.features))])
    for other in found[1:]:
        for one, same in zip(found[0], other, strict=True):
            assert (one.counts == same.counts).all()
            assert one.names == same.names
            assert one.points is same.points is None or all(
                np.array_equal(a, b)
                for a, b in zip(one.points[:3], same.points[:3], strict=True)  # type: ignore[index]
            )


def test_a_look_ends_at_so_many_rows_and_columns(profile: Profile) -> None:
    lens = Lens(scope(profile))
    lens.look_at([0, 5])
    for batch in batches(profile, table(MOST_ROWS + 700, 1), 900):
        lens.add(batch)
    assert [look.rows for look in lens.looks.values()] == [MOST_ROWS] * 2
    assert lens.looks[0].seen().rows == MOST_ROWS
    lens.look_at(list(range(8)) * 100)
    assert len(lens.looks) <= MOST_COLUMNS
    assert not lens.looks[0].rows, "what is whole begins anew"


def test_no_row_is_kept_while_nothing_drifts(profile: Profile) -> None:
    monitor = Monitor(profile, WINDOWS, ())
    sent(monitor, table(1000, 2))
    assert all(not one._lens.looks for one in monitor._sides._diagnosing.values())
    sent(monitor, changed(amount=lambda column: column * 100), 2000.0)
    assert list(monitor._sides._diagnosing["features"]._lens.looks) == [0]


def test_values_of_all_sizes_make_no_diagnosis_fail(profile: Profile) -> None:
    random, found = np.random.default_rng(11), list[Diagnosis]()
    sizes = np.array([0.0, -0.0, 1e308, -1e308, 5e-324, 1e-300, 1.0, -1.0, 2.0**53, 1e15])
    with np.errstate(all="raise", under="ignore"):
        for _ in range(40):
            values = random.choice(random.choice(sizes, 4), 300)
            for place, column in enumerate(profile.features):
                if column.ordered:
                    counts = np.bincount(random.integers(0, 16, 300), minlength=16)
                    seen = Seen(counts, points(values), exact=True)
                else:
                    counts = np.bincount(random.integers(0, len(column.counts), 300), minlength=len(column.counts))
                    seen = Seen(counts, names={"": 30, "x": 30})
                found += diagnose(profile.features, {place: seen}).values()
    assert found
    assert np.isfinite([(one.size, one.unexplained) for one in found]).all()
    assert not [one.text for one in found if re.search(r"\b(nan|inf)\b", one.text)]


@pytest.mark.parametrize("rows", [50, 110, 240, 700, 2000])
def test_a_factor_that_people_use_is_told_as_that_or_not_at_all(profile: Profile, rows: int) -> None:
    """However the mean of so few rows of a skewed column happens to be off."""
    edges = profile.features[0].edges
    texts = []
    for seed in range(40):
        values = np.array(table(rows, 100 + seed)["amount"]) * 100
        counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=16)
        found: Mapping[int, Any] = diagnose(profile.features, {0: Seen(counts, points(values), exact=True)})
        texts += [one.text for one in found.values()]
    assert set(texts) == {"amount looks ×100"}
    assert len(texts) >= (20 if rows < 700 else 36)


def test_too_few_rows_say_nothing(profile: Profile) -> None:
    values = np.array(table(40, 14)["amount"])
    counts = np.zeros(16, np.int64)
    counts[13] = 40
    assert diagnose(profile.features, {0: Seen(counts, points(values * 100), exact=True)}) == {}


def test_one_segment_is_told_only_where_the_others_are_quiet(profile: Profile) -> None:
    values = np.array(table(1000, 15)["centred"]) * np.where(np.arange(1000) % 4, 1, 9) + 1
    place = [column.name for column in profile.features].index("centred")
    counts = np.asarray(np.bincount(np.searchsorted(profile.features[place].edges, values, side="right"), minlength=16))

    def codes(scores: Sequence[float]) -> list[str]:
        parts = tuple(Part("region", name, is_client=False, samples=500, score=score, critical=0.1)
                      for name, score in zip("abc", scores, strict=True))  # fmt: skip
        found: Mapping[int, Any] = diagnose(profile.features, {place: Seen(counts, parts=parts)})
        return [one.code for one in found.values()]

    assert codes((0.5, 0.05, 0.08)) == ["one_segment"]
    assert codes((0.5, 0.4, 0.08)) == []
    assert codes((0.05, 0.05, 0.08)) == []


def test_a_profile_without_any_spread_is_no_trouble(tmp_path: Path) -> None:
    made, _ = profile_of(tmp_path / "t.csv", {"same": [7.25] * 500, "few": [0.0, 1.0] * 250})
    random = np.random.default_rng(16)

    def texts(values: Numbers) -> list[str]:
        found = []
        for place, column in enumerate(made.features):
            inside = np.searchsorted(column.edges, values, side="right")
            counts = np.bincount(np.where(inside == len(column.edges), 13, inside), minlength=16)
            said = diagnose(made.features, {place: Seen(counts, points(values), exact=True)})
            found += [one.text for one in said.values()]
        return found

    assert texts(np.full(300, 7.25)) == ["few is always 7.25"]
    assert texts(random.normal(size=300)) == []
    assert texts(random.choice([0.0, 1.0], 300)) == []
    assert texts(np.zeros(300)) == ["few is always 0"]
