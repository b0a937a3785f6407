"""A real model on a real data set: disease progression of 442 diabetes patients (Efron et al. 2004).

scikit-learn ships the data, in the units in which they were measured.
"""

import csv
import pickle
from pathlib import Path
from typing import Any, Final, NamedTuple

from exporter.errors import ConfigError

NAME: Final = "diabetes"
PREDICTION: Final = "progression"
TARGET: Final = "measured_progression"
_TABLE: Final = "train.csv"


class Trained(NamedTuple):
    """What training left behind."""

    rows: list[dict[str, float]]
    """The training data: healthy traffic is drawn from it."""
    table: Path
    model: Path


def train(directory: Path) -> Trained:
    """Train, and write the model and its training data with its own predictions."""
    try:
        from sklearn.datasets import load_diabetes  # noqa: PLC0415 (an extra)
        from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415
    except ImportError:
        raise ConfigError("the demo needs the extra: pip install 'inference-exporter[demo]'") from None
    data: Any = load_diabetes(scaled=False)
    features = list(data.feature_names)
    # Of the gradient-boosting models this is the one that answers where a value is missing, and says nothing of it.
    model = HistGradientBoostingRegressor(max_iter=60, random_state=0).fit(data.data, data.target)
    rows = [dict(zip(features, map(float, row), strict=True)) for row in data.data]
    table = directory / _TABLE
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*features, TARGET, PREDICTION])
        for row, target, prediction in zip(data.data, data.target, model.predict(data.data), strict=True):
            writer.writerow([*row, target, prediction])
    path = directory / "model.pickle"
    path.write_bytes(pickle.dumps((model, features)))
    return Trained(rows, table, path)


def rows_of(directory: Path) -> list[dict[str, float]]:
    """The training data that `train` has written there."""
    try:
        with (directory / _TABLE).open(newline="", encoding="utf-8") as file:
            return [
                {name: float(value) for name, value in row.items() if name not in {TARGET, PREDICTION}}
                for row in csv.DictReader(file)
            ]
    except OSError as error:
        raise ConfigError(f"{directory}: {error}") from None
