"""The exporter itself: what was relayed, what was lost and why, and what its processes cost."""

from collections.abc import Iterator

from exporter import catalogue
from exporter.collect.exposition import Distributions, Samples
from exporter.collect.scene import Page
from exporter.records import DURATION_BOUNDS, HOP_BOUNDS


def collect(page: Page) -> Iterator[Samples | Distributions]:
    """Families about ourselves; those of the relay where there is one."""
    health = page.health
    for family, value in (
        (catalogue.START, health.started_wall_s),
        (catalogue.RELOAD_SUCCESSFUL, int(health.reload_successful)),
        (catalogue.RELOAD_TIME, health.reloaded_wall_s),
        (catalogue.SNAPSHOT_TIME, health.snapshot_wall_s),
        (catalogue.SNAPSHOT_DURATION, health.snapshot_seconds),
    ):
        yield Samples(family, [((), value)])
    yield from _processes(page)
    if health.relaying:
        yield from _relay(page)


def _relay(page: Page) -> Iterator[Samples | Distributions]:
    health = page.health
    relay = health.relay
    for family, value in (
        (catalogue.OBSERVING, int(relay.observing)),
        (catalogue.OFFERED, relay.offered),
        (catalogue.OBSERVED, health.observed),
        (catalogue.RING_QUEUED, relay.ring_queued_bytes),
        (catalogue.RING_SIZE, relay.ring_bytes),
        (catalogue.CONNECT_ERRORS, relay.connect_errors),
    ):
        yield Samples(family, [((), value)])
    yield Samples(catalogue.PROXY_BYTES, [(("server",), relay.bytes_to_server), (("client",), relay.bytes_to_client)])
    for family, counts in (
        (catalogue.CONNECTIONS, relay.connections),
        (catalogue.CONNECTIONS_OPEN, relay.connections_open),
        (catalogue.DROPPED, relay.dropped),
        (catalogue.BODIES_SHED, relay.bodies_shed),
        (catalogue.SAMPLING, relay.sampling),
        (catalogue.OBSERVER_CPU, relay.observer_seconds),
        (catalogue.RING_FILL, health.ring_fill),
        (catalogue.ACCEPT_ERRORS, relay.accept_errors),
        (catalogue.CLOSED, relay.closed),
        (catalogue.UNOBSERVABLE, relay.unobservable),
        (catalogue.INCOMPLETE, relay.incomplete),
        (catalogue.PROXY_REQUESTS, relay.codes),
    ):
        yield Samples(family, [((key,), count) for key, count in counts.items()])
    yield Distributions(catalogue.PROXY_DURATION, DURATION_BOUNDS, [((), relay.duration)])
    yield Distributions(catalogue.HOP, HOP_BOUNDS, [((), relay.hop)])


def _processes(page: Page) -> Iterator[Samples]:
    health = page.health
    state = health.state
    yield Samples(catalogue.STATE_RESTORED, [((), int(state.restored))])
    yield Samples(catalogue.STATE_TIME, [((), state.kept_wall_s)])
    yield Samples(catalogue.STATE_SIZE, [((), state.kept_bytes)])
    yield Samples(catalogue.STATE_ERRORS, [((reason,), count) for reason, count in state.errors.items()])
    if (place := health.profile) is not None:
        yield Samples(catalogue.PROFILE_FOUND, [((), int(place.found))])
        yield Samples(catalogue.PROFILE_FOUND_TIME, [((), place.found_wall_s)])
        yield Samples(catalogue.PROFILE_KEPT, [((), int(place.kept))])
    for family, counts in ((catalogue.HEARTBEAT, health.heartbeats), (catalogue.LOG_LINES_LOST, health.log_lines_lost)):
        yield Samples(family, [((name,), count) for name, count in counts.items()])
    processes = health.processes
    yield Samples(catalogue.RESTARTS, list(health.restarts.items()))
    yield Samples(catalogue.PROCESS_CPU, [((name,), one.cpu_seconds) for name, one in processes.items()])
    yield Samples(catalogue.PROCESS_MEMORY, [((name,), one.resident_bytes) for name, one in processes.items()])
    yield Samples(catalogue.PROCESS_START, [((name,), one.started_wall_s) for name, one in processes.items()])
