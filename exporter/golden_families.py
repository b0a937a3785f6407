"""The families of golden requests: known requests that are sent to the model server, and how they are answered."""

from typing import NamedTuple

from exporter.families import COUNTER, GAUGE, HISTOGRAM, MODEL, Family


class Golden(NamedTuple):
    """How golden requests are answered, and whether they are sent at all."""

    passing: Family
    cases: Family
    failing: Family
    case: Family
    checks: Family
    failures: Family
    duration: Family
    right: Family
    interval: Family
    rounds: Family
    round_time: Family
    file: Family
    exchanges: Family


def _model(name: str, kind: str, text: str, *labels: str) -> Family:
    return Family(f"model_golden_{name}", kind, MODEL + labels, text)


def _self(name: str, kind: str, text: str, *labels: str) -> Family:
    return Family(f"inference_exporter_golden_{name}", kind, labels, text)


# fmt: off
def of_golden() -> Golden:
    """All of them. Absent without golden.file, but for the last."""
    return Golden(
        passing=_model("pass_ratio", GAUGE, "Share of golden requests (golden.file) whose last answer was as expected, of those that this version has answered; by the version that the answer names, else the one that is served."),
        cases=_model("cases", GAUGE, "Golden requests that this version has answered, or should have, each counted once."),
        failing=_model("failing_cases", GAUGE, "Golden requests that have failed so many `times` at least, one after the other, by now: 1, 2 or 3. What begins to fail is asked again at the end of the same round, and then once a round.", "times"),
        case=_model("case_failed_times", GAUGE, "How often a golden request has failed one after the other by now; 0 where its last answer was as expected. Of 100 cases, those that fail before others.", "case"),
        checks=_model("checks_total", COUNTER, "Golden requests sent, by outcome: the answer was as expected (passed) or not (failed). They are in no other count of requests, rows or predictions.", "outcome"),
        failures=_model("failures_total", COUNTER, "Golden requests that failed, by reason: another `status`; a `body` that cannot be read; at some place of it another `value` or `type`, something that is `missing` or `extra`; a `version` of which nothing is expected; no answer in time (timeout); an answer that was cut off (unreachable); a file of a header that cannot be read (local).", "reason"),
        duration=_model("duration_seconds", HISTOGRAM, "Time from a golden request's first byte to its answer's last one, straight from the model server, the connection being there."),
        right=_model("right_timestamp_seconds", GAUGE, "Unix time of the last round of golden requests at whose end not one was failing; 0 before that."),
        interval=_self("interval_seconds", GAUGE, "How often every golden request is sent (golden.interval)."),
        rounds=_self("rounds_total", COUNTER, "Rounds of golden requests, by outcome: complete, or unreachable, where the model server accepted no connection or none of its models was ready.", "outcome"),
        round_time=_self("last_round_timestamp_seconds", GAUGE, "Unix time at which the last complete round of golden requests ended; 0 before that."),
        file=_self("file_last_reload_successful", GAUGE, "Whether golden.file is in force as it was read last; if not, the golden requests before stay."),
        exchanges=_self("exchanges_total", COUNTER, "Exchanges and events that are marked as golden requests, whoever sent them: they are relayed as all others, and counted here alone."),
    )
