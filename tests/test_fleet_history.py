"""A real Prometheus with the history of a fleet says what the fleet's traffic shows of chance."""

import contextlib
import itertools
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calibrated import MONDAY, Replica, Traffic, binned, history, trained
from monitoring import recorded, scraping
from numpy.typing import NDArray
from support import Answering, model_server, predict, sidecar

from exporter import cli, fleet_history
from exporter.calibration.dependence import dependence
from exporter.calibration.wander import wander
from exporter.fleet_history import Wish
from exporter.increments import increments, sampled
from exporter.profile import overrides
from exporter.profile.calibrate import Calibration
from exporter.prometheus import Access, PrometheusClient
from exporter.reference import Profile

HOURS = 25
END = MONDAY + 3600 * HOURS


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fleet")


@pytest.fixture(scope="module")
def profile(directory: Path) -> Profile:
    return trained(directory / "profile.json")


@pytest.fixture(scope="module")
def fleet() -> list[Replica]:
    """Three pods: one all the time that restarts, one that comes, one that goes."""
    traffic = Traffic(HOURS, 3, season=0.2)
    frames = [traffic.draw(seed) for seed in (1, 2, 3)]
    return [
        Replica("a:1", frames[0], 0, 60 * HOURS, restarts=60 * 7 + 30),
        Replica("b:1", frames[1], 60 * 5 + 11, 60 * HOURS),
        Replica("c:1", frames[2], 0, 60 * 20),
    ]


@pytest.fixture(scope="module")
def url(directory: Path, profile: Profile, fleet: list[Replica]) -> Iterator[str]:
    with recorded(directory / "prometheus", history(profile, fleet)) as address:
        yield address


def found_in(url: str, profile: Profile, matchers: str = "", range_s: float = 30 * 3600.0) -> Calibration:
    return fleet_history.calibrate(PrometheusClient(Access(url)), profile, Wish(END, range_s, 60.0, matchers))


