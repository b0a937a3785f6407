"""Segments through a real sidecar: one of ten countries goes bad, and /metrics names it, by a field and by a header."""

import json
import os
import signal
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from profile_tables import write_csv
from support import Metrics, command, eventually, model_server, sidecar

COUNTRIES = "ABCDEFGHIJ"
ROWS = 20
REQUESTS = 60


def rows(count: int, seed: int, bad: str = "") -> list[dict[str, Any]]:
    """Of ten countries; each is a tenant's alone, too. `bad` has amounts that nobody has seen."""
    random = np.random.default_rng(seed)
    found = []
    for at in range(count):
        country = COUNTRIES[at // ROWS % len(COUNTRIES)]
        amount = round(float(random.normal(COUNTRIES.index(country), 2)) + 30 * (country == bad and at % 2), 3)
        found.append({"amount": amount, "noise": round(float(random.normal()), 3), "country": country})
    return found


def training(path: Path) -> tuple[str, str]:
    """The table, and its profile."""
    made = rows(6000, 1)
    columns: dict[str, Any] = {name: [row[name] for row in made] for name in made[0]}
    columns |= {
        "tenant": [f"t-{row['country']}" for row in made],
        "score": [one["amount"] + one["noise"] for one in made],
    }
    source, profile = write_csv(path / "train.csv", columns), str(path / "profile.json")
    built = command("profile", "build", source, "--prediction", "score", "--ignore", "tenant",
                    "--segment", "country", "--segment", "tenant", "--output", profile)  # fmt: skip
    assert built.returncode == 0, built.stderr
    return source, profile


def send(url: str, instances: Sequence[Any], tenant: str) -> None:
    headers = {"content-type": "application/json", "X-Tenant": tenant}
    body = json.dumps({"instances": instances}).encode()
    with urllib.request.urlopen(
        urllib.request.Request(url + "/v1/models/m:predict", body, headers), timeout=30
    ) as answer:
        assert answer.status == 200


def drifted(page: Metrics, side: str, label: str, segment: str) -> set[tuple[str, str]]:
    """Values and columns beyond chance and tolerance."""
    name = f"model_segment_{side}_total_variation"
    critical = {tuple(labels.values()): value for labels, value in page.all(f"{name}_critical", segment=segment)}
    scores = page.all(name, segment=segment)
    assert {tuple(labels.values()) for labels, _ in scores} == {*critical}
    assert all(0 <= value <= 1 for _, value in scores)
    return {
        (labels["value"], labels[label]) for labels, value in scores
        if value > max(critical[tuple(labels.values())], 0.1)
    }  # fmt: skip


def test_a_segment_goes_bad_while_the_whole_stays_within_chance(tmp_path: Path) -> None:
    _, profile = training(tmp_path)
    by = [{"name": "country"}, {"name": "tenant", "header": "X-Tenant"}, {"name": "session"}]
    settings = ("--profile", profile, "--segments.by", json.dumps(by), "--windows.lengths", "1h",
                "--windows.snapshot-interval", "100ms")  # fmt: skip
    checked = command("check", *settings)
    assert checked.returncode == 0, checked.stderr
    assert "segments: profile: session: the profile does not divide the training data so" in checked.stdout
    live = rows(REQUESTS * ROWS, 2, bad="D")
    names = iter(range(10**6))
    with model_server() as server, sidecar(server, *settings) as running:
        for start in range(0, len(live), ROWS):
            part = live[start : start + ROWS]
            sessions = [row | {"session": f"s{next(names)}" if row["noise"] > 0 else "the one"} for row in part]
            send(running.url, sessions, f"t-{part[0]['country']}")
        running.settled(REQUESTS)
        page = eventually(lambda: _counted(running.metrics()), what="all rows scored")
        for segment, bad in (("country", "D"), ("tenant", "t-D")):
            assert drifted(page, "feature", "feature", segment) == {(bad, "amount")}
            assert drifted(page, "prediction", "output", segment) == {(bad, "score")}
            assert page.total("model_segment_rows_total", segment=segment) == len(live)
            assert page.value("model_segment_reference_rows", segment=segment, value=bad) == 600
        whole = {"feature": "amount", "window": "1h"}
        assert page.value("model_feature_total_variation", **whole) < page.value(
            "model_feature_total_variation_critical", **whole
        )
        # hundreds of names: one that many rows have is shown, those of a row each are not
        assert {labels["value"] for labels, _ in page.all("model_segment_rows_total", segment="session")} == {
            "the one", "other", "missing",
        }  # fmt: skip
        assert not page.all("model_segment_feature_window_samples", segment="session")

        before = {tuple(labels.values()): value for labels, value in page.all("model_segment_rows_total")}
        analyser = running.pid_of("exporter.analyser")
        os.kill(analyser, signal.SIGKILL)
        eventually(lambda: running.pid_of("exporter.analyser") not in (0, analyser), what="another analyser")
        page = eventually(lambda: running.get(running.web_port, "/metrics")[0] == 200 and _counted(running.metrics()),
                          what="its page")  # fmt: skip
        assert {tuple(labels.values()): value for labels, value in page.all("model_segment_rows_total")} == before
        assert ("D", "amount") in drifted(page, "feature", "feature", "country")
        send(running.url, [live[0] | {"session": "the one"}], "t-A")
        eventually(lambda: _rows(running.metrics(), "the one") == before_of(before, "the one") + 1, what="one more row")


def before_of(before: dict[tuple[str, ...], float], value: str) -> float:
    (found,) = (rows for labels, rows in before.items() if value in labels)
    return found


def _rows(page: Metrics, value: str) -> float:
    return page.value("model_segment_rows_total", value=value)


def _counted(page: Metrics) -> Metrics | None:
    found = page.total("model_segment_feature_window_samples", segment="country")
    return page if found == REQUESTS * ROWS else None


def test_who_divides_nothing_sees_nothing_of_it(tmp_path: Path) -> None:
    _, profile = training(tmp_path)
    with model_server() as server, sidecar(server, "--profile", profile) as running:
        send(running.url, rows(20, 3), "t-A")
        running.settled(1)
        assert not [one.name for one in running.metrics().samples if one.name.startswith("model_segment_")]
