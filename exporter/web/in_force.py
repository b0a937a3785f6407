"""What the file of `--web.config.file` says, as it is in force: read again, with its certificates, when it changes.

It is looked at with each connection and each request. One that is broken leaves what was in force; at the very start
there is nothing in force yet, and then nobody is let in until it is mended.
"""

import dataclasses
import logging
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from exporter.condition import WebFile
from exporter.errors import ConfigError
from exporter.web import config_file, tls
from exporter.web.config_file import WebConfig
from exporter.web.limits import Bucket
from exporter.web.watching import Signs, signs

_LOG: Final = logging.getLogger("exporter.web")


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms clients are served."""

    context: ssl.SSLContext | None = None
    allowed_sans: frozenset[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    bucket: Bucket | None = None
    expires_s: float | None = None


def load(path: str) -> Terms:
    """What a file says. ConfigError with the path to the fault."""
    return _terms(config_file.load(path), path)


def _terms(said: WebConfig, path: str) -> Terms:
    rate, server = said.rate, said.tls
    bucket = Bucket(1 / rate.interval_s, rate.burst) if rate else None
    if server is None:
        return Terms(None, frozenset(), said.headers, said.users, bucket)
    try:
        context = tls.context(server)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return Terms(context, server.allowed_sans, said.headers, said.users, bucket, tls.expiry(server))


class InForce:
    """The terms, for any thread."""

    def __init__(self, path: str | None) -> None:
        """Without a file they are those of everybody. A broken one is logged, not raised."""
        self._path = path
        self._lock = threading.Lock()
        self._terms: Terms | None = Terms() if path is None else None
        self._paths: tuple[str, ...] = () if path is None else (path,)
        self._signs: Signs = ()
        self._is_fine = path is None
        self._since_wall_s = 0.0
        self.now()

    def now(self) -> Terms | None:
        """The terms of this moment; None where nobody may be served."""
        if self._path is not None:
            with self._lock:
                if (found := signs(self._paths)) != self._signs:
                    self._read(self._path, found)
        return self._terms

    def _read(self, path: str, found: Signs) -> None:
        self._signs = found
        try:
            said = config_file.load(path)
            beside = tls.files(said.tls)
            self._paths = (path, *beside)
            self._signs = (found[0], *signs(beside))  # of before they are read, as that of the file itself
            terms = _terms(said, path)
        except ConfigError as error:
            self._is_fine = False
            _LOG.error("%s: %s", "nobody is served" if self._terms is None else "what was in force stays", error)
            return
        if self._since_wall_s:
            _LOG.info("%s: read again", path)
        self._terms = _going_on(terms, self._terms)
        self._is_fine, self._since_wall_s = True, time.time()

    @property
    def standing(self) -> WebFile | None:
        """How the file is; None where there is none."""
        if self._path is None:
            return None
        self.now()
        with self._lock:
            return WebFile(self._is_fine, self._since_wall_s, self._terms.expires_s if self._terms else None)


def _going_on(terms: Terms, before: Terms | None) -> Terms:
    """A rate that has not changed does not begin anew."""
    if terms.bucket and before and before.bucket and terms.bucket.terms == before.bucket.terms:
        return dataclasses.replace(terms, bucket=before.bucket)
    return terms
