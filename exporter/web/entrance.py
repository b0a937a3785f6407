"""The way in, whole: the server, the guard before the pages, and what there is to tell of both."""

import socket
from collections.abc import Mapping, MutableSequence
from typing import Final, NamedTuple

from flask import Flask

from exporter.addresses import is_loopback
from exporter.condition import Web
from exporter.config import Settings
from exporter.handoff.board import Seat
from exporter.records import WEB_REFUSALS
from exporter.web import alerts, feedback, in_force, tokens
from exporter.web.guard import Guard, Rules
from exporter.web.in_force import InForce
from exporter.web.refused import Refused
from exporter.web.server import Doors, WebServer
from exporter.web.tokens import Token

_TOKEN_KEY: Final = "events.token_file"  # noqa: S105 (a setting)
_FEEDBACK_TOKEN_KEY: Final = "feedback.token_file"  # noqa: S105
_ALERTS_TOKEN_KEY: Final = "retrain.token_file"  # noqa: S105


def of_sidecar(settings: Settings, board: "memoryview[int]") -> "Entrance":
    """The way in of an analyser. What it counts outlives it, on the board."""
    of = settings.web
    token_files = {"/events": (_TOKEN_KEY, settings.events.token_file)}
    token_files |= dict.fromkeys(feedback.PATHS, (_FEEDBACK_TOKEN_KEY, settings.feedback.token_file))
    token_files[alerts.PATH] = (_ALERTS_TOKEN_KEY, settings.retrain.token_file)
    seats = board[Seat.WEB_REFUSED : Seat.WEB_REFUSED + len(WEB_REFUSALS)]
    return Entrance(Said(of.listen_address, of.config_file, of.allowed_hosts, token_files), seats)


def check(settings: Settings) -> None:
    """ConfigError where one of the files cannot be used."""
    if settings.web.config_file is not None:
        in_force.load(settings.web.config_file)
    if settings.events.token_file is not None:
        tokens.read(settings.events.token_file, _TOKEN_KEY)
    if settings.feedback.token_file is not None:
        tokens.read(settings.feedback.token_file, _FEEDBACK_TOKEN_KEY)
    if settings.retrain.token_file is not None:
        tokens.read(settings.retrain.token_file, _ALERTS_TOKEN_KEY)


class Said(NamedTuple):
    """What the settings say of it."""

    listen_address: str
    config_file: str | None
    allowed_hosts: tuple[str, ...]
    token_files: Mapping[str, tuple[str, str | None]]
    """By path: the setting that names a file, and the file."""


class Entrance:
    """One process's."""

    def __init__(self, said: Said, seats: "MutableSequence[int] | memoryview[int] | None" = None) -> None:
        """`seats` are where it is counted who was refused, one for each of WEB_REFUSALS."""
        hosts = tuple(name.lower() for name in said.allowed_hosts)
        by_path = {path: Token(file, key) for path, (key, file) in said.token_files.items() if file is not None}
        self._rules = Rules(hosts if hosts or is_loopback(said.listen_address) else None, by_path)
        self._in_force = InForce(said.config_file)
        self._refused = Refused(seats)

    def open(self, sock: socket.socket, app: Flask, longest_body: int) -> WebServer:
        """Serve an application; `longest_body` is what it takes, bytes, 0 where it takes none."""
        terms = self._in_force.now
        app.wsgi_app = Guard(app.wsgi_app, terms, self._rules, self._refused)  # type: ignore[method-assign]
        return WebServer(sock, app, longest_body, Doors(terms, self._refused))

    @property
    def standing(self) -> Web:
        """How it is now."""
        return Web(self._refused.counts, self._in_force.standing)
