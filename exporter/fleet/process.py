"""The process of `inference-exporter fleet`: asks in its first thread, and serves in others what it made of it."""

import logging
import signal
import socket
import time
from typing import Final

from exporter import logs, sockets
from exporter.collect import web
from exporter.collect.rendered import Rendered
from exporter.collect.writing import Writing
from exporter.fleet import collecting
from exporter.fleet.ending import Ending
from exporter.fleet.keeping import Keeping
from exporter.fleet.poller import Poller
from exporter.fleet.settings import Settings
from exporter.fleet.web import Shown, create_app
from exporter.prometheus import Access, PrometheusClient
from exporter.web import in_force
from exporter.web.entrance import Entrance, Said

_LOG: Final = logging.getLogger("exporter.fleet")


def run(settings: Settings) -> int:
    """Watch until a signal ends it; the exit code. ConfigError."""
    ending = Ending()
    ending.heed(signal.SIGTERM, signal.SIGINT)
    client = PrometheusClient(_access(settings), settings.prometheus.timeout)
    state = settings.state
    keeping = Keeping(state.directory, state.interval) if state.directory else None
    if settings.web.config_file:
        in_force.load(settings.web.config_file)
    sock = sockets.listen(settings.web.listen_address, "web.listen_address")
    logs.start(settings.log_level, lambda: None)
    _LOG.info("asking %s, serving on %s", client.url, settings.web.listen_address)
    _watch(Poller(ending.of(client), settings, keeping, time.time()), settings, (sock, client.url), ending)
    logs.finish()
    return 0


def _watch(poller: Poller, settings: Settings, places: tuple[socket.socket, str], ending: Ending) -> None:
    """`places` are where to serve and who is asked."""
    of, writing = settings.web, Writing()
    entrance = Entrance(Said(of.listen_address, of.config_file, of.allowed_hosts, {}))
    shown = [_shown(poller, settings, writing, entrance)]
    server = entrance.open(places[0], create_app(lambda: shown[0], places[1], settings.by), 0)
    try:
        while not ending.is_due:
            is_fine = poller.poll(time.time())
            shown[0] = _shown(poller, settings, writing, entrance)
            ending.wait(poller.pause_s(time.time(), is_fine))
    finally:
        poller.end()
        server.stop()


def _shown(poller: Poller, settings: Settings, writing: Writing, entrance: Entrance) -> Shown:
    """What pages are made of, until the next pane."""
    told = poller.told(time.time())
    items = (
        *collecting.collect(told, settings.by),
        *collecting.of_itself(poller, len(told)),
        *web.of(entrance.standing),
    )
    return Shown(Rendered([writing.block(item) for item in items]), told, poller.asked_until_s, poller.is_ready)


def _access(settings: Settings) -> Access:
    of = settings.prometheus
    headers = dict(one.split("=", 1) for one in of.headers)
    return Access(str(of.url), of.bearer_token_file, of.basic_auth_file, of.ca_file, headers)
