"""What version 0.1 has promised to those who join on it stays: a newer exporter may add to it, and take nothing away.

`contract-0.1.json` was written down once: the families that shipped rules and dashboards ask for, with type and labels,
the bins of numbers, settings, formats of files. It is never written anew; see docs/upgrades.md for what to do instead.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support import tool
from windows import MODEL, REFERENCE_ROWS, Monitor, profile_of, seen

from exporter import catalogue, config, errors
from exporter.collect import Renderer
from exporter.collect.rendered import TEXT
from exporter.collect.scene import Page, Scene
from exporter.condition import Health, ServerVitals
from exporter.decode.turned import Turned
from exporter.handoff import report
from exporter.profile import document
from exporter.records import Table
from exporter.sections import Windows
from exporter.state import image

ROOT = Path(__file__).parents[2]
CONTRACT: dict[str, Any] = json.loads(Path(__file__).with_name("contract-0.1.json").read_text())
MINUTES = 70
ROWS_A_MINUTE = 20
COUNTED = ("_total", "_bucket", "_count", "_sum")
HEARTBEAT = "InferenceExporterHeartbeat"
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.mark.parametrize("name", CONTRACT["families"])
def test_a_family_keeps_its_type_and_its_labels(name: str) -> None:
    """A label more would split what others match on; a label less would merge it."""
    family = {one.name: one for one in catalogue.families()}.get(name)
    assert family is not None, f"{name} has gone: deprecate it first, see docs/upgrades.md"
    promised = CONTRACT["families"][name]
    assert (family.type, set(family.labels)) == (promised["type"], set(promised["labels"]))


def test_bins_of_numbers_mean_what_they_meant() -> None:
    told = {f"{place:02d}": text for place, text in profile_of(1).features[0].bins()}
    outside = {name: meaning for name, meaning in CONTRACT["numeric_bins"].items() if "-" not in name}
    assert all(meaning in told[name] for name, meaning in outside.items())
    assert {*told} - {*outside} <= {f"{place:02d}" for place in range(1, 13)}


def test_settings_are_still_called_so() -> None:
    assert set(CONTRACT["settings"]) <= {key.name for key in config.every_key()}


def test_commands_still_end_with_these_codes() -> None:
    codes = {"usage": errors.ConfigError, "data": errors.DataError, "unavailable": errors.UpstreamError}
    assert {name: one.exit_code for name, one in codes.items()} == CONTRACT["exit_codes"]


def test_profiles_of_that_version_are_read_and_its_windows_too() -> None:
    assert set(CONTRACT["profile_formats"]) <= set(document._READ)
    assert CONTRACT["state_format"] == image.VERSION, "another format: say in docs/upgrades.md that windows start empty"


# --- an old replica and a new one side by side


@cache
def page() -> Series:
    """Of a sidecar whose traffic is rows of the training data, for seventy minutes."""
    profile, now = profile_of(2), 60.0 * MINUTES
    trained, draw = np.random.default_rng(1), np.random.default_rng(3)
    columns = np.array([trained.lognormal(size=REFERENCE_ROWS) for _ in profile.features])
    scores = trained.random(REFERENCE_ROWS)
    monitor = Monitor(profile, Windows(), ())
    for minute in range(MINUTES):
        exchange, observation = seen(draw.choice(columns, ROWS_A_MINUTE, axis=1).T.copy(), 60.0 * minute)
        answers = Turned(draw.choice(scores, (ROWS_A_MINUTE, 1)), 1)
        monitor.observe(exchange, replace(observation, predictions=Table(ROWS_A_MINUTE, None, answers)))
    monitor.flush()
    health = Health(0.0, 0, report.relay([], 0, 0), snapshot_wall_s=now)
    scene = Scene(MODEL, "1", profile, monitor.snapshot(now), ServerVitals(watched=False), health)
    text = b"".join(Renderer().render(Page((scene,), health)).pieces(TEXT)).decode()
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    return {(one.name, frozenset(one.labels.items())): one.value for one in samples}


def base(name: str) -> str:
    """The family that a series is of."""
    families = {one.name for one in catalogue.families()}
    ends = (name.removesuffix(end) for end in ("_bucket", "_count", "_sum"))
    return next((one for one in (name, *ends) if one in families), name)


def old() -> Series:
    """A replica of 0.1 has what was promised, and nothing that came later."""
    return {series: value for series, value in page().items() if base(series[0]) in CONTRACT["families"]}


def new() -> Series:
    """One of a version to come has all there is now, and more."""
    later: Series = {
        (f"model_feature_tomorrow_{end}", frozenset({("model", MODEL), ("model_version", "1"), ("feature", "f0")})): 1.0
        for end in ("ratio", "values_total")
    }
    return {_of_tomorrow(*series): value for series, value in page().items()} | later


def _of_tomorrow(name: str, labels: frozenset[tuple[str, str]]) -> tuple[str, frozenset[tuple[str, str]]]:
    renamed = {"exporter_version", *({"version"} if name == "inference_exporter_build_info" else ())}
    return name, frozenset((key, "0.2.0" if key in renamed else value) for key, value in labels)


def given(replicas: Mapping[str, Series]) -> Iterator[dict[str, str]]:
    """As promtool reads it: counters have grown evenly, gauges are as they are."""
    for instance, series in replicas.items():
        target = f'job="models",instance="{instance}:9877"'
        yield {"series": f"up{{{target}}}", "values": f"1x{MINUTES + 10}"}
        for (name, labels), value in series.items():
            told = "".join(f",{key}={json.dumps(text)}" for key, text in sorted(labels))
            grown = f"0+{value / MINUTES!r}" if name.endswith(COUNTED) else f"{value!r}"
            yield {"series": f"{name}{{{target}{told}}}", "values": f"{grown}x{MINUTES + 10}"}


def counts() -> Iterator[dict[str, Any]]:
    """What the rules must have recorded of both: the counts of an hour of each replica, added up."""
    family, length = "feature_bin:model_feature_bin:increase1h", 60 / MINUTES
    for (name, labels), value in page().items():
        if name == "model_feature_bin_total":
            told = ",".join(f'{key}="{text}"' for key, text in sorted(labels))
            yield expected(
                f"abs({family}{{{told}}} - {2 * length * value!r}) < bool 1e-6", 1, f'{{{told},job="models"}}'
            )
    yield expected(f"count({family})", sum(name == "model_feature_bin_total" for name, _ in page()))
    yield expected("count(feature:model_feature_psi:fleet1h < feature:model_feature_psi_critical:fleet1h)", 2)


def expected(expression: str, value: float, labels: str = "{}") -> dict[str, Any]:
    return {"expr": expression, "eval_time": f"{MINUTES}m", "exp_samples": [{"labels": labels, "value": value}]}


@pytest.mark.parametrize("rules", ["fleet.rules.yml", ""], ids=["sums", "pages"])
def test_an_old_replica_and_a_new_one_are_one_fleet_and_nobody_is_paged_for_that(rules: str, tmp_path: Path) -> None:
    found = [rules] if rules else [path.name for path in sorted((ROOT / "alert_rules").glob("*.rules.yml"))]
    quiet = {"expr": f'ALERTS{{alertstate="firing",alertname!="{HEARTBEAT}"}}', "eval_time": f"{MINUTES}m"}
    test = {
        "rule_files": [str(ROOT / "alert_rules" / name) for name in found],
        "evaluation_interval": "5m",
        "tests": [{
            "interval": "1m",
            "input_series": list(given({"old": old(), "new": new()})),
            "promql_expr_test": list(counts()) if rules else [quiet],
        }],
    }  # fmt: skip
    assert 0 < len(old()) < len(new())
    (tmp_path / "mixed.test.yml").write_text(json.dumps(test))
    done = subprocess.run(
        [tool("promtool", "prometheus"), "test", "rules", str(tmp_path / "mixed.test.yml")],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
