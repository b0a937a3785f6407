"""Whether a real Prometheus answers every panel, variable and annotation within a second, however large the fleet.

    make bench-dashboards             ten minutes; ARGS="--only fleet --ranges 24h" for less

Three histories, each of real pages with all that boards ask for, scraped once a minute:

fleet    100 features, 20 replicas and two canaries, 25 hours
models   50 models of 10 features, one replica each, 7 hours
wide     1,000 features, two replicas, 7 hours

What rules record is there, too: first the rules are evaluated over the last hour by a Prometheus of its own, then what
came of it is spread over the history. Series that no board names are left out. Each query is asked three times, once
before; the median counts, and of it and the CPU time the lesser: where others use the machine, too, waiting for it is
nothing that a query could help. It fails if one takes more than a second, has an error, or answers with more than
anybody can look at.
"""

import argparse
import json
import re
import statistics
import sys
import tempfile
import time
import urllib.error
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import asked_panels
import psutil
import yaml
from asked_panels import Asked, View
from fleet_history import SCRAPE_S, Fleet, Replica, Template
from full_page import Watched, page_of
from still_prometheus import got, prometheus

from exporter.rules import files

TIMES: Final = 3
LIMIT_S: Final = 1.0
LARGEST: Final = 2 << 20
"""Bytes of an answer, unpacked."""
PILOT_S: Final = 80 * 60
FEW: Final = 3
"""Replicas for which rules are evaluated."""
RANGES: Final = {"6h": 6 * 3600, "24h": 24 * 3600}
ALERTS: Final = {"ModelFeatureDrift": "warning", "ModelFeatureMissingSurge": "warning", "ModelServerDown": "critical"}
DRIFTED: Final = "f0012"
YARDSTICK: Final = Asked("", "yardstick: count(up)", "", "query", {"query": "count(up)"}, 1)


class History(NamedTuple):
    """One to ask about."""

    features: int
    times: int
    """So many times those features, see `Template.times`."""
    replicas: Sequence[Replica]
    hours: Sequence[int]
    """Of each block."""
    ranges: Sequence[str]


HISTORIES: Final = {
    "fleet": History(100, 1, [*map(Replica, range(20)), *(Replica(at, canary=True) for at in (20, 21))],
                     (21, 2, 2), ("6h", "24h")),
    "models": History(10, 1, [Replica(at, f"m{at:02d}") for at in range(50)], (3, 2, 2), ("6h",)),
    "wide": History(100, 10, [*map(Replica, range(2))], (3, 2, 2), ("6h",)),
}  # fmt: skip


class Answer(NamedTuple):
    """What became of one request."""

    asked: Asked
    seconds: float
    cpu_s: float
    series: int
    size: int
    fault: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=HISTORIES, action="append", help="one history (all)")
    parser.add_argument("--ranges", default="6h,24h")
    parser.add_argument("--windows", default="1h,24h", help="what is chosen as window")
    parser.add_argument("--kept", type=Path, help="a directory: histories are put there, and taken from it again")
    parser.add_argument("--slowest", type=int, default=0, help="tell only so many (all)")
    given = parser.parse_args()
    is_bad = False
    with tempfile.TemporaryDirectory(prefix="dashboard-queries-") as name:
        for which in given.only or HISTORIES:
            is_bad |= _measured(given, which, (given.kept or Path(name)) / which)
    return int(is_bad)


def _measured(given: argparse.Namespace, which: str, directory: Path) -> bool:
    history, is_bad = HISTORIES[which], False
    if not (directory / "until").exists():
        _made(history, directory)
    until = int((directory / "until").read_text())
    with prometheus(directory / "data", {}) as (address, process):
        for name in given.ranges.split(","):
            for window in given.windows.split(",") if name in history.ranges else ():
                chosen = {"datasource": "prometheus", "job": ".+", "version": "7", "feature": DRIFTED, "window": window,
                          "model": history.replicas[0].model}  # fmt: skip
                if history.features <= int(DRIFTED[1:]):
                    chosen["feature"] = "f0000"
                view = View(chosen, until - RANGES[name], until, SCRAPE_S)
                answers = [*_answers(address, process, view)]
                is_bad |= _told(f"{which}, {name}, window {window}", answers, given.slowest)
    return is_bad