def panes(profile: Profile, replica: Replica, name: str) -> NDArray[np.int64]:
    """What is known of a column: each minute between two scrapes, in hours; shape (hours, 60, bins)."""
    frame = replica.frame
    minute = ((frame["when"].to_numpy() - MONDAY) // 60).astype(np.int64)
    column = next(one for one in (*profile.features, *profile.outputs) if one.name == name)
    found = np.zeros((HOURS * 60, len(column.counts)), np.int64)
    inside = (minute > replica.begins) & (minute < replica.ends)
    np.add.at(found, (minute[inside], binned(profile, frame)[name][inside]), 1)
    return found.reshape(HOURS, 60, -1)


@pytest.fixture
def expected(profile: Profile, fleet: list[Replica]) -> dict[str, tuple[float, float]]:
    """By column dependence and wander, of the raw rows."""
    found = {}
    for name in ("amount", "town", "p"):
        each = [panes(profile, replica, name) for replica in fleet]
        factor = dependence(np.concatenate(each))
        found[name] = factor, wander(sum(one.sum(axis=1) for one in each), factor)
    return found


def test_it_is_what_the_rows_themselves_say(
    url: str, profile: Profile, fleet: list[Replica], expected: dict[str, tuple[float, float]]
) -> None:
    found = found_in(url, profile)
    assert {one.name: (one.dependence, one.wander) for one in found.columns} == expected
    assert found.rows == sum(int(panes(profile, replica, "town").sum()) for replica in fleet)
    assert (found.hours, found.first, found.last) == (HOURS, MONDAY, END)
    assert found.absent == ()
    assert expected["amount"][0] == pytest.approx(9, rel=0.15)
    assert expected["town"][1] > 0.1, "a season is wander"


def test_of_a_fleet_too_large_for_every_step_all_hours_are_compared_all_the_same(
    url: str, profile: Profile, expected: dict[str, tuple[float, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_history, "_IN_STEPS", 1)  # so that it is the fewest hours
    monkeypatch.setattr(fleet_history, "_AT_ONCE", 1)  # and a question for each column
    found = found_in(url, profile)
    assert found.hours == HOURS - 1, "of the first one nobody knows where it began"
    for one in found.columns:
        assert one.dependence == pytest.approx(expected[one.name][0], rel=0.2)
        assert one.wander == pytest.approx(expected[one.name][1], abs=0.03)


def test_a_selector_says_whose_history_is_meant(
    url: str, profile: Profile, fleet: list[Replica], expected: dict[str, tuple[float, float]]
) -> None:
    found = found_in(url, profile, 'instance="c:1"')
    assert found.hours == 20
    assert found.rows == panes(profile, fleet[2], "town").sum()
    assert {one.name for one in found.columns} == expected.keys()
    shorter = found_in(url, profile, range_s=2 * 3600.0)
    assert (shorter.hours, shorter.first) == (2, END - 7200)


def command(directory: Path, url: str, *words: str) -> int:
    profile = str(directory / "profile.json")
    return cli.main(
        ["profile", "calibrate", profile, "--prometheus.url", url, "--output", str(directory / "o.yml"), *words]
    )


@pytest.mark.usefixtures("profile")
def test_the_command_asks_up_to_now_and_says_when_there_is_nothing(
    directory: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = command(directory, url)
    assert code == 65
    said = capsys.readouterr().err
    assert f"{url}: nothing of profile " in said
    assert "nor any other series model_feature_bin_total" in said


def test_another_profile_than_the_histories_is_told_from_it(
    directory: Path, url: str, profile: Profile, tmp_path: Path
) -> None:
    other = trained(tmp_path / "other.json", trained_at=1.0)
    assert other.digest != profile.digest
    with pytest.raises(Exception, match=f"nothing of profile {other.short_digest} .*, only of {profile.short_digest}"):
        found_in(url, other)
    assert directory.exists()


def test_the_command_writes_overrides(
    directory: Path, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("time.time", lambda: END + 17.0)
    assert command(directory, url, "--range", "25h", "--selector", '{model="churn"}') == 0
    assert f"{url}: " in capsys.readouterr().out
    text = (directory / "o.yml").read_text()
    assert f"# from {url}: " in text
    assert "25 hours compared" in text
    rules = overrides.load(str(directory / "o.yml"))
    assert rules.features.keys() == {"amount", "town"}
    assert 7 < (rules.output("p").dependence or 0) < 11
    assert command(directory, url, "--range", "23h") == 65
    assert "too little traffic" in capsys.readouterr().err
    assert command(directory, url, "--range", "23h", "--force") == 0


def test_a_selector_that_prometheus_does_not_understand_is_told_in_its_words(
    directory: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(directory, url, "--selector", "{job=churn}") == 69
    assert "bad_data: " in capsys.readouterr().err


# --- what was counted between samples

NAN = np.nan


@pytest.mark.parametrize(
    ("samples", "grown", "known"),
    [
        ([[0, 0], [3, 1], [3, 5]], [[3, 1], [0, 4]], [True, True]),
        ([[9, 9], [2, 0], [4, 1]], [[2, 0], [2, 1]], [True, True]),
        ([[9, 1], [2, 5]], [[2, 5]], [True]),  # all of a process's counters begin anew
        ([[1, 1], [NAN, NAN], [8, 8], [9, 8]], [[0, 0], [0, 0], [1, 0]], [False, False, True]),
        ([[1, NAN], [4, NAN]], [[3, 0]], [True]),
        ([[1, 2], [4, NAN], [5, 3]], [[0, 0], [0, 0]], [False, False]),
        ([[NAN, NAN], [NAN, NAN]], [[0, 0]], [True]),
    ],
)
def test_counters_are_what_was_counted_between_samples(samples: Any, grown: Any, known: Any) -> None:
    found, is_known = increments(np.array(samples, float))
    assert found.tolist() == grown
    assert is_known.tolist() == known


def test_samples_are_put_where_they_belong_and_strange_bins_nowhere() -> None:
    series = [
        ({"bin": "00"}, [(100.0, 1.0), (120.0, 2.0)]), ({"bin": "02"}, [(110.0, 5.0), (130.0, 9.0)]),
        ({"bin": "03"}, [(100.0, 1.0)]), ({"bin": "x"}, [(100.0, 1.0)]), ({}, [(100.0, 1.0)]), ({"bin": "01"}, []),
    ]  # fmt: skip
    found = sampled(series, (100.0, 10.0, 3), 3)
    assert np.array_equal(found, [[1, NAN, NAN], [NAN, NAN, 5], [2, NAN, NAN]], equal_nan=True)


# --- as it is scraped


def page(profile: Profile) -> type[BaseHTTPRequestHandler]:
    """Counters of a replica: eight sessions of five rows before each scrape, and a fresh start before the 40th."""
    random, scrapes = np.random.default_rng(1), itertools.count(1)
    counts, of = np.zeros((2, 4), np.int64), f'profile="{profile.short_digest}"'

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            counts[...] *= next(scrapes) != 40
            counts[...] += 5 * random.multinomial(8, [1 / 4] * 4, size=2)
            body = "".join(
                f'model_feature_bin_total{{{of},feature="{name}",bin="{place:02d}"}} {count}\n'
                for name, row in zip(("amount", "town"), counts.tolist(), strict=True)
                for place, count in enumerate(row)
            ).encode()
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Page


@pytest.mark.paced
def test_counters_that_are_scraped_say_how_rows_come_and_a_sidecars_are_found_among_them(
    directory: Path, profile: Profile, tmp_path: Path
) -> None:
    document, output = str(directory / "profile.json"), tmp_path / "o.yml"
    with contextlib.ExitStack() as stack:
        upstream, *pages = (stack.enter_context(model_server(one)) for one in (Answering, page(profile), page(profile)))
        real = stack.enter_context(sidecar(upstream, "--profile", document, "--windows.snapshot-interval", "100ms"))
        targets = [f"127.0.0.1:{port}" for port in (real.web_port, *pages)]
        url = stack.enter_context(scraping(tmp_path / "p", targets, "250ms"))
        for _ in range(34):
            predict(real.url, [{"amount": 0.5, "town": "rome"}] * 3)
            time.sleep(0.5)
        words = ["profile", "calibrate", document, "--prometheus.url", url, "--output", str(output)]
        words += ["--step", "250ms", "--range", "15s"]
        assert cli.main(words) == 65, "it is too little"
        assert cli.main([*words, "--force", "--selector", f'{{instance!="{targets[0]}"}}']) == 0
        own = Wish(time.time() // 0.25 * 0.25, 15.0, 0.25, f'instance="{targets[0]}"')
        found = fleet_history.calibrate(PrometheusClient(Access(url)), profile, own)
    rules = overrides.load(str(output))
    assert rules.outputs == {}
    for name in ("amount", "town"):
        assert rules.feature(name).dependence == pytest.approx(5, rel=0.3), name
    assert 0 < found.rows <= 34 * 3
    assert {(one.side, one.name) for one in found.columns} == {
        ("features", "amount"), ("features", "town"), ("outputs", "p"),
    }  # fmt: skip
