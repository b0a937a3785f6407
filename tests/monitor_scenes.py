"""A table of training data with every kind of column, the traffic that follows it, and scores done by hand."""

import csv
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.spatial.distance
import scipy.stats
from numpy.typing import NDArray

from exporter.decode import Decoder
from exporter.monitor import Monitor
from exporter.profile import document
from exporter.profile.build import Plan, build
from exporter.records import Body, Capture, Exchange
from exporter.reference import Column, Profile
from exporter.sections import Windows

FEATURES = ("amount", "age", "city", "member", "note", "constant", "code")
OUTPUT = "score"
DECODER = Decoder()
CITIES = ("Berlin", "Paris", "Zürich", "東京")


def training_rows(count: int = 3000, seed: int = 1) -> dict[str, list[Any]]:
    """Rows by column name; None is missing."""
    random = np.random.default_rng(seed)
    columns = {
        "amount": random.lognormal(3, 1.5, count).tolist(),
        "age": random.integers(18, 90, count).tolist(),
        "city": random.choice([*CITIES, *(f"village {n}" for n in range(40))], count).tolist(),
        "member": random.choice(["true", "false"], count).tolist(),
        "note": [f"{n} " + "x" * int(random.integers(0, 60)) for n in range(count)],
        "constant": [7.25] * count,
        "code": random.choice([100, 200, 300], count).tolist(),
        "score": random.beta(2, 5, count).tolist(),
    }
    for name in ("amount", "city", "member", "note"):
        for place in random.choice(count, count // 20, replace=False):
            columns[name][place] = None
    return columns


def write_csv(path: Path, columns: Any) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow("" if cell is None else repr(cell) if isinstance(cell, float) else cell for cell in row)
    return str(path)


def as_before(profile: Profile) -> Profile:
    """As a document of version 1 has it: a text is known by its length, under its own name."""
    features = tuple(
        replace(column, name=column.field, origin="", scalar="")
        for column in profile.features if column.scalar in {"", "length"}
    )  # fmt: skip
    return replace(profile, features=features, fields=())


def make_profile(directory: Path, columns: Any = None) -> Profile:
    source = write_csv(directory / "train.csv", columns or training_rows())
    profile, _ = build(Plan(source, [OUTPUT], kinds={"code": "categorical"}))
    return document.save(as_before(profile), str(directory / "profile.json"))


def live_rows(count: int, seed: int) -> list[dict[str, Any]]:
    """Rows as objects, drifted, with every way of a value to be wrong."""
    random = np.random.default_rng(seed)
    odd = [None, float("nan"), float("inf"), -1e308, 1e308, "12", [[1]], True, 10**30, -5]
    rows = []
    for _ in range(count):
        row = {
            "amount": float(random.lognormal(3.4, 1.5)),
            "age": int(random.integers(10, 95)),
            "city": str(random.choice([*CITIES, "village 3", "Atlantis"])),
            "member": random.choice([True, False, None, 1, 0, "True", "maybe"]),
            "note": random.choice(["short", "", None, 3, "y" * 200]),
            "constant": float(random.choice([7.25, 7.25, 7.5])),
            "code": random.choice([100, 200.0, "300", 400, None]),
        }
        row = {name: cell.item() if isinstance(cell, np.generic) else cell for name, cell in row.items()}
        if random.random() < 0.3:
            row[str(random.choice(FEATURES))] = odd[int(random.integers(len(odd)))]
        if random.random() < 0.1:
            row.pop(str(random.choice(FEATURES)))
        rows.append(row)
    return rows


def answers(rows: Any, seed: int) -> list[float]:
    return np.random.default_rng(seed).beta(3, 5, len(rows)).tolist()


def exchange(rows: Any, predictions: Any, at: float, **changes: Any) -> Exchange:
    """A request of rows and its answer, ended at `at` seconds."""
    request = rows if isinstance(rows, bytes) else json.dumps({"instances": rows}).encode()
    response = predictions if isinstance(predictions, bytes) else json.dumps({"predictions": predictions}).encode()
    standard = Exchange(
        ended_ns=round(at * 1e9), wall_ns=round(at * 1e9), duration_ns=10**6, status=200, method="POST",
        path="/v1/models/m:predict", request_headers={}, response_headers={},
        request=Body(len(request), Capture.WHOLE, request), response=Body(len(response), Capture.WHOLE, response),
    )  # fmt: skip
    return standard._replace(**changes)


def watch(profile: Profile, exchanges: Any, windows: Any = None, flush_every: int = 1) -> Monitor:
    """A monitor that has seen the exchanges."""
    monitor = Monitor(profile, windows or Windows(), ("/health",))
    for number, one in enumerate(exchanges, 1):
        monitor.observe(one, DECODER.decode(one))
        if number % flush_every == 0:
            monitor.flush()
    monitor.flush()
    return monitor


def undecoded(monitor: Monitor, at: float = 1.0) -> dict[tuple[str, str], int]:
    """Payloads that were not decoded, by side and reason."""
    found: dict[tuple[str, str], int] = {}
    for (side, reason, _), count in monitor.snapshot(at).decoding.undecoded.items():
        if count:
            found[side, reason] = found.get((side, reason), 0) + count
    return found


# --- by hand


def bin_of(column: Column, cell: Any) -> int:
    """The bin of one live cell, by the words of the documentation."""
    if column.kind in {"numeric", "text"}:
        return _ordered_bin(column, cell)
    names = [*column.categories]
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return len(names) + 2
    name = _name(cell)
    if column.kind == "boolean":
        name = {"1": "true", "0": "false", "True": "true", "False": "false"}.get(name, name)
    if name in names:
        return names.index(name)
    return len(names) if name in column.others else len(names) + 1


def _name(cell: Any) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15 else str(cell)


def number_of(column: Column, cell: Any) -> float:
    """The number that an ordered column sees in a cell; infinite where the type is wrong."""
    if column.kind == "text":
        return float(len(cell)) if isinstance(cell, str) else math.inf
    return float(cell) if isinstance(cell, bool | int | float) else math.inf


def _ordered_bin(column: Column, cell: Any) -> int:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):  # NaN is a gap
        return 14
    number = number_of(column, cell)
    if not math.isfinite(number):
        return 15
    inside = sum(edge <= number for edge in column.edges)
    return 13 if inside == len(column.edges) else inside


