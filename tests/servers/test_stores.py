"""Profiles in stores: S3 as moto speaks it, Google Cloud Storage as its emulator does, and an MLflow server's registry.

Whoever fetches runs in the environment that has the store's library, as an installation with that extra would be.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from monitor_scenes import make_profile
from servers.real import ENVIRONMENTS, run, serving
from support import free_port

from exporter.places import asking
from exporter.places.asking import ABSENT, FAILED, FOUND, INVALID, SAME, Answer, Known, Order
from exporter.profile import document

pytestmark = pytest.mark.servers
ROOT = Path(__file__).parents[2]
AWS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "hunter2", "AWS_DEFAULT_REGION": "us-east-1"}


class Store(NamedTuple):
    """A store that runs, and what its library must know of it."""

    python: Path
    environ: Mapping[str, str]


def environment(name: str) -> Path:
    if not (ENVIRONMENTS / name / ".made").exists():
        pytest.skip(f"{name} is not installed: `make test-servers` does it")
    return ENVIRONMENTS / name / "bin" / "python"


@pytest.fixture
def profiles(tmp_path: Path) -> tuple[Path, Path]:
    """Two files of profiles that differ."""
    profile = make_profile(tmp_path)
    document.save(profile, str(tmp_path / "profile.json"))
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "profile.json"
    other.write_bytes((tmp_path / "profile.json").read_bytes() + b"\n")
    return tmp_path / "profile.json", other


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    python, port = environment("stores"), free_port()
    words = [str(python.with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    with serving(words, tmp_path_factory.mktemp("s3"), f"http://127.0.0.1:{port}/moto-api/"):
        yield Store(python, AWS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"})


@pytest.fixture(scope="module")
def gcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    python, port = environment("stores"), free_port()
    directory = tmp_path_factory.mktemp("gcs")
    words = [str(python.with_name("gcp-storage-emulator")), "start", "--host", "127.0.0.1", "--port", str(port),
             "--in-memory"]  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    with serving(words, directory, f"{address}/storage/v1/b?project=p"):
        yield Store(python, {"STORAGE_EMULATOR_HOST": address, "GOOGLE_CLOUD_PROJECT": "p"})


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    python, port = environment("mlflow"), free_port()
    directory = tmp_path_factory.mktemp("registry")
    words = [
        str(python.with_name("mlflow")), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{directory}/store.db", "--artifacts-destination", str(directory / "files"),
    ]  # fmt: skip
    path = f"{python.parent}:/usr/bin:/bin"
    with serving(words, directory, f"http://127.0.0.1:{port}/health", {"PATH": path}):
        yield Store(python, {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}"})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """How to ask for what is in a place of a store; the bytes must be those expected."""

    def ask(store: Store, place: str, known: Known = Known(), content: Path | None = None) -> Answer:  # noqa: B008
        use(store, monkeypatch)
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        monkeypatch.setattr(asking, "_COMMAND", (str(store.python), "-m", "exporter.places.fetch"))
        answer, raw = asking.ask(Order(place, known))
        assert raw == (b"" if content is None else content.read_bytes()), answer
        assert "hunter2" not in answer.words
        return answer

    return ask


def use(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith(("AWS_", "MLFLOW_", "STORAGE_", "GOOGLE_", "PYTHONPATH")):
            monkeypatch.delenv(name)
    for name, value in store.environ.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("kind", ["s3", "gs"])
def test_an_object_is_fetched_once_and_again_when_it_has_changed(
    kind: str, request: pytest.FixtureRequest, asked: Callable[..., Answer], profiles: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    store: Store = request.getfixturevalue({"s3": "s3", "gs": "gcs"}[kind])
    use(store, monkeypatch)
    first, second = profiles
    place = f"{kind}://models/churn/7/profile.json"
    assert asked(store, place).outcome == ABSENT
    run(store.python, "objects.py", kind, "models", "churn/7/profile.json", str(first))
    answer = asked(store, place, content=first)
    assert answer.outcome == FOUND
    assert answer.known.mark
    assert asked(store, place, answer.known) == Answer(SAME, known=answer.known)
    by_mark_alone = answer.known._replace(sha256="")
    assert asked(store, place, by_mark_alone).outcome == SAME, "nothing is fetched that has not changed"
    assert asked(store, f"{place}#sha256={'0' * 64}").outcome == INVALID
    run(store.python, "objects.py", kind, "models", "churn/7/profile.json", str(second))
    assert asked(store, place, answer.known, content=second).outcome == FOUND
    assert asked(store, f"{kind}://models/churn/8/profile.json").outcome == ABSENT
    assert asked(store, f"{kind}://nobodys/profile.json").outcome == ABSENT


def test_a_store_without_credentials_or_that_is_not_there_is_a_clear_failure(
    s3: Store, gcs: Store, asked: Callable[..., Answer]
) -> None:
    nobody = Store(s3.python, {"AWS_ENDPOINT_URL": s3.environ["AWS_ENDPOINT_URL"], "AWS_EC2_METADATA_DISABLED": "true"})
    gone = f"http://127.0.0.1:{free_port()}"
    answers = [
        asked(nobody, "s3://models/p.json"),
        asked(Store(s3.python, AWS | {"AWS_ENDPOINT_URL": gone}), "s3://models/p.json"),
        asked(Store(gcs.python, dict(gcs.environ) | {"STORAGE_EMULATOR_HOST": gone}), "gs://models/p.json"),
        asked(Store(gcs.python, {"NO_GCE_CHECK": "true"}), "gs://models/p.json"),
    ]
    assert [(one.outcome, one.words) for one in answers] == [
        (FAILED, "the store cannot be asked (NoCredentialsError)"),
        (FAILED, "the store cannot be asked (EndpointConnectionError)"),
        (FAILED, "the store cannot be reached (ConnectionError)"),
        (FAILED, "there are no credentials for the store (DefaultCredentialsError)"),
    ]


@pytest.mark.parametrize(("place", "words"), [
    ("s3://models/p.json", "s3 needs its extra (boto3): pip install 'inference-exporter[s3]'"),
    ("models:/churn/7", "mlflow needs its extra (mlflow): pip install 'inference-exporter[mlflow]'"),
])  # fmt: skip
def test_without_its_extra_a_store_says_what_to_install(place: str, words: str) -> None:
    answer, _ = asking.ask(Order(place))
    assert (answer.outcome, answer.words) == (FAILED, words)


def test_a_version_of_the_registry_has_the_profile_of_its_run_or_beside_the_model(
    registry: Store, asked: Callable[..., Answer], profiles: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(registry, monkeypatch)
    first, second = profiles
    assert asked(registry, "models:/churn/1").outcome == ABSENT
    number = run(registry.python, "registry.py", "run", str(first), "champion").split()[-1]
    answer = asked(registry, "models:/churn/1", content=first)
    assert answer.outcome == FOUND
    assert asked(registry, "models:/churn/1", answer.known).outcome == SAME
    assert asked(registry, "models:/churn@champion", content=first).outcome == FOUND
    assert asked(registry, f"runs:/{number}/profile.json", content=first).outcome == FOUND
    assert asked(registry, f"runs:/{number}/other.json").outcome == ABSENT
    assert asked(registry, f"runs:/{'0' * 32}/profile.json").outcome == ABSENT
    assert asked(registry, "models:/churn@challenger").outcome == ABSENT
    run(registry.python, "registry.py", "model", str(second), "champion")
    assert asked(registry, "models:/churn@champion", answer.known, content=second).outcome == FOUND
    assert asked(registry, "models:/churn/2", content=second).outcome == FOUND
    assert asked(registry, "models:/churn/3").outcome == ABSENT


def test_a_registry_that_is_not_there_is_a_clear_failure(registry: Store, asked: Callable[..., Answer]) -> None:
    gone = Store(registry.python, {"MLFLOW_TRACKING_URI": f"http://me:hunter2@127.0.0.1:{free_port()}"})
    answer = asked(gone, "models:/churn/1")
    assert answer.outcome == FAILED
    assert answer.words.startswith("the server cannot be asked (")
