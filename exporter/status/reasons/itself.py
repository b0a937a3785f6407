"""Reasons that are the exporter's own: what it lost, and what of its settings is not in force."""

from collections.abc import Iterator
from typing import Final

from exporter.status.facts import Reason
from exporter.status.seen import Seen
from exporter.status.wording import share

_DAY_S: Final = 86400.0


def reasons(seen: Seen) -> Iterator[Reason]:
    """Of every model alike."""
    yield from _lost(seen)
    yield from _settings(seen)


def _lost(seen: Seen) -> Iterator[Reason]:
    least, counts = seen.limit("exporter.dropped_least"), seen.quarter
    dropped = counts.ratio("dropped", "offered", least)
    if dropped is not None and dropped > seen.limit("exporter.dropped"):
        yield seen.reason(
            "InferenceExporterDropping", f"The exporter lost {share(min(dropped, 1.0))} of the last exchanges."
        )
    shed = counts.ratio("shed", "offered", least)
    if shed is not None and shed > seen.limit("exporter.sampled"):
        words = f"Of {share(min(shed, 1.0))} of the last exchanges the exporter did not look into the bodies."
        yield seen.reason("InferenceExporterSampling", words)
    if counts.of("restarts") >= seen.limit("exporter.restarts"):
        yield seen.reason("InferenceExporterRestarting", "A process of the exporter dies again and again.")
    if counts.of("state errors") >= seen.limit("exporter.state_errors"):
        yield seen.reason("InferenceExporterStateNotKept", "The exporter cannot keep its windows.")


def _settings(seen: Seen) -> Iterator[Reason]:
    health = seen.view.page.health
    file, golden = health.web.file if health.web else None, health.golden
    if not health.reload_successful or (file is not None and not file.is_fine) or (golden and golden.fault):
        yield seen.reason("InferenceExporterReloadFailed", "The exporter could not take its new settings.")
    place = health.profile
    if place is not None and not place.found and (place.found_wall_s or health.profile_errors):
        words = "The exporter cannot have its profile from where it lives."
        yield seen.reason("InferenceExporterProfileUnavailable", words, place.found_wall_s or None)
    expires = file.expires_wall_s if file is not None else None
    if expires is not None and expires - seen.view.now < seen.limit("exporter.certificate_days") * _DAY_S:
        yield seen.reason("InferenceExporterCertificateExpires", "The certificate of this web address is about to end.")