def by_hand(column: Column, training: Any, cells: Any) -> tuple[NDArray[np.int64], dict[str, float]]:
    """Every score of a column for the live cells, from nothing but the bins of the profile and scipy."""
    width = len(column.counts)
    live = np.bincount([bin_of(column, cell) for cell in cells], minlength=width)
    reference = np.array(column.counts)
    n, m = live.sum(), reference.sum()
    used = (live + reference) > 0
    p, r = (live[used] + 0.5) / (n + used.sum() / 2), (reference[used] + 0.5) / (m + used.sum() / 2)
    scores = {
        "psi": float(((p - r) * np.log(p / r)).sum()),
        "psi_critical": float(scipy.stats.chi2.ppf(0.999, used.sum() - 1) * (1 / n + 1 / m)),
        "total_variation": float(np.abs(live / n - reference / m).sum() / 2),
        "js_distance": float(scipy.spatial.distance.jensenshannon(live, reference, base=2)),
        "ks": math.nan, "wasserstein_ratio": math.nan, "mean_shift_zscore": math.nan,
    }  # fmt: skip
    if column.ordered:
        shares = [side[:14].cumsum() / side[:14].sum() for side in (live, reference)]
        scores["ks"] = float(np.abs(shares[0] - shares[1]).max())
        scores["mean_shift_zscore"] = _z(column, training, cells)
    if column.ordered and column.sd:
        places, centres = zip(*column.centres(), strict=True)
        sides = [side[list(places)] for side in (live, reference)]
        scores["wasserstein_ratio"] = scipy.stats.wasserstein_distance(centres, centres, *sides) / column.sd
    return live, scores


def _z(column: Column, training: Any, cells: Any) -> float:
    if not column.sd:
        return math.nan
    numbers = np.array([number_of(column, cell) for cell in cells if cell is not None])
    numbers = numbers[np.isfinite(numbers)]
    known = np.array([number_of(column, cell) for cell in training if cell is not None])
    error = math.sqrt(1 / numbers.size + 1 / known.size)
    # One wild value counts at most as one twice as far out as the reference goes.
    reach = max(8.0, 2 * np.abs((known - known.mean()) / column.sd).max())
    deviations = np.clip((numbers - known.mean()) / column.sd, -reach, reach)
    return float(deviations.mean() / error)
