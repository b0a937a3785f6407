"""Register a version of the model `churn`, its profile where people put it: registry.py run|model FILE [ALIAS].

Prints the run's id.
"""

import sys
import tempfile
from pathlib import Path

import mlflow


class Sum(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):  # noqa: ARG002
        return model_input.sum(axis=1)


def main() -> None:
    where, file, *alias = sys.argv[1:]
    mlflow.set_experiment("churn")
    client = mlflow.MlflowClient()
    with mlflow.start_run() as run:
        if where == "run":
            mlflow.log_artifact(file)
            mlflow.pyfunc.log_model(name="churn", python_model=Sum(), registered_model_name="churn")
        else:
            with tempfile.TemporaryDirectory() as directory:
                path = Path(directory, "model")
                mlflow.pyfunc.save_model(str(path), python_model=Sum())
                (path / "profile.json").write_bytes(Path(file).read_bytes())
                mlflow.log_artifacts(str(path), "model")
            client.create_model_version("churn", f"runs:/{run.info.run_id}/model", run.info.run_id)
    newest = max(int(one.version) for one in client.search_model_versions("name='churn'"))
    for name in alias:
        client.set_registered_model_alias("churn", name, str(newest))
    print(run.info.run_id)


main()
