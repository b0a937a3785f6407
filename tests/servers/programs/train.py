"""Run in a server's environment: trains a small classifier of 30 features and writes what a test needs.

DIRECTORY/model.joblib (DIRECTORY/mlflow, where mlflow is installed), train.csv with the model's own predictions, and
live.json: rows that are near those of the training.
"""

import csv
import importlib.util
import json
import sys
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main() -> None:
    directory = Path(sys.argv[1])
    data = load_breast_cancer(as_frame=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(data.data, data.target)
    joblib.dump(model, directory / "model.joblib")
    predictions = model.predict(data.data)
    with (directory / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*data.data.columns, "predict"])
        for row, prediction in zip(data.data.to_numpy().tolist(), predictions.tolist(), strict=True):
            writer.writerow([*map(repr, row), prediction])
    chance = np.random.default_rng(4)
    rows = data.data.sample(60, random_state=4).to_numpy()
    rows = np.round(rows * chance.lognormal(0, 0.05, rows.shape) * 1.03, 6)
    (directory / "live.json").write_text(json.dumps({"names": list(data.data.columns), "rows": rows.tolist()}))
    if importlib.util.find_spec("mlflow"):
        save_with_mlflow(directory, model, data.data, predictions)


def save_with_mlflow(directory: Path, model: object, features: object, predictions: object) -> None:
    import mlflow  # noqa: PLC0415
    from mlflow.models import infer_signature  # noqa: PLC0415

    trusted = ["numpy.dtype", "sklearn.linear_model._logistic.LogisticRegression"]
    signature = infer_signature(features, predictions)
    mlflow.sklearn.save_model(model, directory / "mlflow", signature=signature, skops_trusted_types=trusted)


if __name__ == "__main__":
    main()
