"""The families of one side of a whole fleet, as `inference-exporter fleet` shows it. `catalogue` holds all of them."""

from typing import NamedTuple

from exporter.families import FLEET, GAUGE, PROFILED, Family


class FleetColumns(NamedTuple):
    """The families of one side of a whole fleet; the side's label comes behind the model's."""

    label: str
    evidence: Family
    tolerance: Family
    dependence: Family
    onset: Family
    info: Family
    diagnosis: Family


def of_fleet(side: str, label: str) -> FleetColumns:
    """The families of one side of a whole fleet, whose names have `side` in them and whose label is `label`."""

    def family(name: str, text: str, *labels: str) -> Family:
        return Family(f"model_fleet_{side}_{name}", GAUGE, (*FLEET, *PROFILED, label, *labels), text)

    return FleetColumns(
        label=label,
        evidence=family(
            "drift_evidence_nats",
            "Evidence of its own drift in the counts of all replicas, as the logarithm of what its bets have won; model_fleet_drift_evidence_nats is the logarithm of the mean of exp(nats) over columns.",
        ),
        tolerance=family(
            "drift_tolerance_ratio",
            "Share of its values that may change bin without evidence: evidence.tolerance or what the overrides say, what the reference may be off, and how much hours differ.",
        ),
        dependence=family("drift_dependence_factor", "How many of its values are taken to come as one by the fleet's evidence: from overrides, profile or traffic, else evidence.default_dependence."),
        onset=family(
            "drift_onset_timestamp_seconds",
            "Unix time since which it has drifted: the beginning of the pane after which the bet that has won most never lost all again; of columns alone whose evidence is enough among so many.",
        ),
        info=family(
            "drift_info",
            "1; how it has drifted: moved up or down, wider or narrower, one bin grew (`bin` says which) or changed otherwise; sudden, gradual, or nobody can tell. Of columns alone whose evidence is enough among so many.",
            "kind", "bin", "shape",
        ),
        diagnosis=family(
            "diagnosis_replicas",
            "Replicas that agree on what has happened to it: `code` is the kind of fault, `text` the sentence of most of them. Of columns alone whose evidence is enough among so many; absent where no code has more than half of the replicas that say anything.",
            "code", "text",
        ),
    )  # fmt: skip
