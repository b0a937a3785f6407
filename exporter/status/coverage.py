"""How much of the traffic the numbers rest on."""

from exporter.records import SIDES
from exporter.status.facts import CoverageFacts
from exporter.status.view import View

_REQUEST, _RESPONSE = SIDES


def of(view: View) -> CoverageFacts:
    """Since the start."""
    snapshot = view.scene.snapshot
    decoding, rows = snapshot.decoding, snapshot.rows
    blocks = [block for block in (snapshot.features, snapshot.outputs) if block is not None]
    fields = sum(block.match.fields for block in blocks)
    return CoverageFacts(
        requests_read=decoding.decoded.get(_REQUEST, 0), requests_offered=decoding.offered.get(_REQUEST, 0),
        answers_read=decoding.decoded.get(_RESPONSE, 0), answers_offered=decoding.offered.get(_RESPONSE, 0),
        unread={"/".join(key): count for key, count in decoding.undecoded.items() if count},
        fields_matched=sum(block.match.matched_fields for block in blocks) / fields if fields else None,
        unknown_fields=rows.unknown_fields, predictions_without_id=rows.predictions_without_id,
    )  # fmt: skip