# --- the history


def _made(history: History, directory: Path) -> None:
    begun = time.monotonic()
    directory.mkdir(parents=True, exist_ok=True)
    asked = set().union(*map(asked_panels.named, asked_panels.boards()))
    groups, read, records = _rules(asked)
    template = Template(*page_of(Watched(features=history.features), directory)).times(history.times)
    _say(f"a page of {len(template.series):,} series", begun)
    recorded = _recorded(history, template.only(read), groups, directory)
    _say(f"{len(recorded):,} series recorded", begun)
    for name in sorted(asked & records - {labels["__name__"] for labels, _ in recorded}):
        print(f"nothing is recorded as {name}", file=sys.stderr)
    until = int(time.time()) // SCRAPE_S * SCRAPE_S
    fleet = Fleet(directory / "data", _times(history.hours, until))
    fleet.scraped(template.only(asked), history.replicas)
    fleet.put([*recorded, *_around(history.replicas)])
    _say(f"{fleet.close():,} series, {sum(history.hours)} hours of them", begun)
    (directory / "until").write_text(str(until))


def _times(hours: Sequence[int], until: int) -> list[range]:
    ends = [until + SCRAPE_S - sum(hours[at:]) * 3600 for at in range(len(hours) + 1)]
    return [range(begin, end, SCRAPE_S) for begin, end in pairwise(ends)]


def _rules(wanted: set[str]) -> tuple[list[dict[str, Any]], set[str], set[str]]:
    """The groups that record it, with nothing that is not needed for it; what all these read; all that is recorded."""
    groups = [group for name, text in files.made(files.defaults()) if name.endswith(".rules.yml")
              for group in yaml.safe_load(text)["groups"]]  # fmt: skip
    records = {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}
    read: set[str] = set()
    while True:
        kept = [[rule for rule in group["rules"] if rule.get("record") in wanted | read] for group in groups]
        more = {name for rules in kept for rule in rules for name in re.findall(r"[a-zA-Z_:][\w:]*", rule["expr"])}
        if more <= read:
            listed = [
                group | {"rules": rules, "interval": "20s"} for group, rules in zip(groups, kept, strict=True) if rules
            ]
            return listed, read, records
        read |= more


def _recorded(
    history: History, template: Template, groups: Sequence[Mapping[str, Any]], directory: Path
) -> list[tuple[dict[str, str], float]]:
    """What the rules make of the last hour of a few replicas, and so of the others."""
    few = [one for one in history.replicas if one.place < FEW or one.canary]
    with tempfile.TemporaryDirectory(dir=directory) as name:
        until = int(time.time()) // SCRAPE_S * SCRAPE_S
        fleet = Fleet(Path(name) / "data", [range(until - PILOT_S, until, SCRAPE_S)])
        fleet.scraped(template, few)
        fleet.put([*_around(few)])
        fleet.close()
        rules = Path(name) / "all.rules.yml"
        rules.write_text(yaml.safe_dump({"groups": groups}))
        # The last hour stays the last one, however long the evaluations take.
        with prometheus(Path(name) / "data", {"rule_files": [str(rules)]}, "--query.lookback-delta=1h") as (address, _):
            _evaluated(address)
            names = "|".join(sorted({rule["record"] for group in groups for rule in group["rules"]}))
            found = json.loads(got(address, "query", {"query": f'{{__name__=~"{names}"}}[1h]'}))["data"]["result"]
    everywhere = [(one, _everywhere(one["metric"], few, history.replicas)) for one in found]
    return [(labels, float(one["values"][-1][1])) for one, listed in everywhere for labels in listed]


def _everywhere(
    labels: dict[str, str], few: Sequence[Replica], replicas: Sequence[Replica]
) -> Iterator[dict[str, str]]:
    """What is said of one replica, or of its model where each has another, of all that are like it."""
    yield labels
    word = "instance" if "instance" in labels else "model"
    are_many = word == "instance" or len({one.model for one in replicas}) > 1
    for one in few if are_many else ():
        if labels.get(word) == (one.labels | {"model": one.model})[word]:
            for other in replicas:
                if other not in few and other.place % FEW == one.place % FEW:
                    own = other.labels | {"model": other.model}
                    yield {name: own.get(name, value) for name, value in labels.items()}


