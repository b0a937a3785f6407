"""The checks that a model passes or fails, and what each rests on: alerts, said once in their own rules.

`alert_rules/sources/health.yml` makes of them how a model is, as `<<text.checks_...>>`. An alert about models that has
no check breaks a test.
"""

import re
from typing import Final, NamedTuple

MODEL: Final = "cluster, namespace, job, model"
_KNOWN: Final = "model:model_info:timestamp"
_PROFILED: Final = "model:model_profile_info:last"


class Check(NamedTuple):
    """One line of the list."""

    name: str
    """As people read it: the label `check`."""
    passed: str
    """What is so where it passes."""
    alerts: tuple[str, ...]
    """What fails it: a page means act, a ticket means watch."""
    due: str = _KNOWN
    """For which models it is there."""
    needs_rows: bool = False
    """Whether nothing can be said while most rows are not seen."""
    needs_features: bool = False
    """Whether nothing can be said before windows of features hold enough."""


def _any(series: str) -> str:
    return f"group by ({MODEL}) ({series})"


CHECKS: Final = (
    Check("server", "Every replica accepts connections.", ("ModelServerDown", "ModelServerReplicaDown"),
          _any("model_server_up")),
    Check("resources", "CPU and memory are below their limits.",
          ("ModelServerCpuSaturated", "ModelServerMemorySaturated"), _any("model_server_process_visible == 1")),
    Check("dependencies", "What the model needs can be reached.",
          ("ModelDependencyDown", "ModelDependencyCertificateExpires"), _any("model_dependency_up")),
    Check("golden requests", "Known requests are answered as they should be.",
          ("ModelGoldenFailing", "ModelGoldenCaseFailing", "ModelGoldenStopped"), _any("model_golden_cases")),
    Check("traffic", "It is asked as usual.", ("ModelTrafficStopped", "ModelNoTraffic")),
    Check("errors", "As few requests fail as the objective allows.",
          ("ModelErrors", "ModelErrorsSlow", "ModelFeatureFailures")),
    Check("latency", "As few answers are late as the objective allows.", ("ModelLatency", "ModelLatencySlow")),
    Check("coverage", "Most rows are seen.", ("ModelCoverageLow",), needs_rows=True),
    Check("payloads", "Payloads are understood, and have the fields they always had.",
          ("ModelPayloadsUndecodable", "ModelProfileMismatch", "ModelSchemaChange")),
    Check("profile", "It is held against its own training data.",
          ("ModelProfileOtherVersion", "ModelProfileProvisional"), _PROFILED),
    Check("missing values", "No more are missing than in training.",
          ("ModelFeatureMissingSurge", "ModelFeatureAbsent", "ModelManyFeaturesAbsent"), _PROFILED, True, True),
    Check("wrong values", "They are of the right type, in range and known.",
          ("ModelFeatureOutOfRange", "ModelFeatureUnseen", "ModelFeatureTypeErrors", "ModelFeatureNonFinite"),
          _PROFILED, True, True),
    Check("stuck values", "They change as they always did.", ("ModelFeatureStuck", "ModelFeatureCollapse"),
          _PROFILED, True, True),
    Check("features", "They look like the training data.",
          ("ModelFeatureDrift", "ModelManyFeaturesDrift", "ModelFeatureDriftsAcrossModels", "ModelTrainingServingSkew",
           "ModelInputsUnusual"), _PROFILED, True, True),
    Check("predictions", "They look like those on the training data.",
          ("ModelPredictionDrift", "ModelAssociationDrift"), _any("model_prediction_reference_missing_ratio"), True),
    Check("performance", "It is as good as in training, as far as truths and estimates say.",
          ("ModelConceptDrift", "ModelPerformanceBelowTraining", "ModelPerformanceEstimatedBelowTraining",
           "ModelSegmentPerformanceBelowTraining", "ModelSegmentWorse"),
          _any("model_performance_samples or model_performance_estimated_accuracy")),
    Check("truth", "Truth arrives as it used to, and is distributed as in training.",
          ("ModelTruthStopped", "ModelTargetDrift"), _any("model_truths_joined_total")),
    Check("feedback loops", "Nothing points to a model that works on its own inputs and truths.",
          ("ModelPredictionsNarrow", "ModelTruthsSelective", "ModelInputsFollowPredictions"),
          _any("model_prediction_entropy_ratio"), True),
    Check("business values", "They are as high as over the month.", ("ModelBusinessValueFell",),
          _any("model_business_value_rows")),
    Check("segments", "Each part of the traffic looks as it did in training.", ("ModelSegmentDrift",),
          _any("model_segment_rows_total"), True),
    Check("replicas", "All are asked alike.", ("ModelReplicaDiverges",),
          f"count by ({MODEL}) (model_info) > 1", True),
    Check("versions", "A canary answers, performs and serves as the stable version does.",
          ("ModelCanaryDiffers", "ModelCanaryPerformsWorse", "ModelCanaryFails"),
          f"count by ({MODEL}) (group by ({MODEL}, model_version) (model_version_info)) > 1"),
    Check("drift", "There is no evidence of it, sudden or slow.",
          ("ModelDrift", "ModelDriftTicket", "ModelDriftSlow", "ModelFleetDrift", "ModelFleetDriftSlow",
           "ModelEvidenceUnready"), _PROFILED, True, True),
    Check("age", "It is not older than it may be, or nothing has moved since.",
          ("ModelStale", "ModelRetrainDue", "ModelRetrainSoon")),
    Check("retraining", "Nobody has been asked to train it again.", ("ModelRetrainRequested",),
          _any("model_retrain_state")),
    Check("exporter", "What watches the model is well itself.", ("InferenceExporter.+",)),
)  # fmt: skip
"""In the order in which people ask."""


def _labelled(expression: str, check: Check) -> str:
    return f'label_replace({expression}, "check", "{check.name}", "", "")'


def _failed(check: Check) -> str:
    names = "|".join(check.alerts)
    operator = "=~" if re.search(r"[|.]", names) else "="
    return f'max by ({MODEL}) (model_alertname:model_alerts:severity{{alertname{operator}"{names}"}})'


PHRASES: Final = {
    "checks_due": "\nor\n".join(_labelled(one.due, one) for one in CHECKS),
    "checks_failed": "\nor\n".join(_labelled(_failed(one), one) for one in CHECKS),
    "checks_of_rows": "|".join(one.name for one in CHECKS if one.needs_rows),
    "checks_of_features": "|".join(one.name for one in CHECKS if one.needs_features),
}
"""For the rules that ask for them."""
