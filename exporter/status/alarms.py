"""Which alerts can be seen from here, what they make of a model, and why the others cannot.

The same severity as in the rules: a page is ACT, a ticket is WATCH, what is to be read some day changes nothing. Those
by which nobody sees what a model is asked are BLIND here, as a check of the rules is that rests on rows.
A test holds both tables against `alert_rules/`: no alert may be in neither.
"""

from collections.abc import Mapping
from typing import Final

from exporter.status.facts import ACT, BLIND, HEALTHY, WATCH

SEEN: Final[Mapping[str, str]] = {
    # drift
    "ModelDrift": ACT, "ModelDriftTicket": WATCH, "ModelDriftSlow": WATCH, "ModelTrainingServingSkew": WATCH,
    "ModelEvidenceUnready": WATCH, "ModelFeatureDrift": WATCH, "ModelPredictionDrift": WATCH,
    "ModelManyFeaturesDrift": ACT, "ModelAssociationDrift": HEALTHY, "ModelInputsUnusual": HEALTHY,
    "ModelSegmentDrift": WATCH,
    # values
    "ModelFeatureMissingSurge": WATCH, "ModelFeatureAbsent": WATCH, "ModelManyFeaturesAbsent": ACT,
    "ModelFeatureOutOfRange": WATCH, "ModelFeatureUnseen": WATCH, "ModelFeatureTypeErrors": WATCH,
    "ModelFeatureNonFinite": WATCH, "ModelFeatureStuck": WATCH, "ModelFeatureCollapse": WATCH,
    # payloads
    "ModelPayloadsUndecodable": WATCH, "ModelProfileMismatch": BLIND, "ModelCoverageLow": BLIND,
    "ModelFeatureFailures": WATCH, "ModelProfileOtherVersion": WATCH, "ModelProfileProvisional": HEALTHY,
    # serving
    "ModelServerDown": ACT, "ModelServerReplicaDown": WATCH, "ModelDependencyDown": WATCH,
    "ModelDependencyCertificateExpires": WATCH, "ModelErrors": ACT, "ModelLatency": ACT,
    "ModelGoldenFailing": ACT, "ModelGoldenCaseFailing": WATCH, "ModelGoldenStopped": WATCH,
    "ModelTrafficStopped": BLIND,
    # truth
    "ModelConceptDrift": ACT, "ModelPerformanceBelowTraining": WATCH,
    "ModelPerformanceEstimatedBelowTraining": WATCH, "ModelTargetDrift": WATCH, "ModelSegmentWorse": WATCH,
    "ModelSegmentPerformanceBelowTraining": WATCH, "InferenceExporterFeedbackStoreDown": WATCH,
    # age
    "ModelStale": WATCH, "ModelRetrainDue": WATCH, "ModelRetrainSoon": HEALTHY, "ModelRetrainRequested": HEALTHY,
    # loops
    "ModelTruthsSelective": HEALTHY, "ModelInputsFollowPredictions": HEALTHY,
    # the exporter
    "InferenceExporterDropping": WATCH, "InferenceExporterSampling": HEALTHY, "InferenceExporterRestarting": WATCH,
    "InferenceExporterStateNotKept": WATCH, "InferenceExporterReloadFailed": WATCH,
    "InferenceExporterProfileUnavailable": WATCH, "InferenceExporterCertificateExpires": WATCH,
}  # fmt: skip
"""By name what one makes of a model alone. Of columns, overrides may make a page of a ticket."""
_OTHERS: Final = "it compares replicas, models or jobs with each other"
_LONG: Final = "it asks for days that this process does not remember"
_ITSELF: Final = "it is about a process that could not say so itself"
_VERSIONS: Final = "it weighs versions over all replicas; `versions` has what is known of each here"
UNSEEN: Final[Mapping[str, str]] = {
    "ModelFeatureDriftsAcrossModels": _OTHERS, "ModelReplicaDiverges": _OTHERS, "ModelFleetDrift": _OTHERS,
    "ModelFleetDriftSlow": _OTHERS, "InferenceExporterFleetDown": _ITSELF, "InferenceExporterFleetBlind": _ITSELF,
    "InferenceExporterDown": _ITSELF, "InferenceExporterAllDown": _ITSELF, "InferenceExporterAbsent": _ITSELF,
    "InferenceExporterStale": _ITSELF, "InferenceExporterScrapeSlow": _ITSELF, "InferenceExporterHeartbeat": _ITSELF,
    "InferenceExporterSnapshotFailing": _ITSELF, "ModelErrorsSlow": _LONG, "ModelLatencySlow": _LONG,
    "ModelNoTraffic": _LONG, "ModelTruthStopped": _LONG, "ModelSchemaChange": _LONG, "ModelBusinessValueFell": _LONG,
    "ModelPredictionsNarrow": _LONG, "InferenceExporterHopSlow": _LONG, "InferenceExporterTruthsUnjoined": _LONG,
    "InferenceExporterFeedbackLost": _LONG, "InferenceExporterRetrainUndelivered": _LONG,
    "ModelCanaryDiffers": _VERSIONS, "ModelCanaryPerformsWorse": _VERSIONS, "ModelCanaryFails": _VERSIONS,
    "ModelServerCpuSaturated": "limits of containers are known to the cluster alone",
    "ModelServerMemorySaturated": "limits of containers are known to the cluster alone",
    "InferenceExporterSeriesDropped": "what has no room on /metrics is shown here all the same",
    "InferenceExporterUpstreamMetricsDown": "those metrics are asked for as somebody scrapes",
    "InferenceExporterModelsUnwatched": "it is of no model that is watched: see the notes of the sidecar",
    "InferenceExporterDroppingEvents": "events that were dropped are of no model: see /metrics",
}  # fmt: skip
"""Why the others are not told here."""
