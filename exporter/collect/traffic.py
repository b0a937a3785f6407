"""Requests, rows and payloads."""

from collections.abc import Iterator

from exporter import catalogue
from exporter.collect.exposition import Distributions, Samples
from exporter.collect.scene import Scene
from exporter.records import DURATION_BOUNDS, SIZE_BOUNDS


def collect(scene: Scene) -> Iterator[Samples | Distributions]:
    """Families of the traffic as the model sees it."""
    labels, snapshot = scene.labels, scene.snapshot
    traffic, decoding = snapshot.traffic, snapshot.decoding
    yield Samples(catalogue.REQUESTS, [((*labels, code), count) for code, count in sorted(traffic.codes.items())])
    yield Distributions(catalogue.REQUEST_DURATION, DURATION_BOUNDS, [(labels, traffic.duration)])
    yield Distributions(catalogue.FAILED_DURATION, DURATION_BOUNDS, [(labels, traffic.failed_duration)])
    yield Distributions(catalogue.REQUEST_SIZE, SIZE_BOUNDS, [(labels, traffic.request_size)])
    yield Distributions(catalogue.RESPONSE_SIZE, SIZE_BOUNDS, [(labels, traffic.response_size)])
    rows = snapshot.rows
    yield Samples(catalogue.ROWS, [(labels, rows.observed)])
    yield Samples(catalogue.SERVED_ROWS, [(labels, rows.served)])
    yield Samples(catalogue.FAILED_ROWS, [((*labels, code), count) for code, count in rows.failed.items()])
    yield Samples(catalogue.WITHOUT_ID, [(labels, rows.predictions_without_id)])
    yield Samples(catalogue.UNKNOWN_FIELDS, [(labels, rows.unknown_fields)])
    yield Samples(catalogue.LAST_REQUEST, [(labels, traffic.last_wall_s)])
    yield Samples(catalogue.PROBES, [((), traffic.probes)])
    yield Samples(catalogue.PAYLOADS_OFFERED, [((side,), count) for side, count in decoding.offered.items()])
    yield Samples(catalogue.PAYLOADS_DECODED, [((side,), count) for side, count in decoding.decoded.items()])
    yield Samples(catalogue.PAYLOADS_PARTIAL, [((side,), count) for side, count in decoding.partial.items()])
    yield Samples(catalogue.PARTIAL_ROWS, [((side,), count) for side, count in decoding.partial_rows.items()])
    yield Samples(catalogue.PAYLOADS_UNDECODED, list(decoding.undecoded.items()))
