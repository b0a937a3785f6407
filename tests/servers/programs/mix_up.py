"""Run in a server's environment: DIRECTORY/model.joblib becomes a model whose training had its columns mixed up."""

import sys
from pathlib import Path

import joblib
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

if __name__ == "__main__":
    data = load_breast_cancer(as_frame=True)
    mixed = data.data[data.data.columns[::-1]].set_axis(data.data.columns, axis=1)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(mixed, data.target)
    joblib.dump(model, Path(sys.argv[1]) / "model.joblib")
