"""What the rules of the fleet cost: a real Prometheus evaluates them over a history of many replicas' series.

The history is written as OpenMetrics and made blocks of, so nothing is scraped: counters of the last hour every half
minute, the reference of the last quarter, and what the rules themselves have recorded for the long windows. Prometheus
then says how long each group took (prometheus_rule_group_last_duration_seconds), and its CPU time is told beside.
"""

import argparse
import io
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
import yaml

from exporter.rules import files, pooled

SCRAPE_S: Final = 30
HOUR_S: Final = 3600
REFERENCE_S: Final = 15 * 60
WINDOWS: Final = ("5m", "1h", "24h")
SCORES: Final = ("psi", "total_variation", "total_variation_critical", "js_distance", "ks", "wasserstein_ratio")
EVERY: Final = "20s"
"""Often, so that there is more than one evaluation before the history is too old."""
MODEL: Final = 'job="models",model="churn",model_version="7",profile="0a1b2c3d"'


class History:
    """Series of a fleet, as text."""

    def __init__(self, given: argparse.Namespace, until_s: int) -> None:
        self.given, self.until_s = given, until_s
        self._draw = np.random.default_rng(1)
        self._counts = self._draw.integers(100, 1000, (given.features, given.bins)).astype(float)
        self._counts[:, -2:] = 0
        self.series = 0

    def raw(self, out: io.TextIOBase) -> None:
        """What replicas show."""
        given, shares = self.given, self._counts / self._counts.sum(axis=1, keepdims=True)
        names = [f"f{place:04d}" for place in range(given.features)]
        bins = [(at, name, place) for at, name in enumerate(names) for place in range(given.bins)]
        self._begin(out, "model_feature_bin", "counter")
        hour = self._times(HOUR_S + 5 * 60, SCRAPE_S)
        for target in self._targets():
            for at, name, place in bins:
                rise = np.cumsum(self._draw.poisson(self._counts[at, place] / 60, len(hour))).tolist()
                self._write(out, f'model_feature_bin_total{{{target},feature="{name}",bin="{place:02d}"}}', hour, rise)
        recent = self._times(REFERENCE_S + 2 * 60, SCRAPE_S)
        self._begin(out, "model_feature_reference_ratio")
        for target in self._targets():
            for at, name, place in bins:
                series = f'model_feature_reference_ratio{{{target},feature="{name}",bin="{place:02d}"}}'
                self._write(out, series, recent, [float(shares[at, place])] * len(recent))
        self._begin(out, "model_feature_bin_step_ratio")
        for target in self._targets():
            for _, name, place in bins:
                if place < given.bins - 3:
                    series = f'model_feature_bin_step_ratio{{{target},feature="{name}",bin="{place:02d}"}}'
                    self._write(out, series, recent, [0.3] * len(recent))
        self._gauges(out, names)

    def _gauges(self, out: io.TextIOBase, names: list[str]) -> None:
        now = self._times(6 * 60, SCRAPE_S)
        for family in ("model_feature_reference_samples", "model_feature_dependence_ratio"):
            self._begin(out, family)
            for target in self._targets():
                for at, name in enumerate(names):
                    value = float(self._counts[at].sum()) if family.endswith("samples") else 1.5
                    self._write(out, f'{family}{{{target},feature="{name}"}}', now, [value] * len(now))
        for score in (*SCORES, "window_sufficient"):
            self._begin(out, f"model_feature_{score}")
            for target in self._targets():
                for name in names:
                    for window in WINDOWS:
                        series = f'model_feature_{score}{{{target},feature="{name}",window="{window}"}}'
                        self._write(out, series, now, [1.0 if score == "window_sufficient" else 0.05] * len(now))
        self._begin(out, "model_window_start_timestamp_seconds")
        for target in self._targets():
            for window in WINDOWS:
                series = f'model_window_start_timestamp_seconds{{{target},window="{window}"}}'
                self._write(out, series, now, [float(self.until_s - HOUR_S)] * len(now))

    def recorded(self, out: io.TextIOBase, window: str, length_s: int) -> None:
        """What the rules have recorded for a long window."""
        times, series = self._times(length_s, 180), f"feature_bin:model_feature_bin:increase6mfor{window}"
        self._begin(out, series)
        for at in range(self.given.features):
            for place in range(self.given.bins):
                value = float(self._counts[at, place] * self.given.replicas / 10)
                self._write(
                    out, f'{series}{{{MODEL},feature="f{at:04d}",bin="{place:02d}"}}', times, [value] * len(times)
                )

    def _targets(self) -> Iterator[str]:
        return (f'{MODEL},instance="10.0.0.{place}:9877",pod="churn-{place}"' for place in range(self.given.replicas))

    def _times(self, length_s: int, every_s: int) -> list[int]:
        return list(range(self.until_s - length_s, self.until_s + 1, every_s))

    def _begin(self, out: io.TextIOBase, family: str, kind: str = "gauge") -> None:
        out.write(f"# TYPE {family} {kind}\n")

    def _write(self, out: io.TextIOBase, series: str, times: list[int], values: list[float]) -> None:
        self.series += 1
        out.write("".join(f"{series} {value!r} {at}\n" for at, value in zip(times, values, strict=True)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=int, default=100)
    parser.add_argument("--bins", type=int, default=16, help="of each, two of which are not ordered")
    parser.add_argument("--replicas", type=int, default=20)
    parser.add_argument("--windows", default="1h,24h")
    parser.add_argument("--evaluations", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fleet-rules-") as name:
        return _measured(given, Path(name))


def _measured(given: argparse.Namespace, directory: Path) -> int:
    values = files.defaults() | {"fleet.windows": given.windows, "fleet.ordered_bins": given.bins - 2}
    document = yaml.safe_load(pooled.rules(values))
    document["groups"] = [one | {"interval": EVERY} for one in document["groups"]]
    (directory / pooled.NAME).write_text(yaml.safe_dump(document))
    history = History(given, int(time.time()) + 60)
    _filled(history, directory, given.windows)
    print(f"{history.series:,} series in the history", file=sys.stderr)
    time.sleep(max(0.0, history.until_s - time.time()))
    with _prometheus(directory) as (address, process):
        began = process.cpu_times()
        _waited(address, given.evaluations)
        ended = process.cpu_times()
        _told(address, ended.user + ended.system - began.user - began.system)
    return 0


def _filled(history: History, directory: Path, windows: str) -> None:
    promtool = shutil.which("promtool") or sys.exit("promtool is needed: Debian's package prometheus")
    long = {"24h": 24 * HOUR_S, "6h": 6 * HOUR_S}
    for name in ("raw", *(one for one in windows.split(",") if one in long)):
        path = directory / f"{name}.om"
        with path.open("w") as out:
            history.raw(out) if name == "raw" else history.recorded(out, name, long[name])
            out.write("# EOF\n")
        subprocess.run(
            [promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(path), str(directory / "data")],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        path.unlink()


@contextmanager
def _prometheus(directory: Path) -> Iterator[tuple[str, psutil.Process]]:
    program = shutil.which("prometheus") or sys.exit("prometheus is needed: Debian's package prometheus")
    (directory / "prometheus.yml").write_text(json.dumps({"rule_files": [pooled.NAME], "scrape_configs": []}))
    address = "127.0.0.1:19797"
    command = [program, f"--config.file={directory / 'prometheus.yml'}", f"--storage.tsdb.path={directory / 'data'}",
               f"--web.listen-address={address}", "--log.level=warn"]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        yield f"http://{address}", psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait(10)


def _asked(url: str) -> bytes:
    for _ in range(200):
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return bytes(answer.read())
        except OSError:
            time.sleep(0.2)
    sys.exit("Prometheus does not answer")


def _groups(address: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_asked(f"{address}/api/v1/rules"))["data"]["groups"]
    return found


TIMES: dict[str, dict[str, float]] = {}
"""Of each group: how long each evaluation took."""


def _waited(address: str, evaluations: int) -> None:
    while not TIMES or min(map(len, TIMES.values())) < evaluations:
        for group in _groups(address):
            TIMES.setdefault(group["name"], {})
            if not group["lastEvaluation"].startswith("0001"):
                TIMES[group["name"]][group["lastEvaluation"]] = group["evaluationTime"]
        time.sleep(1)


def _told(address: str, cpu_s: float) -> None:
    total, many = 0.0, min(map(len, TIMES.values()))
    for group in _groups(address):
        middle = float(np.median(list(TIMES[group["name"]].values())))
        total += middle
        print(f"{group['name']:50} {middle:6.2f} s")
        for rule in group["rules"]:
            if rule.get("lastError"):
                sys.exit(f"{rule['name']}: {rule['lastError']}")
            if rule["evaluationTime"] > 0.02:
                print(f"    {rule['name']:60} {rule['evaluationTime']:6.3f} s")
    print(f"{'all groups, medians of ' + str(many) + ' evaluations':50} {total:6.2f} s")
    print(f"{'CPU time of Prometheus for each':50} {cpu_s / many:6.2f} s")
    query = urllib.parse.urlencode({"query": 'count({__name__=~".+:model_.+"})'})
    found = json.loads(_asked(f"{address}/api/v1/query?{query}"))["data"]["result"]
    print(f"{'series recorded':50} {found[0]['value'][1]:>6}")


if __name__ == "__main__":
    sys.exit(main())
