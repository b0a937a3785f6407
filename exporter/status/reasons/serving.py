"""Reasons that are the server and what it needs: down, failing, late; known requests that it answers wrongly."""

from collections.abc import Iterator
from typing import Final

from exporter.status.facts import WATCH, Reason
from exporter.status.recent import Counts
from exporter.status.seen import Seen
from exporter.status.wording import listed, plural, share, text

SLOW: Final = "AnswersSlow"
_DAY_S: Final = 86400.0


def reasons(seen: Seen) -> Iterator[Reason]:
    """The server first."""
    yield from _server(seen)
    yield from _errors(seen)
    yield from _late(seen)
    yield from _golden(seen)
    yield from _dependencies(seen)


def _server(seen: Seen) -> Iterator[Reason]:
    """Whether other replicas are up nobody knows here: of this one it is said as if there were no other."""
    server, up_s = seen.view.scene.server, seen.recent.servers_up_s
    if not server.watched or server.up:
        return
    if up_s is not None and seen.view.now - up_s <= _DAY_S:
        yield seen.reason("ModelServerDown", "The model server does not accept connections.", up_s)
    else:
        yield seen.reason("ModelServerReplicaDown", "The model server has not accepted connections yet.")


def _errors(seen: Seen) -> Iterator[Reason]:
    limit = seen.limit("slo.fast_burn") * seen.limit("slo.failed")
    hour, now = seen.hour, seen.minutes
    ratio, lately = hour.ratio("failures", "requests"), now.ratio("failures", "requests")
    if ratio is None or lately is None:
        return
    if ratio > limit and lately > limit and hour.of("failures") >= seen.limit("slo.least"):
        yield seen.reason("ModelErrors", f"{share(lately)} of the requests of the last minutes failed.")
    yield from _failing_values(seen)


def _failing_values(seen: Seen) -> Iterator[Reason]:
    failed, profile = seen.view.scene.snapshot.failed, seen.view.scene.profile
    if failed is None or profile is None or not seen.quarter.of("failed rows"):
        return
    least, side = seen.limit("payloads.failures_moved"), seen.view.side("feature")
    ignored = [] if side is None else side.ignored.tolist()
    found = dict.fromkeys(
        text(profile.features[at].name)
        for one in failed.scores if one.code == "5xx"
        for at, (moved, critical) in enumerate(zip(one.total_variation.tolist(), one.critical.tolist(), strict=True))
        if moved > least and moved > critical and not ignored[at]
    )  # fmt: skip
    if found:
        only = next(iter(found)) if len(found) == 1 else ""
        words = f"Requests that fail have other values than those that do not: {listed(list(found))}."
        yield seen.reason("ModelFeatureFailures", words, column=only)


def _late(seen: Seen) -> Iterator[Reason]:
    """The objective is one for all models: only of one that was fast before it is news."""
    limit = seen.limit("slo.fast_burn") * seen.limit("slo.slow")
    late_s = seen.limit("slo.latency_seconds")
    hour, now = _slow(seen.hour, late_s), _slow(seen.minutes, late_s)
    if hour is None or now is None:
        return
    many = seen.hour.of("answers") - seen.hour.of(f"within {late_s:g}") >= seen.limit("slo.least")
    if not (hour > limit and now > limit and many):
        return
    before = None if seen.earlier is None else _slow(seen.earlier, late_s)
    words = f"{share(now)} of the answers of the last minutes took longer than {late_s:g} s"
    if before is None:
        yield Reason(SLOW, WATCH, f"{words}; whether it was faster before is not known yet.")
    elif before <= seen.limit("slo.fast_burn_6h") * seen.limit("slo.slow"):
        yield seen.reason("ModelLatency", f"{words}.")


def _slow(counts: Counts, late_s: float) -> float | None:
    answers = counts.of("answers")
    return 1 - counts.of(f"within {late_s:g}") / answers if answers else None


def _golden(seen: Seen) -> Iterator[Reason]:
    golden, now = seen.view.page.health.golden, seen.view.now
    if golden is None:
        return
    for one in golden.versions:
        if (one.model, one.version) == seen.view.key and one.asked:
            if one.failing.get(2, 0) >= seen.limit("golden.failing") * one.asked:
                words = f"{one.failing[2]} of {plural(one.asked, 'golden request')} are answered wrongly."
                yield seen.reason("ModelGoldenFailing", words)
            times = seen.limit("golden.failed_times")
            if wrong := [text(case.name) for case in one.cases if case.failed_times >= times]:
                yield seen.reason("ModelGoldenCaseFailing", f"Golden requests are answered wrongly: {listed(wrong)}.")
    last = max(golden.round_wall_s, seen.view.page.health.started_wall_s)
    if seen.view.scene.server.up and now - last > seen.limit("golden.stopped_intervals") * golden.interval_s:
        yield seen.reason("ModelGoldenStopped", "Golden requests are no longer sent.", last)


def _dependencies(seen: Seen) -> Iterator[Reason]:
    for one in seen.view.page.health.dependencies:
        if one.failure:
            words = f"{text(one.name)} cannot be reached: {one.failure}."
            yield seen.reason("ModelDependencyDown", words, one.success_wall_s or None)
        left = one.expiry_wall_s - seen.view.now
        if one.expiry_wall_s and left < seen.limit("serving.certificate_days") * _DAY_S:
            words = f"The certificate of {text(one.name)} ends in {max(left, 0) / _DAY_S:.0f} days."
            yield seen.reason("ModelDependencyCertificateExpires", words)
