"""A session's header on its way through a real sidecar: what belongs together counts once, after a death, too."""

import json
import os
import signal
import urllib.request
from pathlib import Path

import numpy as np
from profile_tables import write_csv
from support import Metrics, command, eventually, model_server, sidecar

REQUESTS, SESSIONS = 40, 8
SALE = {"name": "sale", "from": "2026-11-27T00:00", "to": "2026-11-30T00:00", "zone": "Europe/Berlin"}


def send(url: str, session: str, value: float) -> None:
    headers = {"content-type": "application/json", "X-Session": session, "Cookie": "not kept"}
    body = json.dumps({"instances": [{"x": value}]}).encode()
    request = urllib.request.Request(url + "/v1/models/m:predict", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def grouped(page: Metrics) -> dict[str, float]:
    return {labels["row"]: value for labels, value in page.all("model_grouped_rows_total")}


def test_requests_of_one_session_count_once_through_a_real_sidecar(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    numbers = random.normal(size=2000).round(3).tolist()
    source, profile = write_csv(tmp_path / "t.csv", {"x": numbers, "p": numbers}), str(tmp_path / "profile.json")
    built = command("profile", "build", source, "--prediction", "p", "--output", profile)
    assert built.returncode == 0, built.stderr
    settings = ("--profile", profile, "--evidence.group-key", '{"header": "X-Session"}',
                "--evidence.planned", json.dumps([SALE]), "--windows.snapshot-interval", "100ms")  # fmt: skip
    with model_server() as server, sidecar(server, *settings) as running:
        for at in range(REQUESTS):
            send(running.url, f"s{at % SESSIONS}", numbers[at % SESSIONS])
        running.settled(REQUESTS)
        expected = {"first": SESSIONS, "again": REQUESTS - SESSIONS, "unknown": 0}
        eventually(lambda: grouped(running.metrics()) == expected, what="all rows grouped")
        analyser = running.pid_of("exporter.analyser")
        os.kill(analyser, signal.SIGKILL)
        eventually(lambda: running.pid_of("exporter.analyser") not in (0, analyser), what="another analyser")
        send(running.url, "s0", numbers[0])  # nobody knows it any more
        expected["first"] += 1
        eventually(
            lambda: running.get(running.web_port, "/metrics")[0] == 200 and grouped(running.metrics()) == expected,
            what="one more row",
        )


def test_check_says_when_planned_windows_are_on_and_where_one_is_wrong(tmp_path: Path) -> None:
    fine = command(
        "check", "--upstream", "http://127.0.0.1:1", "--evidence.planned", json.dumps([SALE | {"to": "9997-01-01"}])
    )
    assert fine.returncode == 0, fine.stderr
    assert "planned: sale: 2026-11-27 00:00+01:00 to 9997-01-01 00:00+01:00" in fine.stdout
    config = tmp_path / "exporter.yml"
    config.write_text(
        "evidence:\n  group_key: { header: X-Session }\n  planned:\n"
        '    - { name: close, monthdays: [1, -1], from: "02:00", to: "04:00", zone: Europe/Berln }\n'
    )
    checked = command("check", "--upstream", "http://127.0.0.1:1", "--config", str(config))
    assert checked.returncode == 64
    assert "evidence.planned[0].zone: no time zone is called 'Europe/Berln' here, did you mean" in checked.stderr
