"""Pane after pane of a fleet's history in a real Prometheus: taken once each, in order, and as one model's traffic."""

import math
import re
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fleet.pods import MODEL, Pod, calibrated, drifted
from golden_scrape import assert_golden, settled, without_values
from monitor_scenes import make_profile
from monitoring import recorded
from support import free_port, tool

from exporter import catalogue
from exporter.budget import order
from exporter.collect.rendered import TEXT, Rendered
from exporter.collect.writing import Writing
from exporter.evidence.engine import Engine
from exporter.evidence.streams import of_column
from exporter.evidence.terms import Terms
from exporter.fleet import answers, collecting, queries, streams
from exporter.fleet.answers import Fleet, Place
from exporter.fleet.keeping import Keeping
from exporter.fleet.poller import Poller
from exporter.fleet.settings import Settings
from exporter.fleet.web import Shown, create_app
from exporter.guarantees import Evidence
from exporter.monitor.said import Said
from exporter.override import NOTHING, Override, Overrides
from exporter.prometheus import Access, PrometheusClient
from exporter.reference import Profile

PANE = 60
PANES = 36
DRIFT_AT = 22
T0 = PANE * (int(time.time()) // PANE) - 7500
SOON = Evidence(warm_up=600.0, warm_up_rows=1000)
SETTINGS = Settings(selector='job="models"', by=("job",), lag=0.0, catch_up=1000, evidence=SOON)
SAYING = catalogue.FEATURES.aspects["diagnosis_info"].name
SAYS = {"pod-1:9877": ("scaled", 98), "pod-2:9877": ("scaled", 102), "pod-3:9877": ("scaled", 102),
        "pod-4:9877": ("offset", 5)}  # fmt: skip
"""What replicas say has happened to the feature that drifts; one of them says nothing."""
SAID = Said(Overrides(
    {"age": Override(tolerance=0.2, weight=2.0, severity="ticket"), "member": Override(ignore=True),
     "code": Override(dependence=3.0, wander=0.04)}, {},
))  # fmt: skip

SILENT = {
    f"model_fleet_prediction_{one}" for one in ("drift_info", "drift_onset_timestamp_seconds", "diagnosis_replicas")
}
"""Families without a series here, because no output drifts."""


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return calibrated(make_profile(tmp_path_factory.mktemp("profile")))


@pytest.fixture(scope="module")
def told(profile: Profile) -> tuple[str, Any]:
    """What five replicas showed, and what each pane really held: one of them is gone and another one new at pane 8."""
    draw = np.random.default_rng(1)
    pods = {f"pod-{n}:9877": Pod(profile, draw, T0 - 9000.0, SAID) for n in range(5)}
    samples: defaultdict[str, list[str]] = defaultdict(list)
    shift = drifted(profile, "amount", 0.15)
    for pane in range(PANES + 1):
        if pane == 8:
            pods.pop("pod-0:9877")
            pods["pod-9:9877"] = Pod(profile, draw, T0 + PANE * pane - 5.0, SAID)
        for instance, pod in pods.items():
            pod.count(40, shift if pane > DRIFT_AT else None)
            for line in pod.page().decode().splitlines():
                if not line.startswith("#"):
                    name, labels, value = _taken_apart(line)
                    where = f'{labels}{"," * bool(labels)}job="models",instance="{instance}"'
                    samples[name].append(f"{name}{{{where}}} {value} {T0 + PANE * pane}")
            if pane > DRIFT_AT and instance in SAYS:
                code, times = SAYS[instance]
                words = (
                    f'feature="amount",code="{code}",text="amount <looks> ×{times}",job="models",instance="{instance}"'
                )
                of = f'model="{MODEL[0]}",model_version="{MODEL[1]}",profile="{profile.short_digest}",{words}'
                samples[SAYING].append(f"{SAYING}{{{of}}} 1 {T0 + PANE * pane}")
    text = []
    for name, lines in samples.items():
        is_counter = name.endswith("_total")
        text += [
            f"# TYPE {name.removesuffix('_total')} {'counter' if is_counter else 'gauge'}",
            *sorted(lines, key=lambda line: line.rsplit(" ", 2)[0]),
        ]
    return "\n".join((*text, "# EOF\n")), shift


def _taken_apart(line: str) -> tuple[str, str, str]:
    head, _, value = line.rpartition(" ")
    name, _, labels = head.partition("{")
    return name, labels.removesuffix("}"), value


@pytest.fixture(scope="module")
def url(told: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with recorded(tmp_path_factory.mktemp("prometheus") / "p", told[0]) as address:
        yield address


def poller(url: str, keeping: Keeping | None = None, settings: Settings = SETTINGS) -> Poller:
    return Poller(PrometheusClient(Access(url), timeout_s=30), settings, keeping, T0)


def end(pane: int) -> float:
    """When a pane of ours is over, Unix time."""
    return float(T0 + PANE * (pane + 1))


def numbers(one: Poller, now_s: float = 0.0) -> Any:
    (found,) = one.told(now_s)
    return found.verdict.streams.tolist(), found.verdict.nats, found.verdict.onset_s.tolist()


@pytest.fixture(scope="module")
def steadily(url: str) -> Poller:
    """One that has asked every minute."""
    asking = poller(url)
    for pane in range(PANES):
        assert asking.poll(end(pane))
    return asking


def test_what_replicas_show_is_what_they_hold_their_own_counts_against(url: str, profile: Profile) -> None:
    client = PrometheusClient(Access(url), timeout_s=30)
    asked = [client.query(queries.referred(side, ("job",), ""), T0 + 60) for side in queries.SIDES]
    ((fleet, found),) = answers.known(asked, queries.SIDES, ("job",)).items()
    assert fleet == Fleet(("models",), *MODEL, profile.short_digest)
    said = SAID.overrides.features
    expected = {
        Place(side, column.name): of_column(replace(column, hours=()), said.get(column.name, NOTHING))
        for side, every in enumerate((profile.features, profile.outputs)) for column in every if column.name != "member"
    }  # fmt: skip
    got = {place: streams.of_column(one) for place, one in found.items()}
    assert got.keys() == expected.keys()
    for place, stream in expected.items():
        alike = {"source": stream.source and "profile", "ordered": got[place].ordered}
        assert got[place] == stream._replace(**alike), place
        assert got[place].ordered == stream.ordered or place.name == "constant"


def test_of_the_reference_one_replica_tells_as_much_as_all_do_and_none_tells_nothing(url: str) -> None:
    """So that a leader alone may show it, and whoever has read it goes on while nobody does."""
    client = PrometheusClient(Access(url), timeout_s=30)
    by_bin = {family.name for side in queries.SIDES for family in order.reference(side)}

    def known(instances: str, *, by_all: bool = True) -> dict[Fleet, dict[Place, answers.Known]]:
        asked = [client.query(queries.referred(side, ("job",), instances), T0 + 60) for side in queries.SIDES]
        shown = [[one for one in answer if by_all or one[0]["__name__"] not in by_bin] for answer in asked]
        return answers.known(shown, queries.SIDES, ("job",))

    assert known("") == known('instance="pod-4:9877"') != {}
    assert [columns for columns in known("", by_all=False).values() if columns] == []


def test_a_fleet_is_judged_as_one_model_that_sees_all_of_it(steadily: Poller, url: str) -> None:
    """The engine, fed with what the panes really held, says the same to the last digit."""
    (found,) = steadily.told(end(PANES))
    client = PrometheusClient(Access(url), timeout_s=30)
    engine = Engine([streams.of_column(one) for one in found.columns.values()], Terms(SOON))
    rows = 0
    for pane in range(PANES):
        asked = [client.query(queries.counted(side, ("job",), "", PANE), end(pane)) for side in queries.SIDES]
        counts = answers.counts(asked, queries.SIDES, ("job",))[found.fleet]
        array = np.zeros((len(found.columns), 30), np.int64)
        for at, place in enumerate(found.columns):
            for bin_, value in counts[place].items():
                array[at, bin_] = value
        rows += int(array.sum(axis=1).max())
        engine.pane(array, end(pane - 1))
    expected = engine.told(end(PANES))
    assert expected
    assert rows == 40 * 5 * PANES, "the new replica's first rows are in it, those of nobody twice"
    assert found.verdict.streams.tolist() == expected.streams.tolist()
    assert found.replicas == 5


def test_drift_that_no_replica_shows_alone_pages_and_is_named(steadily: Poller) -> None:
    (found,) = steadily.told(end(PANES))
    verdict, places = found.verdict, list(found.columns)
    assert verdict.nats >= verdict.threshold
    amount = places.index(Place(0, "amount"))
    assert int(verdict.streams.argmax()) == amount
    assert verdict.onset_s[amount] == pytest.approx(end(DRIFT_AT), abs=5 * PANE)


def test_who_comes_late_asks_for_every_pane_and_says_the_same(steadily: Poller, url: str) -> None:
    late = poller(url)
    assert late.poll(end(0))
    assert late.poll(end(PANES - 1))
    assert numbers(late) == numbers(steadily)
    assert late.skipped == 0


def test_what_was_over_for_too_long_is_left_out_and_counted(url: str) -> None:
    late = poller(url, settings=replace(SETTINGS, catch_up=10))
    assert late.poll(end(0))
    assert late.poll(end(30))
    assert late.skipped == 19


def test_asking_twice_changes_nothing(steadily: Poller) -> None:
    before = numbers(steadily)
    for _ in range(3):
        assert steadily.poll(end(PANES - 1) + 20)
        assert steadily.poll(end(PANES - 5)), "a clock that was set back"
    assert numbers(steadily) == before


def test_a_clock_that_was_days_ahead_does_not_keep_a_fleet_from_being_watched(url: str, tmp_path: Path) -> None:
    before = poller(url, Keeping(str(tmp_path), 60.0))
    assert before.poll(end(3))
    assert before.poll(end(3) + 86400 * 2), "ahead"
    before.end()
    after = poller(url, Keeping(str(tmp_path), 60.0))
    for one in (before, after):
        assert one.poll(end(4))
        assert one.poll(end(PANES - 1))
        assert one.asked_until_s == end(PANES - 1)
        (told,) = one.told(0.0)
        assert told.rows > 0
        assert told.verdict.nats > told.verdict.threshold


def test_what_was_kept_under_a_clock_that_was_ahead_is_not_gone_on_with(url: str, tmp_path: Path) -> None:
    before = poller(url, Keeping(str(tmp_path), 60.0))
    assert before.poll(end(8))
    (watched,) = before._watched.values()
    watched._last[0] += 2 * 1440
    before.end()
    after = poller(url, Keeping(str(tmp_path), 60.0))
    assert after.poll(end(8))
    (anew,) = after._watched.values()
    assert anew.last == int(end(8)) // PANE - 1


def test_a_prometheus_that_is_away_costs_nothing_but_time(url: str, steadily: Poller) -> None:
    asking = poller(url)
    assert asking.poll(end(0))
    there = asking._client
    asking._client = PrometheusClient(Access(f"http://127.0.0.1:{free_port()}"), timeout_s=5)
    assert not asking.poll(end(15))
    assert asking.failed["answer"] == 1
    assert asking.asked_until_s == end(0)
    asking._client = there
    assert asking.poll(end(PANES - 1))
    assert numbers(asking) == numbers(steadily)


@pytest.mark.parametrize("ended", [14, 30])
def test_a_restart_goes_on_with_what_was_kept(url: str, steadily: Poller, tmp_path: Path, ended: int) -> None:
    before = poller(url, Keeping(str(tmp_path), 60.0))
    assert before.poll(end(0))
    assert before.poll(end(ended))
    before.end()
    after = poller(url, Keeping(str(tmp_path), 60.0))
    assert after.poll(end(PANES - 1))
    assert numbers(after) == numbers(steadily)
    assert not after.errors


def test_what_was_kept_and_is_damaged_is_set_aside_and_counted(url: str, tmp_path: Path) -> None:
    before = poller(url, Keeping(str(tmp_path), 60.0))
    assert before.poll(end(5))
    before.end()
    (file,) = tmp_path.glob("*.ixstate")
    file.write_bytes(file.read_bytes()[:-100])
    after = poller(url, Keeping(str(tmp_path), 60.0))
    assert after.poll(end(6))
    assert after.errors == {"unreadable": 1}
    assert len(list(tmp_path.glob("*.unreadable-*"))) == 1


def test_beyond_the_limit_fleets_are_left_out_and_counted(url: str) -> None:
    by_pod = poller(url, settings=replace(SETTINGS, by=("instance",), limit=3))
    assert by_pod.poll(end(5))
    assert by_pod.watched == 3
    assert by_pod.left_out == 2
    assert [one.fleet.by for one in by_pod.told(0.0)] == [("pod-0:9877",), ("pod-1:9877",), ("pod-2:9877",)]


def test_who_has_no_replicas_left_is_no_longer_shown_and_makes_room(url: str) -> None:
    by_pod = poller(url, settings=replace(SETTINGS, by=("instance",), limit=5))
    assert by_pod.poll(end(6))
    assert by_pod.poll(end(30))
    assert [one.fleet.by for one in by_pod.told(0.0)] == [(f"pod-{n}:9877",) for n in (1, 2, 3, 4, 9)]
    assert (by_pod.watched, by_pod.left_out) == (5, 0)


def test_what_is_shown_is_in_the_catalogue_and_finite(steadily: Poller) -> None:
    told = steadily.told(end(PANES))
    families = {one.name: one for one in catalogue.families()}
    every = [*collecting.collect(told, ("job",)), *collecting.of_itself(steadily, len(told))]
    for samples in every:
        own = samples.family.labels
        assert set(own) <= set(families[samples.family.name].labels)
        assert all(len(labels) == len(own) and math.isfinite(value) for labels, value in samples.values)
        if samples.family.name.startswith("model_fleet_"):
            assert own[:4] == ("job", "model", "model_version", "profile")
    exposed = {one.family.name: dict(one.values) for one in every}
    fleet = ("models", *MODEL, told[0].fleet.profile)
    assert exposed["model_fleet_drift_evidence_ready"] == {fleet: 1}
    assert exposed["model_fleet_replicas"] == {fleet: 5}
    assert exposed["model_fleet_rows_total"] == {fleet: 40 * 5 * PANES}
    assert exposed["model_fleet_feature_drift_info"] == {(*fleet, "amount", "up", "", "sudden"): 1}
    said = {(*fleet, "amount", "scaled", "amount <looks> ×102"): 3}
    assert exposed["model_fleet_feature_diagnosis_replicas"] == said
    assert exposed["model_fleet_feature_drift_dependence_factor"][*fleet, "code"] == 3.0
    assert exposed["model_fleet_prediction_drift_evidence_nats"].keys() == {(*fleet, "score")}


def test_what_is_exposed_is_what_somebody_has_seen(steadily: Poller) -> None:
    """But for the numbers, which are of hours that begin at another pane each time."""
    told = steadily.told(end(PANES))
    every = [*collecting.collect(told, ("job",)), *collecting.of_itself(steadily, len(told))]
    (digest,) = {one.fleet.profile for one in told}
    writing = Writing()
    text = b"".join(Rendered([writing.block(item) for item in every]).pieces(TEXT))
    page = without_values(settled(text.decode(), {digest: "of churn"}))
    assert_golden("fleet.txt", page)
    shown = {line.split("{")[0].split(" ")[0] for line in page.splitlines() if not line.startswith("#")}
    assert {one.name for one in catalogue.families() if "_fleet_" in one.name} - shown == SILENT
    promtool = subprocess.run(
        [tool("promtool", "prometheus"), "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (promtool.returncode, promtool.stdout, promtool.stderr) == (0, b"", b"")


def test_the_status_page_says_it_in_words_that_nobody_can_make_into_markup(steadily: Poller) -> None:
    (found,) = steadily.told(end(PANES))
    strange = found._replace(fleet=found.fleet._replace(model="<b>"))
    shown = Shown(Rendered([]), [strange], end(PANES), is_ready=True)
    page = create_app(lambda: shown, "http://p:9090", ("job",)).test_client().get("/").text
    assert re.search(r"amount moved up, sudden, since \d{4}-", page)
    assert "amount &lt;looks&gt; ×102 (3 replicas)" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
