"""How the exporter itself is, and the model server."""

from collections.abc import Iterator

from exporter import __version__
from exporter.checked import GoldenChecked
from exporter.collect.scene import Page
from exporter.condition import DependencyState, ProcessVitals, ServerVitals
from exporter.status.facts import DependencyFacts, Failing, ProcessFacts, SidecarFacts
from exporter.status.known import moment
from exporter.status.wording import clock, plural, text

_MOST_VERSIONS = 10
"""Whose golden requests are told of."""


def of(page: Page, failures: tuple[Failing, ...]) -> SidecarFacts:
    """As it is on a page."""
    health = page.health
    server = page.scenes[0].server if page.scenes else ServerVitals(watched=False)
    return SidecarFacts(
        version=__version__, started=health.started_wall_s, observing=health.relay.observing,
        relaying=health.relaying, offered=health.relay.offered, observed=health.observed,
        dropped={reason: count for reason, count in health.relay.dropped.items() if count},
        server_up=server.up if server.watched else None,
        server=_process("model server", server.process) if server.process else None,
        processes=tuple(_process(name, one) for name, one in health.processes.items()),
        dependencies=tuple(_dependency(one) for one in health.dependencies), failures=failures,
        notes=tuple(_notes(page)),
    )  # fmt: skip


def _process(name: str, one: ProcessVitals) -> ProcessFacts:
    return ProcessFacts(name, one.cpu_seconds, one.resident_bytes, one.started_wall_s)


def _dependency(one: DependencyState) -> DependencyFacts:
    up = None if one.failure is None else not one.failure
    detail = f"{one.failure}: {one.detail}".removesuffix(": ") if one.failure else ""
    last = moment(one.success_wall_s)
    return DependencyFacts(text(one.name), text(one.place), up, text(detail), last, one.duration_s)


def _notes(page: Page) -> Iterator[str]:
    health, now = page.health, page.health.snapshot_wall_s
    if not health.reload_successful:
        yield "The settings as they are now in the file could not be used: those from before are in force."
    if health.web is not None and health.web.file is not None and not health.web.file.is_fine:
        yield "The web's own settings could not be used as they are now in the file."
    if sum(health.state.errors.values()):
        kept = moment(health.state.kept_wall_s)
        since = f"the last ones that were are of {clock(kept, now)}" if kept else "none were"
        yield f"Windows could not be kept or read at times, so a restart may begin with less: {since}."
    if health.profile is not None and not health.profile.found:
        kept_words = ", that of an earlier run is in force" if health.profile.kept else ""
        yield f"The profile could not be had from where it lives{kept_words}."
    yield from _counts(page)


def _counts(page: Page) -> Iterator[str]:
    health = page.health
    restarts = sum(health.restarts.values())
    if restarts:
        yield f"Processes of ours were started again {plural(restarts, 'time')}."
    refused = {reason: count for reason, count in page.attribution.refused.items() if count}
    if refused:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in refused.items())
        yield f"Of no model that is watched: {plural(sum(refused.values()), 'exchange')}; {reasons}."
    shed = {reason: count for reason, count in health.relay.bodies_shed.items() if count}
    if shed:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in shed.items())
        yield f"Bodies of {plural(sum(shed.values()), 'exchange')} were relayed and not looked at: {reasons}."
    if health.golden is not None:
        yield from _golden(health.golden, health.snapshot_wall_s)


def _golden(golden: GoldenChecked, now: float) -> Iterator[str]:
    last = f"last at {clock(golden.round_wall_s, now)}" if golden.round_wall_s else "not one yet"
    yield f"{plural(golden.cases, 'golden request')} every {golden.interval_s:g} s, {last}."
    for one in golden.versions[:_MOST_VERSIONS]:
        if one.asked:
            right = one.asked - one.failing[1]
            words = f"{right:,} of {one.asked:,} golden requests were answered as expected"
            yield f"{text(one.model)} {text(one.version)}: {words}."
