"""MLServer with a scikit-learn model, asked by its own codecs: Open Inference Protocol in JSON."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.real import Scene, check_counts, post, run, scene, serving
from support import Metrics, Sidecar, command, eventually, free_port, sidecar

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return scene("mlserver", tmp_path_factory.mktemp("mlserver"))


@pytest.fixture(scope="module")
def ports(model: Scene) -> Iterator[tuple[int, int]]:
    """Of the models, and of the server's own metrics."""
    port, metrics_port = free_port(), free_port()
    settings = {
        "host": "127.0.0.1", "http_port": port, "grpc_port": free_port(), "metrics_port": metrics_port,
        "parallel_workers": 0,
    }  # fmt: skip
    about = {
        "name": "cancer", "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib", "version": "v2"},
    }  # fmt: skip
    (model.directory / "settings.json").write_text(json.dumps(settings))
    (model.directory / "model-settings.json").write_text(json.dumps(about))
    words = [str(Path(model.python).with_name("mlserver")), "start", "."]
    with serving(words, model.directory, f"http://127.0.0.1:{port}/v2/models/cancer/ready"):
        yield port, metrics_port


@pytest.fixture(scope="module")
def server(ports: tuple[int, int]) -> int:
    return ports[0]


@pytest.mark.parametrize("form", ["pandas", "numpy", "numpy with probabilities"])
def test_answers_are_the_same_as_direct_and_every_count_is_that_of_what_was_sent(
    model: Scene, server: int, form: str
) -> None:
    direct = json.loads(run(model.python, "ask_mlserver.py", f"http://127.0.0.1:{server}", form, model.live))
    with sidecar(server, *model.flags) as running:
        relayed = json.loads(run(model.python, "ask_mlserver.py", running.url, form, model.live))
        assert relayed == direct, "byte by byte"
        assert len(direct["predictions"]) == len(model.rows)
        check_counts(running, model, relayed["predictions"], 3)


def test_the_servers_own_metrics_are_on_our_page(model: Scene, ports: tuple[int, int]) -> None:
    flags = (*model.flags, "--merge-upstream-metrics", f"http://127.0.0.1:{ports[1]}/metrics")
    with sidecar(ports[0], *flags) as running:
        run(model.python, "ask_mlserver.py", running.url, "numpy", model.live)
        metrics = eventually(lambda: _both(running), what="both on one page")
    assert metrics.value("inference_exporter_upstream_metrics_up") == 1
    assert metrics.total("inference_exporter_upstream_metrics_refused_total") == 0


def _both(running: Sidecar) -> Metrics | None:
    metrics = running.metrics()
    asked = metrics.total("model_requests_total", model="cancer")
    return metrics if asked and metrics.total("model_infer_request_success_total", model="cancer") >= asked else None


def test_golden_requests_made_up_of_the_profile_find_a_swapped_model_file(model: Scene, server: int) -> None:
    url, file = f"http://127.0.0.1:{server}", str(model.directory / "golden.yml")
    words = ("--profile", str(model.directory / "profile.json"), "--form", "open_inference", "--output", file)
    recorded = command("golden", "record", *words, "--path", "/v2/models/cancer/infer", "--url", url)
    assert recorded.returncode == 0, recorded.stderr
    assert "/id differs from answer to answer: it is ignored" in recorded.stdout
    assert command("golden", "check", file, "--url", url).returncode == 0
    right = (model.directory / "model.joblib").read_bytes()
    try:
        run(model.python, "mix_up.py", str(model.directory))
        post(f"{url}/v2/repository/models/cancer/load", b"")
        swapped = command("golden", "check", file, "--url", url)
        assert swapped.returncode == 65
        assert "/outputs/0/data/0: expected" in swapped.stdout
    finally:
        (model.directory / "model.joblib").write_bytes(right)
        post(f"{url}/v2/repository/models/cancer/load", b"")
    assert command("golden", "check", file, "--url", url).returncode == 0