def _evaluated(address: str) -> None:
    """Each group three times, since some read what others record."""
    seen: dict[str, set[str]] = {}
    while not seen or min(map(len, seen.values())) < 3:
        for group in json.loads(got(address, "rules", {}))["data"]["groups"]:
            seen.setdefault(group["name"], set())
            if not group["lastEvaluation"].startswith("0001"):
                seen[group["name"]].add(group["lastEvaluation"])
            for rule in group["rules"]:
                if rule.get("lastError"):
                    sys.exit(f"{rule['name']}: {rule['lastError']}")
        time.sleep(1)


def _around(replicas: Sequence[Replica]) -> Iterator[tuple[dict[str, str], float]]:
    """What is neither scraped nor recorded by us: whether scrapes went well, and alerts."""
    for replica in replicas:
        yield {"__name__": "up"} | replica.labels, 1.0
        common = {"__name__": "ALERTS", "alertstate": "firing", "model": replica.model}
        version = {"model_version": "8" if replica.canary else "7"}
        for name, severity in ALERTS.items():
            for feature in ("f0000", "f0012", "f0024", "f0036"):
                own = {"alertname": name, "severity": severity, "feature": feature}
                yield common | version | replica.labels | own, 1.0


# --- asking


def _answers(address: str, process: psutil.Process, view: View) -> Iterator[Answer]:
    """Of each request once, though several boards make it."""
    yield _answer(address, process, YARDSTICK)
    made = set()
    for board in asked_panels.boards():
        own = {one["name"]: str(one.get("current", {}).get("value", one["query"]))
               for one in board["templating"]["list"] if one["type"] not in {"query", "datasource"}}  # fmt: skip
        for asked in asked_panels.everything(board, view._replace(chosen=own | dict(view.chosen))):
            if (request := (asked.path, *asked.fields.items())) not in made:
                made.add(request)
                yield _answer(address, process, asked)


def _answer(address: str, process: psutil.Process, asked: Asked) -> Answer:
    found, times, before = b"{}", [], 0.0
    for number in range(TIMES + 1):
        if number == 1:
            before = _cpu_s(process)
        begun = time.perf_counter()
        try:
            found = got(address, asked.path, asked.fields)
        except urllib.error.HTTPError as error:
            return Answer(asked, time.perf_counter() - begun, 0, 0, 0, json.loads(error.read())["error"])
        times.append(time.perf_counter() - begun)
    spent = (_cpu_s(process) - before) / TIMES
    data = json.loads(found)["data"]
    series = data if isinstance(data, list) else data["result"]
    fault = "more than anybody can look at" if len(series) > asked.limit or len(found) > LARGEST else ""
    seconds = statistics.median(times[1:])
    return Answer(
        asked, seconds, spent, len(series), len(found), "too slow" if min(seconds, spent) > LIMIT_S else fault
    )


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _told(title: str, answers: Sequence[Answer], slowest: int) -> bool:
    """Whether one of them is bad."""
    print(f"\n{title}: {len(answers)} requests; slowest first")
    print(f"{'board':28} {'panel':58} {'kind':12} {'seconds':>8} {'CPU s':>6} {'series':>7} {'kB':>6}")
    ordered = sorted(answers, key=lambda one: -min(one.seconds, one.cpu_s))
    for place, one in enumerate(ordered):
        if not slowest or place < slowest or one.fault or one.asked is YARDSTICK:
            kind = one.asked.kind + " now" * (one.asked.path == "query" and bool(one.asked.kind))
            where = f"{one.asked.board[:28]:28} {one.asked.panel[:58]:58} {kind:12.12}"
            print(f"{where} {one.seconds:8.3f} {one.cpu_s:6.2f} {one.series:7} {one.size / 1000:6.0f} {one.fault}")
    empty = [f"{one.asked.board}: {one.asked.panel}" for one in answers if not one.series and not one.fault]
    if empty:
        print("nothing came of", "; ".join(empty))
    sys.stdout.flush()
    return any(one.fault for one in answers)


def _say(what: str, begun: float) -> None:
    print(f"{time.monotonic() - begun:6.0f} s: {what}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
