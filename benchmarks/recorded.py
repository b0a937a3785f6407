"""A profile, and rows that were recorded: at which row the evidence pages, through the monitor as live."""

import csv
import gzip
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from exporter.decode import Decoder
from exporter.guarantees import Evidence
from exporter.monitor import Monitor
from exporter.monitor.gathering import Watching
from exporter.monitor.said import Said
from exporter.override import Overrides
from exporter.profile.build import Plan, build
from exporter.records import Body, Capture, Exchange
from exporter.reference import Profile
from exporter.sections import Windows

START_S = 1_790_553_600.0


class Found(NamedTuple):
    """A page."""

    row: int
    feature: str
    nats: float


def cell(text: str) -> str | float | bool | None:
    """As a client would send it."""
    if text in {"True", "False"}:
        return text == "True"
    try:
        return float(text) if text else None
    except ValueError:
        return text


def rows_of(path: Path, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield {name: cell(row[name]) for name in names}


def pages(profile: Profile, rows: Iterator[dict[str, Any]], output: str, a_pane: int = 25) -> list[Found]:
    """Panes of so many rows, a minute each."""
    monitor = Monitor(profile, Windows(), (), Said(Overrides()), Watching(Evidence()))
    decoder, found, armed, at, pane = Decoder(), [], True, 0, 0
    while taken := list(islice(rows, a_pane)):
        said = _exchange(taken, output, START_S + 60 * pane + 1)
        monitor.observe(said, decoder.decode(said))
        pane, at = pane + 1, at + len(taken)
        monitor.flush()
        told = monitor.snapshot(START_S + 60 * pane).evidence
        if told is None:
            continue
        if armed and told.nats >= told.threshold:
            names = [one.name for one in (*profile.features, *profile.outputs)]
            found.append(Found(at, names[int(told.streams.argmax())], told.nats))
        armed = told.nats < (told.threshold if armed else told.threshold - 3)
    return found


def _exchange(rows: list[dict[str, Any]], output: str, at_s: float) -> Exchange:
    features = [{name: cell for name, cell in row.items() if name != output} for row in rows]
    request = json.dumps({"instances": features}).encode()
    response = json.dumps({"predictions": [row[output] for row in rows]}).encode()
    at = round(at_s * 1e9)
    bodies = [Body(len(one), Capture.WHOLE, one) for one in (request, response)]
    return Exchange(at, at, 10**6, 200, "POST", "/v1/models/m:predict", {}, {}, *bodies)


class Planted(NamedTuple):
    """A set of rows in which one column changes."""

    name: str
    path: str
    column: str
    times: float
    plus: float = 0.0
    output: str = ""
    ignored: tuple[str, ...] = ()
    training: int = 0
    """Rows; as many as there are live ones where it is 0."""


SETS: Final = (
    Planted(
        "California housing",
        "nannyml/datasets/data/california_housing_*.csv",
        "MedInc",
        1.5,
        0.0,
        "y_pred_proba",
        ("id", "timestamp", "clf_target", "y_pred"),
    ),
    Planted(
        "used cars",
        "nannyml/datasets/data/regression_synthetic_*.csv",
        "km_driven",
        1.5,
        0.0,
        "y_pred",
        ("id", "timestamp", "y_true"),
        2000,
    ),
    Planted(
        "credit cards",
        "nannyml/datasets/data/mc_*.csv",
        "stated_income",
        1.25,
        0.0,
        "y_pred_proba_prepaid_card",
        ("id", "timestamp", "y_pred", "y_true", "y_pred_proba_highstreet_card", "y_pred_proba_upmarket_card"),
    ),
    Planted("shuttle", "river/datasets/shuttle.csv.gz", "f1", 1.0, 6.0, "", ()),
    Planted("phishing", "river/datasets/phishing.csv.gz", "is_popular", 0.0, 0.0, "", ()),
)
LIVE: Final = 8000


def table(packages: Path, planted: Planted) -> list[dict[str, str]]:
    """All rows, in an order in which nothing drifts."""
    rows: list[dict[str, str]] = []
    for path in sorted(packages.glob(planted.path)):
        if "gt" in path.name or "target" in path.name:
            continue
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(newline="", encoding="utf-8") as file:
            rows += csv.DictReader(file)
    random.Random(1).shuffle(rows)
    return rows


def planted_pages(packages: Path, planted: Planted, directory: Path) -> str:
    """What is found of it."""
    rows = table(packages, planted)
    live = min(LIVE, len(rows) // 2)
    training = planted.training or min(len(rows) - live, 50_000)
    names = [name for name in rows[0] if name not in planted.ignored]
    output = planted.output or names[-1]
    with (directory / "train.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows[live : live + training])
    profile, _ = build(Plan(str(directory / "train.csv"), [output]))
    sent = [{name: cell(row[name]) for name in names} for row in rows[:live]]
    for row in sent[live // 2 :]:
        if row[planted.column] is not None:
            row[planted.column] = row[planted.column] * planted.times + planted.plus
    found = pages(profile, iter(sent), output)
    early = [one for one in found if one.row <= live // 2]
    late = [one for one in found if one.row > live // 2]
    after = f"{late[0].row - live // 2} rows, {late[0].feature}" if late else "not found"
    return f"{planted.name:20} training {training:6} live {live:5}: {len(early)} before, after it {after}"


def loan(packages: Path, timed: bool) -> str:
    """NannyML's car loans: everything changes at row 25,000 of those to be analysed."""
    where = packages / "nannyml/datasets/data"
    ignored = ["id", "y_pred", *([] if timed else ["timestamp"])]
    plan = Plan(
        str(where / "synthetic_car_loan_reference.csv"), ["y_pred_proba"], target="repaid", ignored=ignored,
        time="timestamp" if timed else None,
    )  # fmt: skip
    profile, _ = build(plan)
    live = where / "synthetic_car_loan_analysis.csv"
    with live.open(newline="", encoding="utf-8") as file:
        names = [name for name in next(csv.reader(file)) if name not in {"id", "timestamp", "y_pred"}]
    found = pages(profile, islice(rows_of(live, names), 27_000), "y_pred_proba")
    return f"car loans, {'with' if timed else 'without'} time: {[(one.row, one.feature) for one in found]}"


def main() -> None:
    packages = Path(sys.argv[1])
    for timed in (False, True):
        print(loan(packages, timed), flush=True)
    for planted in SETS:
        with tempfile.TemporaryDirectory() as directory:
            print(planted_pages(packages, planted, Path(directory)), flush=True)


if __name__ == "__main__":
    main()
