"""Diagnoses of a monitor: since when, for how long, by evidence too, and where they are shown."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from exposed import render
from monitor_scenes import exchange
from profile_tables import profile_of
from support import Metrics

from exporter import config
from exporter.collect import columns as collector
from exporter.collect.scene import Scene
from exporter.condition import Health, ProcessVitals, ServerVitals
from exporter.decode import Decoder
from exporter.diagnosis.changes import Changes
from exporter.evidence.verdict import Verdict
from exporter.guarantees import Evidence
from exporter.monitor import Monitor
from exporter.monitor.diagnosing import Diagnosing, evident
from exporter.monitor.gathering import Watching
from exporter.monitor.models import Models
from exporter.monitor.said import Said
from exporter.profile import document
from exporter.profile.directory import OneProfile
from exporter.reference import Profile
from exporter.sections import Windows
from exporter.snapshots import DIAGNOSIS, BlockSnapshot, Listed

WINDOWS = Windows(pane=1.0, lengths=(10.0, 300.0), minimum_samples=100)
QUIET = Watching(Evidence(enable=False))
Row = Mapping[str, Any]


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    path = tmp_path_factory.mktemp("profile")
    columns = {name: [row[name] for row in rows(4000, 1)] for name in ("amount", "age")}
    made, _ = profile_of(path / "t.csv", columns)
    return document.save(made, str(path / "profile.json"))


def rows(count: int, seed: int, factor: float = 1.0, filled: float = 0.0) -> list[dict[str, float]]:
    random = np.random.default_rng(seed)
    return [
        {"amount": -999.0 if random.random() < filled else float(random.lognormal(3, 0.5)) * factor,
         "age": float(random.integers(18, 80))}
        for _ in range(count)
    ]  # fmt: skip


def send(monitor: Monitor, given: list[dict[str, float]], start: float) -> list[tuple[str, str]]:
    """A hundred rows a second, each second scored; code and sentence at the end."""
    decoder = Decoder()
    for second in range(len(given) // 100):
        one = exchange(part := given[second * 100 : second * 100 + 100], [0.5] * len(part), start + second)
        monitor.observe(one, decoder.decode(one))
        monitor.flush()
        snapshot = monitor.snapshot(start + second)
    return listed(snapshot.features)


def listed(block: BlockSnapshot | None) -> list[tuple[str, str]]:
    assert block is not None
    return [(one.labels[0], one.labels[1]) for one in block.aspects
            if isinstance(one, Listed) and one.word == DIAGNOSIS]  # fmt: skip


def monitor_of(profile: Profile, wall_s: float = 0.0, watching: Watching = QUIET) -> Monitor:
    """One whose exchanges are timed from another moment than Unix time is."""
    return Monitor(profile, WINDOWS, (), Said(), watching._replace(wall=lambda at: at + wall_s))


# --- for how long


def test_a_sentence_stays_as_it_is_for_as_long_as_the_column_drifts(profile: Profile) -> None:
    monitor = monitor_of(profile)
    assert send(monitor, rows(2000, 2), 1000.0) == []
    first = send(monitor, rows(4000, 3, factor=100), 1020.0)
    assert first == [("scaled", "amount looks ×100 since 00:17 UTC (01 Jan)")]
    for at in range(2):
        assert send(monitor, rows(1000, 4 + at, factor=100), 1060.0 + 10 * at) == first


def test_it_is_another_one_with_another_fault_and_gone_with_the_drift(profile: Profile) -> None:
    monitor = monitor_of(profile)
    send(monitor, rows(3000, 3, factor=100), 1000.0)
    changed = send(monitor, rows(4000, 4, factor=1000), 1030.0)
    assert [text.split(" since")[0] for _, text in changed] == ["amount looks ×1000"]
    changed = send(monitor, rows(4000, 5, filled=0.5), 1070.0)
    assert [code for code, _ in changed] == ["default_filled"]
    assert send(monitor, rows(1500, 6), 1110.0) == []


def test_the_beginning_is_told_in_unix_time_with_what_was_changed_then(profile: Profile) -> None:
    monitor = monitor_of(profile, wall_s=1_700_000_000.0)
    monitor.changes.note(1_700_000_910.0, "version 7 came")
    send(monitor, rows(1000, 2), 1000.0)
    ((code, text),) = send(monitor, rows(2000, 3, factor=0.01), 1010.0)
    assert code == "scaled"
    assert text == "amount looks ÷100 since 22:30 UTC (14 Nov), 2 min after version 7 came"


# --- by evidence


def verdict(columns: int, **changed: Any) -> Verdict:
    nothing: dict[str, Any] = {
        "nats": 0.0, "threshold": 10.0, "slow_nats": 0.0, "slow_threshold": 12.0, "stage": 2, "planned": False,
        "began_s": 500.0, "delays": {},
        **dict.fromkeys(("streams", "slow_streams", "tolerance", "dependence", "onset_s", "skew", "skew_critical"),
                        np.zeros(columns)),
        "monitored": np.ones(columns, bool),
    }  # fmt: skip
    return Verdict(**{name: changed.get(name, nothing.get(name, np.zeros(columns))) for name in Verdict._fields})


def test_columns_drift_by_evidence_with_its_beginning_and_by_skew_from_the_first_row() -> None:
    nats, onset = np.array([10.0, 9.9, 0.0, 11.0]), np.array([900.0, 800.0, 0.0, 0.0])
    found = verdict(4, streams=nats, onset_s=onset)
    assert evident(found, slice(0, 2)) == {0: 900.0}
    assert evident(found, slice(2, 4)) == {1: 500.0}, "the beginning is no earlier than the traffic's"
    skew = np.array([np.nan, 0.2, 0.2, 0.01])
    found = verdict(4, skew=skew, skew_critical=np.array([np.nan, 0.3, 0.05, 0.0]))
    assert evident(found, slice(0, 4)) == {2: 500.0}
    assert evident(verdict(4, slow_streams=np.full(4, 12.0)), slice(0, 4)) == dict.fromkeys(range(4), 500.0)
    assert evident(verdict(4, streams=nats, monitored=np.zeros(4, bool)), slice(0, 4)) == {}


def test_what_moves_too_little_for_the_scores_is_diagnosed_where_evidence_has_it(profile: Profile) -> None:
    monitor = monitor_of(profile)
    features = monitor._sides.features
    assert features is not None
    diagnosing, decoder = Diagnosing(features.scope), Decoder()
    given = rows(2000, 7, filled=0.06)
    for start in range(0, 2000, 100):
        observed = decoder.decode(exchange(given[start : start + 100], [0.5], 5.0)).features
        features.add(features.fit(observed), observed, 0, 100)  # type: ignore[arg-type]
        batch = features.flush(5.0)
        assert batch is not None
        diagnosing.add(batch)
        snapshot = features.snapshot(5.0)
        without = list(Diagnosing(features.scope).told(5.0, snapshot.scores, (), Changes()))
        found = list(diagnosing.told(5.0, snapshot.scores, (), Changes(), {0: 3.0}))
    assert without == []
    assert [one.labels[0] for one in found] == ["default_filled"]


def test_real_evidence_names_a_fault_of_its_own_accord(profile: Profile) -> None:
    settings = Evidence(default_dependence=1.0, default_tolerance=0.03)
    monitor = monitor_of(profile, watching=Watching(settings))
    send(monitor, rows(3000, 8), 1000.0)
    found = send(monitor, rows(6000, 9, filled=0.09), 1030.0)
    assert [code for code, _ in found] == ["default_filled"]
    assert found[0][1].startswith("amount is filled with -999 in 10 % of the rows since 00:17 UTC")


# --- what was changed


def test_versions_profiles_and_starts_of_the_server_are_told_to_the_models_they_are_about(profile: Profile) -> None:
    clock = [1000.0]
    named = dataclasses.replace(profile, model="churn", version="6")
    watched = Models(config.resolve(("test", {"profile": "p.json"})), OneProfile(named, None), wall=lambda _: clock[0])

    def see(version: str) -> None:
        one = exchange(given := rows(5, 1), [0.5] * len(given), 1.0)
        watched.observe(one, dataclasses.replace(Decoder().decode(one), model="churn", version=version))
        watched.shown(1.0)

    def told() -> dict[str, list[str]]:
        return {one.label.version: [change.text for change in one.changes] for one in watched}

    see("6")
    assert told() == {"6": []}
    clock[0] = 2000.0
    see("7")
    assert told() == {"6": ["version 7 came"], "7": ["version 7 came"]}
    watched.chronicle.server = ProcessVitals(1.0, 1, 1900.0)
    see("7")
    see("7")
    assert told()["7"] == ["the model server started", "version 7 came"]
    clock[0] = 2100.0
    next(iter(watched)).refer(dataclasses.replace(named, digest="ab" * 32))
    see("7")
    assert told()["6"][-1] == "the profile abababab came"
    assert next(iter(watched)).monitor.changes is next(iter(watched)).changes


# --- where it is shown


def test_it_is_a_series_of_the_page(profile: Profile) -> None:
    monitor = monitor_of(profile)
    send(monitor, rows(3000, 3, factor=100), 1000.0)
    snapshot = monitor.snapshot(1030.0)
    scene = Scene("churn", "7", profile, snapshot, ServerVitals(), _health())
    ((labels, value),) = Metrics(render(collector.collect(scene)).decode()).all("model_feature_diagnosis_info")
    known = {"model": "churn", "model_version": "7", "profile": profile.short_digest, "feature": "amount"}
    text = labels["text"]
    assert (labels, value) == ({**known, "code": "scaled", "text": text}, 1)
    assert text.startswith("amount looks ×100 since ")


def _health() -> Health:
    return Health(started_wall_s=1.0, observed=0, relay=None)  # type: ignore[arg-type]


def test_nothing_of_it_is_written_to_a_disk(profile: Profile) -> None:
    monitor = monitor_of(profile)
    before = set(monitor.arrays()), {name for name, _ in monitor.held(1000.0)}
    send(monitor, rows(3000, 3, factor=100), 1000.0)
    assert (set(monitor.arrays()), {name for name, _ in monitor.held(1030.0)}) == before
