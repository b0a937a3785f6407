"""The families of asking for a retraining: of each model how near it is, and of the exporter what became of events."""

from typing import NamedTuple

from exporter.families import COUNTER, GAUGE, MODEL, Family


class Retrain(NamedTuple):
    """Who was asked to train a model again, and why not."""

    state: Family
    ratio: Family
    held: Family
    asked: Family
    advice: Family
    events: Family
    waiting: Family
    retries: Family
    failures: Family
    suppressed: Family
    alerts: Family


def _model(name: str, text: str, *labels: str) -> Family:
    return Family(f"model_retrain_{name}", GAUGE, (*MODEL, *labels), text)


def _self(name: str, kind: str, text: str, *labels: str) -> Family:
    return Family(f"inference_exporter_retrain_{name}", kind, labels, text)


# fmt: off
def of_retraining() -> Retrain:
    """The families of it."""
    return Retrain(
        state=_model("state", "1; in which state the model is, and 0 for the other ones: `idle`, `holding` (something is found, and nobody was asked yet), `cooling` (and nobody will be until retrain.cool_down is over), `fired` (somebody was asked, and the episode goes on).", "state"),
        ratio=_model("evidence_ratio", "What there is of each kind of finding over what it takes, retrain.reasons or not: from 1 on it is found. Of drift and concept drift the evidence over its line, of performance by how many times retrain.fall or retrain.rise the whole interval of the worst measure lies beyond the training's value; below 0 it is better.", "kind"),
        held=_model("held_seconds", "How long something has been found, all in all, in this episode; somebody is asked from retrain.hold on."),
        asked=_model("requested_timestamp_seconds", "Unix time of the last event that asked for anything; absent before the first. With retrain.dry_run it was only logged."),
        advice=_model("advice_info", "1; what that event advised: retrain, rework or fix_the_pipeline.", "advice"),
        events=_self("events_total", COUNTER, "Events by what became of them: `sent`, or `undelivered` after retrain.attempts, retrain.give_up, an answer that cannot change, or another event of the same model.", "outcome"),
        waiting=_self("events_waiting", GAUGE, "Events that are on their way, one of each model at most."),
        retries=_self("retries_total", COUNTER, "Posts beside the first one of each event."),
        failures=_self("post_failures_total", COUNTER, "Posts that were in vain, by reason: the receiver was `unreachable`, did not answer in time (`timeout`), its certificate is not believed (`tls`), it answered another `status` than 2xx, or a file of a secret cannot be used (`local`).", "reason"),
        suppressed=_self("suppressed_total", COUNTER, "Times that something was found for long enough and nobody was asked, by reason, once an episode each: too little `evidence` (retrain.minimum_rows, retrain.minimum_truths), an `advice` that is not sent (retrain.advice, or to wait and see), the `cool_down`, retrain.dry_run; `state`: the disk has not yet told what was asked before; and `latched`: something was found again after somebody was asked.", "reason"),
        alerts=_self("alerts_total", COUNTER, "Alerts posted to /alerts: `taken`, `other` ones than retrain.alerts_on, or of an `unknown_model`, which is not watched here or has no profile. Absent where none are taken.", "outcome"),
    )
# fmt: on
