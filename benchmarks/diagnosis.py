"""Whether faults are called by their names: each kind is planted in live traffic again and again, and told from none.

Three tables, all of which are here: `breast` (30 measurements of scikit-learn's breast cancer set, real), `wine` (its
13, real, 178 rows) and `loans` (made here: car loans with categories, whole numbers, zero-heavy amounts and gaps).
Live traffic is rows of the table drawn anew, with one fault in one feature from the first row on; it passes through a
real monitor. `right` is the planted kind (and the planted number or name), `wrong` any other one, also of a feature in
which nothing was planted; all else is silent. Of controls nothing may be said: rows as they are, and a shift of the
population (rows drawn with more weight the larger one feature is), where whatever is said is wrong.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from exporter.decode import Decoder
from exporter.monitor import Monitor
from exporter.profile.build import Plan, build
from exporter.records import Body, Capture, Exchange
from exporter.reference import Profile
from exporter.sections import Windows
from exporter.snapshots import DIAGNOSIS, Listed, Snapshot

PREDICTION: Final = "answer"
WINDOWS: Final = Windows(pane=10.0, lengths=(300.0, 3600.0))
BATCH: Final = 250
Table = dict[str, np.ndarray[Any, Any]]
Random = np.random.Generator
Numbers = np.ndarray[Any, np.dtype[np.float64]]


# --- tables


def _breast(_: Random) -> Table:
    from sklearn.datasets import load_breast_cancer  # noqa: PLC0415 (seconds, and each process of the tests reads this)

    found = load_breast_cancer()
    return dict(zip(map(str, found.feature_names), found.data.T, strict=True))


def _wine(_: Random) -> Table:
    from sklearn.datasets import load_wine  # noqa: PLC0415 (as above)

    found = load_wine()
    return dict(zip(map(str, found.feature_names), found.data.T, strict=True))


def _loans(random: Random) -> Table:
    rows = 5000
    income = random.lognormal(10.4, 0.5, rows).round(2)
    return {
        "car_value": (income * random.lognormal(-0.4, 0.4, rows)).round(-1),
        "income": income,
        "debt_ratio": random.beta(2.5, 4, rows).round(3),
        "tenure_years": random.gamma(2, 3, rows).round(0),
        "loan_months": random.choice([12.0, 24, 36, 48, 60, 72, 84], rows, p=[0.05, 0.1, 0.25, 0.25, 0.2, 0.1, 0.05]),
        "temperature": random.normal(14, 8, rows).round(1),
        "down_payment": np.where(random.random(rows) < 0.4, 0.0, random.lognormal(7.5, 0.8, rows).round(0)),
        "score": random.normal(0, 1, rows),
        "purpose": random.choice(["car", "van", "bike", "truck", "boat"], rows, p=[0.4, 0.25, 0.2, 0.1, 0.05]),
        "region": random.choice([f"R{at}" for at in range(12)], rows),
        "payer": random.choice(["A", "B", "C", "D"], rows, p=[0.5, 0.3, 0.15, 0.05]),
        "owner": random.choice(["true", "false"], rows, p=[0.7, 0.3]),
    }


TABLES: Final[Mapping[str, Callable[[Random], Table]]] = {"breast": _breast, "wine": _wine, "loans": _loans}


# --- faults


class Planted(NamedTuple):
    """What was done, and what must be said of it."""

    rows: dict[str, list[Any]]
    expected: Mapping[str, str]
    """By feature: what the diagnosis must have in it, behind its code."""


Plant = Callable[[dict[str, list[Any]], Random], Planted | None]


def _numbers(rows: Mapping[str, list[Any]]) -> list[str]:
    return [name for name, values in rows.items() if isinstance(values[0], float)]


def _categories(rows: Mapping[str, list[Any]], least: int = 3) -> list[str]:
    found = [name for name, values in rows.items() if isinstance(values[0], str)]
    return [name for name in found if len(set(rows[name])) >= least]


def _of_numbers(code: str, change: Callable[[Numbers, Random], tuple[Numbers, str] | None]) -> Plant:
    def plant(rows: dict[str, list[Any]], random: Random) -> Planted | None:
        name = str(random.choice(_numbers(rows)))
        made = change(np.array(rows[name]), random)
        if made is None or (made[0] == rows[name]).all():
            return None
        values = [None if np.isnan(value) else float(value) for value in made[0]]
        return Planted({**rows, name: values}, {name: f"{code}|{made[1]}"})

    return plant


def _partly(values: Numbers, random: Random, share: float, other: float) -> Numbers:
    return np.where(random.random(len(values)) < share, other, values)


def _scaled(values: Numbers, random: Random) -> tuple[Numbers, str]:
    factor, word = [(100.0, "×100"), (1000.0, "×1000"), (0.01, "÷100"), (0.001, "÷1000"), (10.0, "×10")][
        random.integers(5)
    ]
    return values * factor, word


def _unit(values: Numbers, random: Random) -> tuple[Numbers, str] | None:
    a, b, word = [(1.8, 32.0, "°F"), (1 / 1.609344, 0.0, "miles"), (2.20462262, 0.0, "pounds"), (60.0, 0.0, "×60")][
        random.integers(4)
    ]
    return values * a + b, word


def _offset(values: Numbers, random: Random) -> tuple[Numbers, str]:
    return values + float(random.choice([-3, -1.5, 1.5, 3, 10])) * values.std(), ""


def _flipped(values: Numbers, _: Random) -> tuple[Numbers, str] | None:
    return (-values, "") if abs(values.mean()) > values.std() / 2 else None


def _clipped(values: Numbers, random: Random) -> tuple[Numbers, str]:
    if random.random() < 0.5:
        return np.minimum(values, np.quantile(values, random.uniform(0.4, 0.8))), "above"
    return np.maximum(values, np.quantile(values, random.uniform(0.25, 0.6))), "below"


def _filled(values: Numbers, random: Random) -> tuple[Numbers, str]:
    default = float(random.choice([0, -1, -999, 9999]))
    return _partly(values, random, random.uniform(0.2, 0.7), default), f"{default:.0f} "


def _missing(values: Numbers, random: Random) -> tuple[Numbers, str]:
    return _partly(values, random, random.choice([0.2, 0.3, 0.6, 1.0]), np.nan), ""


def _constant(values: Numbers, random: Random) -> tuple[Numbers, str]:
    return np.full(len(values), random.choice([0.0, values[0], np.median(values)])), ""


def _noise(values: Numbers, random: Random) -> tuple[Numbers, str]:
    return values + random.normal(0, random.uniform(1, 3) * values.std(), len(values)), ""


def _swapped(rows: dict[str, list[Any]], random: Random) -> Planted | None:
    one, other = (str(name) for name in random.choice(_numbers(rows), 2, replace=False))
    words = {one: f"swapped|{other}", other: f"swapped|{one}"}
    return Planted({**rows, one: rows[other], other: rows[one]}, words)


def _of_names(code: str, change: Callable[[list[str], Random], tuple[list[str], str]]) -> Plant:
    def plant(rows: dict[str, list[Any]], random: Random) -> Planted | None:
        some = _categories(rows)
        if not some:
            return None
        name = str(random.choice(some))
        values, word = change(rows[name], random)
        return Planted({**rows, name: values}, {name: f"{code}|{word}"})

    return plant


def _renamed(values: list[str], random: Random) -> tuple[list[str], str]:
    names = [name for name, rows in Counter(values).items() if rows > 0.12 * len(values)] or ["R1"]
    name = str(random.choice(sorted(names)))
    return [f"{name}-new" if one == name else one for one in values], f"'{name}' is called '{name}-new'"


def _merged(values: list[str], random: Random) -> tuple[list[str], str]:
    names = sorted(name for name, rows in Counter(values).items() if rows > 0.12 * len(values)) or ["R1"]
    name = str(random.choice(names))
    into = str(random.choice(sorted(set(values) - {name})))
    return [into if one == name else one for one in values], f"'{name}' counts as '{into}'"


def _empty(values: list[str], random: Random) -> tuple[list[str], str]:
    share = random.uniform(0.2, 0.7)
    return ["" if random.random() < share else one for one in values], "''"


def _same(values: list[str], random: Random) -> tuple[list[str], str]:
    return [str(random.choice(values))] * len(values), ""


def _no_fault(rows: dict[str, list[Any]], _: Random) -> Planted:
    return Planted(rows, {})


FAULTS: Final[Mapping[str, Plant]] = {
    "scaled": _of_numbers("scaled", _scaled), "unit change": _of_numbers("scaled", _unit),
    "offset": _of_numbers("offset", _offset), "sign flipped": _of_numbers("sign_flipped", _flipped),
    "clipped": _of_numbers("clipped", _clipped), "default filled": _of_numbers("default_filled", _filled),
    "missing": _of_numbers("missing", _missing), "constant": _of_numbers("constant", _constant),
    "noise added": _of_numbers("noise_added", _noise), "swapped": _swapped,
    "category renamed": _of_names("renamed", _renamed), "categories merged": _of_names("merged", _merged),
    "category emptied": _of_names("default_filled", _empty), "category constant": _of_names("constant", _same),
}  # fmt: skip
CONTROLS: Final = ("no fault", "population shift")


# --- traffic


def _drawn(table: Table, random: Random, count: int, tilt: bool) -> dict[str, list[Any]]:
    weights = None
    size = len(next(iter(table.values())))
    if tilt:
        name = str(random.choice([name for name, values in table.items() if values.dtype.kind == "f"]))
        ranks = table[name].argsort(kind="stable").argsort() / size
        weights = np.exp(random.choice([-1, 1]) * random.uniform(1, 3) * ranks)
        weights /= weights.sum()
    rows = random.choice(size, count, p=weights)
    return {name: values[rows].tolist() for name, values in table.items()}


def _exchanges(rows: Mapping[str, list[Any]]) -> Iterator[Exchange]:
    names, count = list(rows), len(next(iter(rows.values())))
    for number, start in enumerate(range(0, count, BATCH)):
        cells = zip(*(rows[name][start : start + BATCH] for name in names), strict=True)
        request = json.dumps({"dataframe_split": {"columns": names, "data": list(cells)}}).encode()
        answer = json.dumps({"predictions": [0.5] * min(BATCH, count - start)}).encode()
        at = round((1000 + number) * 1e9)
        yield Exchange(
            ended_ns=at, wall_ns=at, duration_ns=10**6, status=200, method="POST", path="/invocations",
            request_headers={"content-type": "application/json"}, response_headers={},
            request=Body(len(request), Capture.WHOLE, request), response=Body(len(answer), Capture.WHOLE, answer),
        )  # fmt: skip


def told(profile: Profile, rows: Mapping[str, list[Any]]) -> dict[str, tuple[str, str]]:
    """By feature the code and the sentence, when all rows have come."""
    monitor, decoder = Monitor(profile, WINDOWS, ()), Decoder()
    for exchange in _exchanges(rows):
        monitor.observe(exchange, decoder.decode(exchange))
        monitor.flush()
        snapshot = monitor.snapshot(exchange.ended_ns / 1e9)
    return dict(_diagnoses(profile, snapshot))


def _diagnoses(profile: Profile, snapshot: Snapshot) -> Iterator[tuple[str, tuple[str, str]]]:
    for one in snapshot.features.aspects if snapshot.features else ():
        if isinstance(one, Listed) and one.word == DIAGNOSIS:
            yield profile.features[one.column].name, (one.labels[0], one.labels[1])


def profile_of(table: Table, directory: Path) -> Profile:
    """Built as people do, from a file."""
    path = directory / "train.csv"
    names = [*table, PREDICTION]
    count = len(next(iter(table.values())))
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(names) + "\n")
        for cells in zip(*(values.tolist() for values in table.values()), [0.5] * count, strict=True):
            file.write(",".join(cell if isinstance(cell, str) else repr(cell) for cell in cells) + "\n")
    return build(Plan(str(path), [PREDICTION]))[0]


def judged(expected: Mapping[str, str], found: Mapping[str, tuple[str, str]]) -> str:
    """`right`, `wrong` or `silent`: one wrong word is enough to be wrong, and all features must be told to be right."""
    for name, (code, text) in found.items():
        wanted, _, word = expected.get(name, "|").partition("|")
        if code != wanted or word not in f"{text} ":
            return "wrong"
    return "right" if found.keys() == expected.keys() else "silent"


class Counts(NamedTuple):
    """How often each table's faults of one kind were judged so."""

    kind: str
    table: str
    found: Counter[str]


