"""The families of how truth comes, of what becomes of it, and of the store in which predictions wait for it."""

from typing import NamedTuple

from exporter.families import COUNTER, GAUGE, Family


class Feedback(NamedTuple):
    """How truth comes, and where predictions wait for it."""

    received: Family
    truths: Family
    unawaited: Family
    lost: Family
    refused: Family
    waiting: Family
    early: Family
    offered: Family
    predictions: Family
    dropped: Family
    predictions_waiting: Family
    found: Family
    found_early: Family
    joined: Family
    strangers: Family
    gone: Family
    buffered: Family
    buffer_limit: Family
    store: Family
    store_up: Family
    store_predictions: Family
    store_early: Family
    store_bytes: Family
    store_errors: Family
    store_set_aside: Family


def _self(name: str, kind: str, text: str, *labels: str) -> Family:
    return Family(f"inference_exporter_feedback_{name}", kind, labels, text)


# fmt: off
def of_feedback() -> Feedback:
    """The families of how truth comes."""
    return Feedback(
        received=_self("received_total", COUNTER, "Truths that came by POST /feedback and were taken: those of every outcome, those lost with the analyser, and those that wait for their store."),
        truths=_self("truths_total", COUNTER, "Truths by what became of them: `matched` with their prediction, `early` (kept until it comes), `late` (it is no longer kept), `orphan` (there is none), `duplicate` (said before), `conflicting` (said otherwise before: the first one stays), `malformed`.", "outcome"),
        unawaited=_self("truths_unawaited_total", COUNTER, "Truths that were told to the store only after their sender had been answered, because it was down, by what became of them.", "outcome"),
        lost=_self("truths_lost_total", COUNTER, "Truths that waited for their store when the analyser died: their senders were not told that they are joined, and may send them again."),
        refused=_self("truths_refused_total", COUNTER, "Truths that there was no room for within feedback.max_buffer: their senders were asked to come again, so that they are in no other count."),
        waiting=_self("waiting", GAUGE, "Truths that came and wait for their store."),
        early=_self("early_total", COUNTER, "Early truths by what became of them later: their prediction came (`matched`), did not within feedback.early (`orphan`), they were erased by id (`erased`), or the store lost them (`lost`). The others still wait in it.", "outcome"),
        offered=_self("predictions_offered_total", COUNTER, "Predictions with an id that were to be kept for their truth: kept, known, dropped, and those that wait for their store."),
        predictions=_self("predictions_total", COUNTER, "Predictions that the store has taken, `kept`, or had already under the same id, `known`: the first one stays.", "outcome"),
        dropped=_self("predictions_dropped_total", COUNTER, "Predictions with an id that are not kept for their truth, by reason: no room within feedback.max_buffer while the store is up (no_room) or down (store_down), or it would not have them (refused); they waited when the analyser died (analyser_lost).", "reason"),
        predictions_waiting=_self("predictions_waiting", GAUGE, "Predictions that wait for their store."),
        found=_self("predictions_found", GAUGE, "Open predictions that the store had at the start. Of a store that is not shared, found and kept are joined, gone and open."),
        found_early=_self("truths_found", GAUGE, "Early truths that the store had at the start, of which inference_exporter_feedback_early_total tells what became, too."),
        joined=_self("predictions_joined_total", COUNTER, "Predictions that were joined to their truth."),
        strangers=_self("predictions_unattributed_total", COUNTER, "Predictions joined here of models and versions that this exporter does not watch, such as another replica's of a shared store, beyond models.limit: they are in no measure."),
        gone=_self("predictions_gone_total", COUNTER, "Kept predictions that left the store without truth, by reason: older than feedback.retention or beyond feedback.max_predictions (expired), erased by id as somebody asked (erased), lost with the store (store_lost).", "reason"),
        buffered=_self("buffered_bytes", GAUGE, "Size of the predictions and truths that wait for their store."),
        buffer_limit=_self("buffer_limit_bytes", GAUGE, "Size that what waits for the store may have (feedback.max_buffer)."),
        store=_self("store_info", GAUGE, "1; where predictions wait for their truth, by the scheme of feedback.store.", "store"),
        store_up=_self("store_up", GAUGE, "Whether the store of predictions did what it was asked last; while it does not, predictions and truths wait."),
        store_predictions=_self("store_predictions", GAUGE, "Predictions in the store, by whether their truth is known: `open` or `joined`. Of a store that is shared all replicas' together, as are its early truths and bytes.", "state"),
        store_early=_self("store_early", GAUGE, "Truths in the store whose prediction is not known yet."),
        store_bytes=_self("store_bytes", GAUGE, "Size of the store, on disk or in its server; absent where it does not say."),
        store_errors=_self("store_errors_total", COUNTER, "Times that the store could not do what it was asked; it is asked again."),
        store_set_aside=_self("store_set_aside_total", COUNTER, "Times that the store could not read what it had kept: that is set aside, and it began anew."),
    )
# fmt: on
