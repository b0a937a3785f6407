"""KServe's Python server: V1, and V2 with tensors in binary by Triton's own client."""

import json
from collections.abc import Iterator

import pytest
from servers.real import PROGRAMS, Scene, check_counts, post, run, scene, serving
from support import free_port, sidecar

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return scene("kserve", tmp_path_factory.mktemp("kserve"))


@pytest.fixture(scope="module")
def server(model: Scene) -> Iterator[int]:
    port = free_port()
    words = [str(model.python), str(PROGRAMS / "serve_kserve.py"), str(model.directory / "model.joblib"), str(port)]
    with serving(words, model.directory, f"http://127.0.0.1:{port}/v2/models/cancer/ready"):
        yield port


def test_v1_answers_are_the_same_as_direct_and_every_count_is_that_of_what_was_sent(model: Scene, server: int) -> None:
    path = "/v1/models/cancer:predict"
    batches = [model.rows[:1], model.rows[1:2], model.rows[2:]]
    bodies = [json.dumps({"instances": batch}).encode() for batch in batches]
    direct = [post(f"http://127.0.0.1:{server}{path}", body, content_type="application/json") for body in bodies]
    with sidecar(server, *model.flags) as running:
        relayed = [post(running.url + path, body, content_type="application/json") for body in bodies]
        assert relayed == direct
        check_counts(running, model, [one for body in relayed for one in json.loads(body)["predictions"]], 3)


@pytest.mark.parametrize("form", ["FP64", "FP32", "FP64 json"])
def test_v2_answers_are_the_same_as_direct_and_every_count_is_that_of_what_was_sent(
    model: Scene, server: int, form: str
) -> None:
    direct = json.loads(run(model.python, "ask_triton.py", f"http://127.0.0.1:{server}", form, model.live))
    with sidecar(server, *model.flags) as running:
        relayed = json.loads(run(model.python, "ask_triton.py", running.url, form, model.live))
        assert relayed == direct
        assert len(direct["predictions"]) == len(model.rows)
        # An FP32 is not quite the number that was meant.
        check_counts(running, model, relayed["predictions"], 3, rel=1e-4 if "FP32" in form else 1e-9)
