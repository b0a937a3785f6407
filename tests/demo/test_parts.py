"""The demo's parts as single programs: what deploy/compose runs in containers of their own."""

import csv
import fcntl
import json
import pickle
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from support import eventually, free_port
from threadpoolctl import threadpool_limits

from exporter import cli
from exporter.demo import model, scenery
from exporter.demo.stage import answers
from exporter.demo.start import timing

WEBHOOK = {
    "receiver": "pager",
    "alerts": [{
        "fingerprint": "1", "startsAt": "2026-01-01T00:00:00Z", "status": "firing",
        "labels": {"alertname": "ModelDrift", "severity": "critical"}, "annotations": {"description": "bp has moved"},
    }],
}  # fmt: skip
PLACES = [f"--{name}=x:1" for name in ("sidecar", "prometheus", "alertmanager", "pager")]


def test_a_story_that_is_too_short_for_its_rules_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["demo", "scenery", f"--directory={tmp_path}", "--duration=59s", *PLACES]) == 64
    assert "60 s at least" in capsys.readouterr().err


def test_clients_without_a_scenery_say_how_to_get_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["demo", "clients", f"--directory={tmp_path}", "--sidecar=127.0.0.1:1"]) == 64
    assert "inference-exporter demo scenery" in capsys.readouterr().err


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Of several, those that wait for a processor keep the others' busy."""
    with threadpool_limits(1):
        yield


def test_clients_send_the_rows_that_the_model_was_trained_on(tmp_path: Path) -> None:
    trained = model.train(tmp_path)
    assert model.rows_of(tmp_path) == trained.rows
    with trained.table.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(trained.rows)


def test_a_scenery_may_be_set_again_and_is_of_the_last_time(tmp_path: Path) -> None:
    places = scenery.Places("sidecar:9877", "prometheus:9090", "alertmanager:9093", "127.0.0.1:9099", "http://g:3000")
    for minute_s in (1.0, 60.0):
        scenery.write(tmp_path, places, minute_s)
        (tmp_path / "prometheus" / "stale.rules.yml").touch()
    scenery.write(tmp_path, places, 60.0)
    assert not (tmp_path / "prometheus" / "stale.rules.yml").exists()
    assert scenery.minute_of(tmp_path) == 60.0
    told = yaml.safe_load((tmp_path / "exporter.yml").read_text())
    assert told["windows"]["pane"] == timing(60.0)["windows.pane"] == "60000ms"
    assert json.loads((tmp_path / "profile.json").read_text())["model"]["name"] == model.NAME


@pytest.mark.parametrize("name", ["prometheus", "exporter.yml"])
def test_a_directory_with_files_of_somebody_else_is_left_as_it_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    theirs = tmp_path / name / "rules.yml" if name == "prometheus" else tmp_path / name
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_text("theirs")
    assert cli.main(["demo", "scenery", f"--directory={tmp_path}", *PLACES]) == 64
    assert f"{tmp_path}: {name} is not of a scenery" in capsys.readouterr().err
    assert theirs.read_text() == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_two_sceneries_are_not_made_in_one_place_at_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with (tmp_path / "ready").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert cli.main(["demo", "scenery", f"--directory={tmp_path}", *PLACES]) == 64
    assert "another scenery is being made there" in capsys.readouterr().err


def test_what_is_left_of_a_scenery_that_was_broken_off_is_no_scenery_and_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "ready").touch()
    (tmp_path / "model.pickle").write_bytes(b"half")
    assert cli.main(["demo", "server", f"--directory={tmp_path}", f"--listen=127.0.0.1:{free_port()}"]) == 64
    assert cli.main(["demo", "scenery", f"--directory={tmp_path}", *PLACES]) == 0
    assert scenery.minute_of(tmp_path) == 1.0  # of five minutes


@pytest.mark.parametrize(
    "words",
    [
        ("pager", "--listen=nowhere"), ("server", "--directory=d", "--listen=8000"),
        ("clients", "--directory=d", "--sidecar=http://x:1"), ("clients", "--directory=", "--sidecar=x:1"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_is_no_address_or_no_directory_is_an_error_of_usage(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert cli.main(["demo", *words]) == 64
    assert "must" in capsys.readouterr().err


@pytest.mark.parametrize("part", ["pager", "server"])
def test_a_part_whose_port_is_taken_says_which(capsys: pytest.CaptureFixture[str], tmp_path: Path, part: str) -> None:
    (tmp_path / "model.pickle").write_bytes(pickle.dumps((None, [])))
    (tmp_path / "ready").write_text("60.0")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        where = () if part == "pager" else (f"--directory={tmp_path}",)
        assert cli.main(["demo", part, *where, f"--listen={address}"]) == 69
    assert f"--listen: {address}: Address already in use" in capsys.readouterr().err


def test_the_pager_prints_what_it_is_told_and_ends_when_it_is_asked_to() -> None:
    address = f"127.0.0.1:{free_port()}"
    words = [sys.executable, "-m", "exporter", "demo", "pager", f"--listen={address}"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            eventually(lambda: answers(f"http://{address}/"))
            urllib.request.urlopen(f"http://{address}/pager", json.dumps(WEBHOOK).encode(), timeout=10).close()
            assert process.stdout
            told = [process.stdout.readline() for _ in range(3)]
        finally:
            process.terminate()
            assert process.wait(30) == 0
    assert told == [f"taking webhooks on {address}\n", "PAGE     ModelDrift\n", "         bp has moved\n"]
