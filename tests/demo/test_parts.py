"""The demo's parts as single programs: what deploy/compose runs in containers of their own."""

import csv
import json
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


def test_a_story_that_is_too_short_for_its_rules_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = [f"--{name}=x:1" for name in ("sidecar", "prometheus", "alertmanager", "pager")]
    assert cli.main(["demo", "scenery", f"--directory={tmp_path}", "--duration=59s", *words]) == 64
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
    (tmp_path / "prometheus").mkdir()
    (tmp_path / "prometheus" / "stale.rules.yml").touch()
    for minute_s in (1.0, 60.0):
        scenery.write(tmp_path, places, minute_s)
    assert not (tmp_path / "prometheus" / "stale.rules.yml").exists()
    assert scenery.minute_of(tmp_path) == 60.0
    told = yaml.safe_load((tmp_path / "exporter.yml").read_text())
    assert told["windows"]["pane"] == timing(60.0)["windows.pane"] == "60000ms"
    assert json.loads((tmp_path / "profile.json").read_text())["model"]["name"] == model.NAME


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
