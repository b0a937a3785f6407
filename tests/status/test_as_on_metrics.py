"""What is told is what stands on /metrics: both are made of one page, and every number is compared with its series."""

import math
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from support import tool
from whole_page import whole_page

from exporter import config
from exporter.collect import Renderer
from exporter.collect.rendered import TEXT
from exporter.rules import files
from exporter.status.facts import ColumnDetail, ModelFacts, PerformanceFacts, StatusFacts
from exporter.status.told import Told

SIDES = {"feature": "feature", "output": "prediction"}
SCORES = (
    "psi", "ks", "js_distance", "total_variation", "wasserstein_ratio", "mean_shift_zscore", "hellinger_distance",
    "kl_divergence", "l_infinity", "chi_square_pvalue", "tolerant_chi_square_pvalue",
)  # fmt: skip
Numbers = dict[tuple[str, ...], float]


class Both(NamedTuple):
    """The page as it is told, and as it is exposed."""

    told: Told
    now: StatusFacts
    text: str
    series: Mapping[str, list[tuple[Mapping[str, str], float]]]

    def exposed(self, name: str, keys: tuple[str, ...], **labels: str) -> Numbers:
        """Series of one name by these labels; NaN says what is not known."""
        found = self.series.get(name, [])
        return {
            tuple(of.get(label, "") for label in keys): value for of, value in found
            if labels.items() <= of.items() and not math.isnan(value)
        }  # fmt: skip

    def details(self, model: ModelFacts, side: str) -> Iterator[ColumnDetail]:
        """Whole columns."""
        for one in self.told.columns(model.model, model.version, side) or ():
            found = self.told.column(model.model, model.version, side, one.name)
            assert found is not None
            yield found


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    page = whole_page(tmp_path_factory.mktemp("page"))
    told = Told(config.resolve(("test", {"upstream": "http://127.0.0.1:9"})), files.defaults)
    told.show(page)
    now = told.now()
    assert now is not None
    text = b"".join(Renderer().render(page).pieces(TEXT)).decode()
    series: dict[str, list[tuple[Mapping[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            series.setdefault(sample.name, []).append((sample.labels, sample.value))
    return Both(told, now, text, series)


def of_model(one: ModelFacts) -> dict[str, str]:
    return {"model": one.model, "model_version": one.version}


def known(numbers: Mapping[tuple[str, ...], float | None]) -> Numbers:
    return {key: value for key, value in numbers.items() if value is not None}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("ending", ["", "_critical"])
def test_scores_and_what_chance_makes_of_them(both: Both, side: str, ending: str) -> None:
    compared = 0
    for model in both.now.models:
        told: dict[str, Numbers] = {name: {} for name in SCORES}
        for detail in both.details(model, side):
            for one in detail.scores:
                value = one.critical if ending else one.value
                if value is not None:
                    told[one.statistic][detail.column.name, one.window] = value
        for name, numbers in told.items():
            exposed = both.exposed(f"model_{SIDES[side]}_{name}{ending}", (side, "window"), **of_model(model))
            assert exposed == pytest.approx(numbers, rel=1e-9), (model.model, name)
            compared += len(numbers)
    assert compared > 30


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("what", ["missing", "nonfinite", "out_of_range", "unseen", "type_error"])
def test_shares_of_values_that_are_not_as_they_should_be(both: Both, side: str, what: str) -> None:
    for model in both.now.models:
        details = both.details(model, side)
        facts = [(each.column.name, one) for each in details for one in each.quality if one.what == what]
        for ending, told in (
            ("", {(name, one.window): one.ratio for name, one in facts}),
            ("_critical", known({(name, one.window): one.critical for name, one in facts})),
        ):
            exposed = both.exposed(f"model_{SIDES[side]}_{what}_ratio{ending}", (side, "window"), **of_model(model))
            assert exposed == pytest.approx(told), (model.model, ending)
        trained = known({(name,): one.reference for name, one in facts if what == "missing"})
        exposed = both.exposed(f"model_{SIDES[side]}_reference_missing_ratio", (side,), **of_model(model))
        assert exposed == pytest.approx(trained) or what != "missing"


@pytest.mark.parametrize("side", SIDES)
def test_windows_evidence_and_bins_of_columns(both: Both, side: str) -> None:
    prefix = f"model_{SIDES[side]}"
    for model in both.now.models:
        details, of = list(both.details(model, side)), of_model(model)
        windows = {(each.column.name, one.window): one for each in details for one in each.windows}
        assert both.exposed(f"{prefix}_window_samples", (side, "window"), **of) == {
            key: one.samples for key, one in windows.items()
        }
        assert both.exposed(f"{prefix}_window_sufficient", (side, "window"), **of) == {
            key: one.sufficient for key, one in windows.items()
        }
        columns = [each.column for each in details]
        for name, numbers in (
            ("drift_evidence_nats", {(one.name,): one.evidence_nats for one in columns}),
            ("drift_onset_timestamp_seconds", {(one.name,): one.since for one in columns}),
        ):
            assert both.exposed(f"{prefix}_{name}", (side,), **of) == pytest.approx(known(numbers)), name
        slow = both.exposed(f"{prefix}_slow_drift_evidence_nats", (side,), **of)
        assert slow.items() <= {(one.name,): pytest.approx(one.slow_evidence_nats) for one in columns}.items()
        bins = {(one.name, each.bin): each for one in columns for each in one.bins}
        reference = both.exposed(f"{prefix}_reference_ratio", (side, "bin"), **of)
        assert reference == pytest.approx({key: one.reference for key, one in bins.items()})
        texts = {(*key, one.text): 1 for key, one in bins.items()}
        assert both.exposed(f"{prefix}_bin_info", (side, "bin", "text"), **of) == texts


def test_diagnoses_are_told_word_for_word(both: Both) -> None:
    found = 0
    for model in both.now.models:
        for side, word in SIDES.items():
            told = {(one.name, one.diagnosis_code, one.diagnosis)
                    for one in both.told.columns(model.model, model.version, side) or () if one.diagnosis}  # fmt: skip
            exposed = both.exposed(f"model_{word}_diagnosis_info", (side, "code", "text"), **of_model(model))
            assert set(exposed) == told
            found += len(told)
    assert found


def test_evidence_of_models(both: Both) -> None:
    for model in both.now.models:
        found, of = model.evidence, of_model(model)
        for name, told in (
            ("drift_evidence_nats", found and found.nats),
            ("drift_evidence_threshold_nats", found and found.threshold_nats),
            ("slow_drift_evidence_nats", found and found.slow_nats),
            ("slow_drift_evidence_threshold_nats", found and found.slow_threshold_nats),
            ("drift_evidence_since_timestamp_seconds", found and found.since),
            ("drift_evidence_ready", found and found.ready), ("drift_evidence_paused", found and found.paused),
        ):  # fmt: skip
            exposed = both.exposed(f"model_{name}", (), **of)
            assert exposed == ({} if told is None else {(): pytest.approx(float(told))}), name


def test_traffic_and_coverage(both: Both) -> None:
    for model in both.now.models:
        of, traffic, coverage = of_model(model), model.traffic, model.coverage
        codes = both.exposed("model_requests_total", ("code",), **of)
        assert {code: count for (code,), count in codes.items() if count} == traffic.codes
        assert traffic.requests == sum(codes.values())
        assert traffic.failed == sum(count for (code,), count in codes.items() if code >= "400")
        for name, told in (
            ("model_rows_total", traffic.rows), ("model_last_request_timestamp_seconds", traffic.last_request),
            ("model_unknown_field_values_total", coverage.unknown_fields),
            ("model_predictions_without_id_total", coverage.predictions_without_id),
            ("model_request_duration_seconds_count", traffic.latency.answered),
        ):  # fmt: skip
            assert both.exposed(name, (), **of) == {(): told}, name
        fields, matched = (
            sum(both.exposed(f"model_profile_{name}_total", ("side",), **of).values())
            for name in ("fields", "matched_fields")
        )
        assert coverage.fields_matched == (pytest.approx(matched / fields) if fields else None)


def test_payloads_that_were_read_and_those_that_were_not(both: Both) -> None:
    """On /metrics they are of all models, those among them that nobody watches."""
    read: Numbers = {("request",): 0, ("response",): 0}
    offered, unread = dict(read), dict[str, float]()
    for one in (model.coverage for model in both.now.models):
        read["request",] += one.requests_read
        read["response",] += one.answers_read
        offered["request",] += one.requests_offered
        offered["response",] += one.answers_offered
        for key, count in one.unread.items():
            unread[key] = unread.get(key, 0) + count
    exposed = both.exposed("inference_exporter_payloads_undecoded_total", ("side", "reason", "protocol"))
    assert unread.items() <= {"/".join(key): count for key, count in exposed.items() if count}.items()
    for name, told in (("decoded", read), ("offered", offered)):
        found: Numbers = {}
        for of, count in both.series[f"inference_exporter_payloads_{name}_total"]:
            found[of["side"],] = found.get((of["side"],), 0) + count
        assert all(told[key] <= found[key] for key in told), name


def test_quantiles_of_latency_are_those_that_prometheus_makes_of_the_buckets(both: Both, tmp_path: Path) -> None:
    buckets = [line.rpartition(" ") for line in both.text.splitlines()
               if line.startswith("model_request_duration_seconds_bucket{")]  # fmt: skip
    asked = [
        {
            "expr": f"round(1e9 * histogram_quantile({rank}, model_request_duration_seconds_bucket)) >= 0",
            "eval_time": "0m", "exp_samples": list(_expected(both, word)),
        }
        for rank, word in ((0.5, "p50_seconds"), (0.95, "p95_seconds"), (0.99, "p99_seconds"))
    ]  # fmt: skip
    path = tmp_path / "quantiles.test.yml"
    path.write_text(yaml.safe_dump({"rule_files": [], "tests": [{
        "interval": "1m", "input_series": [{"series": name, "values": value} for name, _, value in buckets],
        "promql_expr_test": asked,
    }]}))  # fmt: skip
    command = [tool("promtool", "prometheus"), "test", "rules", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _expected(both: Both, word: str) -> Iterator[dict[str, object]]:
    for one in both.now.models:
        value = getattr(one.traffic.latency, word)
        if value is not None:
            labels = f'{{model="{one.model}", model_version="{one.version}"}}'
            yield {"labels": labels, "value": round(1e9 * value)}


def test_performance_with_its_intervals(both: Both) -> None:
    compared = 0
    for model in both.now.models:
        for one in model.performance:
            of = of_model(model) | {"window": one.window} | ({} if one.estimated else {"by": "arrival"})
            prefix = "model_performance_estimated_" if one.estimated else "model_performance_"
            assert both.exposed(f"{prefix}samples", (), **of) == {(): one.samples}
            for told, exposed in _measures(both, one, prefix, of):
                assert exposed == pytest.approx(told)
                compared += 1
            trained = both.exposed("model_performance_accuracy_training", (), **of_model(model))
            accuracy = [each.training for each in one.measures if each.measure == "accuracy"]
            assert list(trained.values()) == accuracy or not accuracy
    assert compared > 50


def _measures(both: Both, one: PerformanceFacts, prefix: str, of: dict[str, str]) -> Iterator[tuple[Numbers, Numbers]]:
    for each in one.measures:
        name, _, of_class = each.measure.partition(" ")
        labels = of | ({"class": of_class} if of_class else {})
        for ending, told in (("", each.value), ("_lower", each.lower), ("_upper", each.upper)):
            yield known({(): told}), both.exposed(f"{prefix}{name}{ending}", (), **labels)


def test_profiles_versions_and_windows(both: Both) -> None:
    for model in both.now.models:
        of, profile = of_model(model), model.profile
        for name, told in (
            ("model_profile_rows", profile and profile.rows),
            ("model_profile_provisional", profile and profile.provisional),
            ("model_trained_timestamp_seconds", profile and profile.trained),
        ):  # fmt: skip
            assert both.exposed(name, (), **of) == known({(): told}), name
        if profile is not None:
            assert both.exposed("model_profile_rows", ("profile",), **of) == {(profile.digest,): profile.rows}
        (version,) = (one for one in model.versions if one.version == model.version)
        assert both.exposed("model_version_info", ("role",), **of) == ({(version.role,): 1} if version.role else {})
        assert both.exposed("model_deployed_timestamp_seconds", (), **of) == known({(): version.deployed})
        assert version.requests == model.traffic.requests
        since = {(one.window,): one.since for one in model.windows}
        assert both.exposed("model_window_start_timestamp_seconds", ("window",), **of) == pytest.approx(known(since))


def test_the_exporter_its_server_and_what_it_needs(both: Both) -> None:
    one = both.now.sidecar
    for name, told in (
        ("inference_exporter_exchanges_offered_total", one.offered),
        ("inference_exporter_exchanges_observed_total", one.observed),
        ("inference_exporter_observing", one.observing), ("inference_exporter_start_time_seconds", one.started),
    ):  # fmt: skip
        assert both.exposed(name, ()) == {(): told}, name
    dropped = both.exposed("inference_exporter_exchanges_dropped_total", ("reason",))
    assert {reason: count for (reason,), count in dropped.items() if count} == one.dropped
    up = known({(each.name,): each.up for each in one.dependencies})
    assert both.exposed("model_dependency_up", ("dependency",)) == up
    assert set(both.exposed("model_server_up", ()).values()) == {one.server_up}
    resident = both.exposed("inference_exporter_process_resident_memory_bytes", ("process",))
    assert resident == {(each.name,): each.resident_bytes for each in one.processes}


def test_what_became_of_golden_requests_is_noted_version_by_version(both: Both) -> None:
    versions = both.exposed("model_golden_cases", ("model", "model_version"))
    failing = both.exposed("model_golden_failing_cases", ("model", "model_version"), times="1")
    for (model, version), asked in versions.items():
        words = f"{model} {version}: {asked - failing[model, version]:.0f} of {asked:.0f} golden requests"
        assert any(one.startswith(words) for one in both.now.sidecar.notes) == bool(asked), words
