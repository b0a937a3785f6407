"""The families of the search for parts of the traffic that a model serves worse than the rest."""

from typing import NamedTuple

from exporter.families import GAUGE, PROFILED, Family


class Worst(NamedTuple):
    """Of each part that is named; fields are called as those of `performed.WorstSegment`."""

    error: Family
    others_error: Family
    rows: Family
    nats: Family
    began_s: Family


class Search(NamedTuple):
    """Of the search; fields are called as those of `performed.Searched`."""

    cells: Family
    threshold: Family
    dependence: Family


# fmt: off
def of_worst() -> Worst:
    """The families of parts that are named."""
    return Worst(
        error=_named("error_ratio", "Share of wrong answers in a part of the traffic that the model serves worse than all the rest, by truths that came since model_worst_segment_onset_timestamp_seconds: another class, of numbers farther off than nine in ten in training, of rankings nothing relevant. Of all values of the features of segments.search, and of two of them together, the five at the most that add most wrong answers; named where evidence is enough, absent otherwise."),
        others_error=_named("others_error_ratio", "Share of wrong answers among all other rows, by truths of the same time."),
        rows=_named("truths", "Truths of the part since then: the n of model_worst_segment_error_ratio."),
        nats=_named("evidence_nats", "Evidence that the part is served worse than all other rows, by more than performance.tolerance: logarithm of an e-value. At any time at most one in twenty of the named ones is not, on average (e-BH over all that are searched)."),
        began_s=_named("onset_timestamp_seconds", "Unix time since which all numbers of the part are: since about then truths have come that say so."),
    )


def of_search() -> Search:
    """The families of the search itself."""
    return Search(
        cells=_profiled("segment_search_cells", "Values of the features of segments.search, and of two of them together, of which there was any truth: they are searched for parts that the model serves worse than the rest. Absent where nothing is searched."),
        threshold=_profiled("segment_search_threshold_nats", "Evidence that each part must have for so many to be named as are, or one where none is."),
        dependence=_profiled("segment_search_dependence_factor", "How many truths are taken to come as one by the search; measured, before that five times evidence.default_dependence."),
    )
# fmt: on


def _named(name: str, text: str) -> Family:
    return Family(f"model_worst_segment_{name}", GAUGE, (*PROFILED, "segment"), text)


def _profiled(name: str, text: str) -> Family:
    return Family(f"model_{name}", GAUGE, PROFILED, text)