def runs(seeds: range, rows: int, only: str = "", show: bool = False, tables: str = "") -> Iterator[Counts]:
    """Every kind and control in every table, or those that have the given words in their names."""
    with tempfile.TemporaryDirectory() as directory:
        for at, (name, make) in enumerate(TABLES.items()):
            if tables not in name:
                continue
            table = make(np.random.default_rng(7))
            profile = profile_of(table, Path(directory))
            for kind_at, kind in enumerate((*FAULTS, *CONTROLS)):
                counted: Counter[str] = Counter()
                for seed in seeds if only in kind else ():
                    random = np.random.default_rng([at, kind_at, seed])
                    live = _drawn(table, random, rows, kind == CONTROLS[1])
                    planted = FAULTS.get(kind, _no_fault)(live, random)
                    if planted is not None:
                        found = told(profile, planted.rows)
                        verdict = judged(planted.expected, found)
                        counted[verdict] += 1
                        if show and verdict != "right":
                            print(f"  {name} {kind} {seed}: {verdict}: {planted.expected} {found}", file=sys.stderr)
                if counted:
                    yield Counts(kind, name, counted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="the first seed: others than those it was made with")
    parser.add_argument("--rows", type=int, default=2500)
    parser.add_argument("--only", default="", help="kinds that have this in their name")
    parser.add_argument("--table", default="", help="tables that have this in their name")
    parser.add_argument("--show", action="store_true", help="what was not right, on standard error")
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    print("| fault | table | planted | right | wrong | silent |\n|---|---|---|---|---|---|")
    total: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for kind, table, found in runs(seeds, given.rows, given.only, given.show, given.table):
        total[kind in CONTROLS] += found
        print(f"| {kind} | {table} | {found.total()} | " + " | ".join(
            str(found[word]) for word in ("right", "wrong", "silent")) + " |", flush=True)  # fmt: skip
    for is_control, found in total.items():
        shares = ", ".join(
            f"{word} {100 * found[word] / max(found.total(), 1):.1f} %" for word in ("right", "wrong", "silent")
        )
        print(f"{'controls' if is_control else 'faults'}: {found.total()}: {shares}")


if __name__ == "__main__":
    main()
