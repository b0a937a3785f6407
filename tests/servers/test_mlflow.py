"""`mlflow models serve`, asked in every form that its scoring server takes."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from servers.real import Scene, check_counts, post, scene, serving
from support import free_port, sidecar

pytestmark = pytest.mark.servers
Rows = Sequence[Sequence[float]]


def as_csv(names: Sequence[str], rows: Rows) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(names)
    writer.writerows([map(repr, row) for row in rows])
    return file.getvalue().encode()


def records(names: Sequence[str], rows: Rows) -> list[dict[str, float]]:
    return [dict(zip(names, row, strict=True)) for row in rows]


FORMS: dict[str, Callable[[Sequence[str], Rows], object]] = {
    "dataframe_split": lambda names, rows: {"dataframe_split": {"columns": names, "data": rows}},
    "dataframe_split with an index": lambda names, rows: {
        "dataframe_split": {
            "index": list(range(len(rows))),
            "columns": names[::-1],
            "data": [row[::-1] for row in rows],
        }
    },
    "dataframe_records": lambda names, rows: {"dataframe_records": records(names, rows)},
    "instances": lambda names, rows: {"instances": records(names, rows)},
    "inputs": lambda names, rows: {"inputs": {name: [row[at] for row in rows] for at, name in enumerate(names)}},
    "text/csv": as_csv,
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return scene("mlflow", tmp_path_factory.mktemp("mlflow"))


@pytest.fixture(scope="module")
def server(model: Scene) -> Iterator[int]:
    port = free_port()
    words = [
        str(Path(model.python).with_name("mlflow")), "models", "serve", "--model-uri", str(model.directory / "mlflow"),
        "--host", "127.0.0.1", "--port", str(port), "--env-manager", "local",
    ]  # fmt: skip
    path = f"{model.python.parent}:/usr/bin:/bin"  # it starts uvicorn by its name
    with serving(words, model.directory, f"http://127.0.0.1:{port}/ping", {"PATH": path}):
        yield port


@pytest.mark.parametrize("form", FORMS)
def test_answers_are_the_same_as_direct_and_every_count_is_that_of_what_was_sent(
    model: Scene, server: int, form: str
) -> None:
    kind = "text/csv" if form == "text/csv" else "application/json"
    batches = [model.rows[:1], model.rows[1:2], model.rows[2:]]
    written = [FORMS[form](model.names, batch) for batch in batches]
    bodies = [body if isinstance(body, bytes) else json.dumps(body).encode() for body in written]
    direct = [post(f"http://127.0.0.1:{server}/invocations", body, content_type=kind) for body in bodies]
    with sidecar(server, *model.flags) as running:
        relayed = [post(f"{running.url}/invocations", body, content_type=kind) for body in bodies]
        assert relayed == direct
        check_counts(running, model, [one for body in relayed for one in json.loads(body)["predictions"]], 3)
