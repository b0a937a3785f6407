"""MLflow: artifacts of runs, and the profile of a registered model's version.

That of a version is `profile.json` in the model's own directory, or else among the artifacts of the run that made it,
where `mlflow.log_artifact("profile.json")` puts it. Server and credentials are those of MLflow's environment.
"""

import importlib
import os
import posixpath
import tempfile
from pathlib import Path
from typing import Any, Final

from exporter.locations import Location
from exporter.places.content import Absent, Content, Refused, missing
from exporter.profile import whole_file

_NAME: Final = "profile.json"
_ABSENT: Final = frozenset(("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND", "INVALID_PARAMETER_VALUE"))
_DENIED: Final = frozenset(("PERMISSION_DENIED", "UNAUTHENTICATED"))
_BRIEFLY: Final = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
"""It would try for minutes; there is a next look."""


def fetch(location: Location, _: str) -> Content:
    """The artifact's bytes."""
    for word, value in _BRIEFLY.items():
        os.environ.setdefault(word, value)
    try:
        mlflow, exceptions = map(importlib.import_module, ("mlflow", "mlflow.exceptions"))
        importlib.import_module("mlflow.artifacts")
    except ImportError as error:
        raise missing("mlflow", error) from None
    try:
        return Content(_first(mlflow, _addresses(mlflow, location.text)))
    except exceptions.MlflowException as error:
        code = str(getattr(error, "error_code", ""))
        if code in _ABSENT:
            raise Absent(f"the server knows of no such thing ({code})") from None
        says = "forbids it" if code in _DENIED else "cannot be asked"
        raise Refused(f"the server {says} ({code or type(error).__name__})") from None
    except OSError as error:
        raise Refused(f"the artifact cannot be fetched ({type(error).__name__})") from None


def _addresses(mlflow: Any, text: str) -> list[str]:  # noqa: ANN401 (the library is not there when this is checked)
    """Where the profile may be, the most particular first."""
    if text.startswith("runs:/"):
        return [text]
    client, named = mlflow.MlflowClient(), text.removeprefix("models:/")
    name, at, alias = named.partition("@")
    by_number = not at
    version = (
        client.get_model_version(*named.rsplit("/", 1))
        if by_number
        else (client.get_model_version_by_alias(name, alias))
    )
    run = [f"runs:/{version.run_id}/{_NAME}"] if version.run_id else []
    return [f"models:/{version.name}/{version.version}/{_NAME}", *run]


def _first(mlflow: Any, addresses: list[str]) -> bytes:  # noqa: ANN401
    """The first of these artifacts that is there."""
    for address in addresses:
        size = _size(mlflow, address)
        if size is None:
            continue
        if size > whole_file.LARGEST:
            raise Refused(f"larger than {whole_file.LARGEST >> 20} MiB")
        with tempfile.TemporaryDirectory(prefix="inference-exporter-") as directory:
            path = mlflow.artifacts.download_artifacts(artifact_uri=address, dst_path=directory)
            return whole_file.read(Path(path), whole_file.LARGEST)
    raise Absent(f"there is no {_NAME} beside the model, nor in its run" if len(addresses) > 1 else "no such artifact")


def _size(mlflow: Any, address: str) -> int | None:  # noqa: ANN401
    """Bytes of an artifact, 0 where the server does not say; None where there is none."""
    folder, name = posixpath.split(address)
    run, _, inside = folder.removeprefix("runs:/").partition("/")
    asked = {"artifact_uri": folder} if address.startswith("models:/") else {"run_id": run, "artifact_path": inside}
    listed = mlflow.artifacts.list_artifacts(**asked)
    return next((one.file_size or 0 for one in listed if posixpath.basename(one.path) == name), None)
