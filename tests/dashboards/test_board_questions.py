"""What boards compute themselves, asked of a real Prometheus: shares of the PSI, faults, and the worst few of many."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from monitoring import ask, recorded
from shipped_boards import substituted

from exporter import catalogue as c
from exporter.dashboards import faults
from exporter.dashboards.bins import Bins
from exporter.dashboards.boards.feature_words import words
from exporter.dashboards.choice import Choice
from exporter.dashboards.looks import GREY, NOT_ENOUGH
from exporter.dashboards.queries import of
from exporter.dashboards.worst import FEW, worst
from exporter.drift import psi
from exporter.drift.summary import of_bins

AT_S = 130 * 60
MODEL = 'job="models",model="churn",model_version="7"'
# By profile: how many values of the reference, and live ones a minute on each of two replicas, in each bin. One bin has
# live values alone, one the reference's alone, one neither.
PROFILES = {
    "0a1b2c3d": ((500, 300, 200, 0, 40, 0), ((4, 2, 0, 2, 0, 0), (6, 8, 4, 0, 0, 0))),
    "ffff0000": ((10, 20, 30, 40, 50, 60), ((2, 2, 2, 2, 2, 2), (0, 0, 0, 0, 0, 8))),
}
QUIET_S = 40 * 60
"""For so long no value came at first."""
MANY = 60
LATELY, ONCE = "f03", "f07"
"""The feature that is worst now, and one that was for a while."""
FAULTY = {"gaps": 0.02, "usual": 0.12, "allowed": 0.05, "fine": 0.0}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    lines = [*_of_bins(), *_of_many(), *_of_faults(), "# EOF", ""]
    with recorded(tmp_path_factory.mktemp("history") / "prometheus", "\n".join(lines)) as url:
        yield url


def _of_bins() -> Iterator[str]:
    def labels(profile: str, replica: int) -> str:
        return f'{MODEL},instance="{replica}",profile="{profile}",feature="amount"'

    replicas = [(profile, replica) for profile in PROFILES for replica in (0, 1)]
    counted = {"model_feature_bin_total": "counter", "model_feature_reference_ratio": "gauge",
               "model_feature_bin_info": "gauge"}  # fmt: skip
    for name, kind in counted.items():
        yield f"# TYPE {name.removesuffix('_total')} {kind}"
        for profile, replica in replicas:
            reference, rates = PROFILES[profile]
            for place, rate in enumerate(rates[replica]):
                words = f',text="{place} to {place + 1}"' if name.endswith("info") else ""
                for at in range(0, AT_S + 60, 60):
                    value = {"model_feature_bin_total": rate * max(0, at - QUIET_S) / 60,
                             "model_feature_reference_ratio": reference[place] / sum(reference),
                             "model_feature_bin_info": 1}[name]  # fmt: skip
                    yield f'{name}{{{labels(profile, replica)},bin="{place:02d}"{words}}} {value!r} {at}'
    yield "# TYPE model_feature_values counter"
    for profile, replica in replicas:
        for at in range(0, AT_S + 60, 60):
            values = sum(PROFILES[profile][1][replica]) * max(0, at - QUIET_S) / 60
            yield f"model_feature_values_total{{{labels(profile, replica)}}} {values!r} {at}"
    yield "# TYPE model_feature_reference_samples gauge"
    for profile, replica in replicas:
        for at in range(0, AT_S + 60, 60):
            yield f"model_feature_reference_samples{{{labels(profile, replica)}}} {sum(PROFILES[profile][0])} {at}"


def _of_many() -> Iterator[str]:
    yield "# TYPE model_feature_total_variation gauge"
    for place in range(MANY):
        name = f"f{place:02d}"
        for at in range(0, AT_S + 60, 60):
            high = (name == LATELY and at > AT_S - 300) or (name == ONCE and 3600 <= at <= 4500)
            value = 0.9 if high else 0.01 + place / 1000
            yield f'model_feature_total_variation{{{MODEL},instance="0",feature="{name}",window="1h"}} {value} {at}'


def _of_faults() -> Iterator[str]:
    of_each: dict[str, dict[str, float]] = {
        "model_feature_missing_ratio": {name: FAULTY[name] for name in ("gaps", "usual", "fine")},
        "model_feature_missing_ratio_critical": {"gaps": 0.01, "usual": 0.11, "fine": 0.01},
        "model_feature_reference_missing_ratio": {"gaps": 0.0, "usual": 0.1, "fine": 0.0},
        "model_feature_out_of_range_ratio": {name: FAULTY[name] for name in ("allowed", "fine")},
        "model_feature_out_of_range_ratio_critical": {"fine": 0.01},
        "model_feature_longest_run_values": {"fine": 150},
        "model_feature_longest_run_values_critical": {"fine": 20},
    }
    for name, values in of_each.items():
        window = "" if name == "model_feature_reference_missing_ratio" else ',window="1h"'
        yield f"# TYPE {name} gauge"
        for feature, value in values.items():
            for at in range(AT_S - 600, AT_S + 60, 60):
                yield f'{name}{{{MODEL},instance="0",feature="{feature}"{window}}} {value} {at}'


def _asked(url: str, text: str, at: int = AT_S, **span: Any) -> list[dict[str, Any]]:
    expr = substituted(Choice().filled(text))
    if span:
        answer = ask(f"{url}/api/v1/query_range", query=expr, start=at - 6 * 3600, end=at, step=60)
    else:
        answer = ask(f"{url}/api/v1/query", query=expr, time=at)
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


def _bins() -> Bins:
    return Bins(c.FEATURES, "$window", feature="$feature")


def _of_profile(found: list[dict[str, Any]], profile: str) -> dict[str, float]:
    return {one["metric"]["bin"]: float(one["value"][1]) for one in found if one["metric"]["profile"] == profile}


@pytest.mark.parametrize("profile", PROFILES)
def test_what_bins_add_to_the_psi_makes_the_psi_that_the_exporter_computes(prometheus: str, profile: str) -> None:
    reference, rates = PROFILES[profile]
    live = 60 * np.sum(rates, axis=0)
    expected = psi.score(of_bins(np.array([reference])), of_bins(live[None]))[0]
    found = _of_profile(_asked(prometheus, _bins().contributions()), profile)
    in_use = {f"{place:02d}" for place, both in enumerate(live + reference) if both > 0}
    assert set(found) == in_use
    assert min(found.values()) >= 0
    assert sum(found.values()) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("profile", PROFILES)
def test_shares_and_changes_of_bins_are_those_of_all_replicas_of_a_profile(prometheus: str, profile: str) -> None:
    reference, rates = PROFILES[profile]
    live = np.sum(rates, axis=0) / np.sum(rates)
    training = np.array(reference) / sum(reference)
    for text, expected in ((_bins().live(), live), (_bins().share(c.FEATURES.reference_ratio), training),
                           (_bins().change(), live - training)):  # fmt: skip
        found = _of_profile(_asked(prometheus, text), profile)
        assert [found[f"{place:02d}"] for place in range(len(reference))] == pytest.approx(expected.tolist(), abs=1e-9)


def test_bins_are_told_in_words(prometheus: str) -> None:
    for text in (_bins().contributions(), _bins().live(), _bins().change()):
        assert {(one["metric"]["bin"], one["metric"]["text"]) for one in _asked(prometheus, text)} >= {("00", "0 to 1")}


def test_without_values_in_the_window_bins_say_nothing_rather_than_something_wrong(prometheus: str) -> None:
    for text in (_bins().contributions(), _bins().live(), _bins().change()):
        assert _asked(prometheus, text, QUIET_S - 60) == []


def test_of_many_features_the_worst_now_and_the_worst_ever_are_shown_all_along(prometheus: str) -> None:
    moved = f"max by (feature) ({of(c.FEATURES.statistics['total_variation'], window='$window')})"
    found = {one["metric"]["feature"]: one["values"] for one in _asked(prometheus, worst(moved, "feature"), over=True)}
    assert FEW // 2 <= len(found) <= FEW
    assert {LATELY, ONCE} <= set(found)
    assert len(found[LATELY]) > 120, "from the beginning, not only while it is among the worst"


def test_a_fault_is_what_is_beyond_chance_and_what_the_rules_let_pass(prometheus: str) -> None:
    found = {(one["metric"]["feature"], one["metric"]["kind"]): float(one["value"][1])
             for one in _asked(prometheus, f"{faults.times_limit()} > 1")}  # fmt: skip
    assert found == {
        ("gaps", "missing"): pytest.approx(0.02 / (0.01 + 0.005)),
        ("allowed", "out of range"): pytest.approx(0.05 / 0.02),
    }


def test_a_feature_that_nobody_can_judge_is_not_called_steady(prometheus: str) -> None:
    of_panel = {panel.title: panel for panel in words()}
    assert _asked(prometheus, of_panel["Has $feature moved?"].queries[0].expr) == []
    assert of_panel["Has $feature moved?"].field["thresholds"]["steps"][0]["color"] == GREY
    happened = _asked(prometheus, of_panel["What seems to have happened"].queries[0].expr)
    assert [one["metric"]["text"] for one in happened] == [NOT_ENOUGH]


def test_kinds_that_are_no_fault_are_there_to_be_seen_all_the_same(prometheus: str) -> None:
    found = {(one["metric"]["feature"], one["metric"]["kind"]) for one in _asked(prometheus, faults.times_limit())}
    assert {("fine", "missing"), ("fine", "out of range"), ("fine", "stuck"), ("usual", "missing")} <= found
