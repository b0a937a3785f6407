"""The families of single exchanges: what became of their spans and of the lines of the log."""

from typing import NamedTuple

from exporter.families import COUNTER, Family


class Witness(NamedTuple):
    """Whether what is kept of single exchanges arrives."""

    spans_offered: Family
    spans_exported: Family
    spans_dropped: Family
    lines_offered: Family
    lines_written: Family
    lines_dropped: Family


def _self(name: str, text: str, *labels: str) -> Family:
    return Family(f"inference_exporter_{name}", COUNTER, labels, text)


# fmt: off
def of_witness() -> Witness:
    """The families of it."""
    return Witness(
        spans_offered=_self("spans_offered_total", "Spans of exchanges that were to be sent (tracing.exporter): exported + dropped + those that wait. Absent where none are."),
        spans_exported=_self("spans_exported_total", "Spans that the collector took."),
        spans_dropped=_self("spans_dropped_total", "Spans that no collector has, by reason: the queue was full (`queue_full`, OTEL_BSP_MAX_QUEUE_SIZE), the `collector` did not take them after all tries, or the analyser died while they waited (`analyser_lost`).", "reason"),
        lines_offered=_self("prediction_log_lines_offered_total", "Lines of the prediction log that were to be written (prediction_log.to): written + dropped + those that wait. Absent where nothing is logged."),
        lines_written=_self("prediction_log_lines_written_total", "Lines of the prediction log that were written, or that their receiver took."),
        lines_dropped=_self("prediction_log_lines_dropped_total", "Lines of the prediction log that are nowhere, by reason: too many waited (`queue_full`, prediction_log.max_pending), the line was longer than prediction_log.max_line (`too_large`), the disk is full (`no_space`) or fails otherwise (`io`), the receiver cannot be reached (`unreachable`) or did not take them (`refused`), or the analyser died while they waited (`analyser_lost`).", "reason"),
    )
# fmt: on
