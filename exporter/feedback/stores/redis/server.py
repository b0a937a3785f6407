"""A Redis or Valkey server: how to come to it, and what becomes of its errors. Every call is over within seconds."""

import importlib
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from exporter.errors import ConfigError
from exporter.feedback.password import Password
from exporter.feedback.stores import Access, Unavailable

_LOG: Final = logging.getLogger("exporter.feedback")
_CONNECT_S: Final = 3.0
_CALL_S: Final = 5.0
_AT_ONCE: Final = 1000
_PORT: Final = 6379
_PREFIX: Final = "inference-exporter:"
_TLS: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_FORM: Final = "feedback.store: must have the form redis://[USER@]HOST[:PORT][/DB[/PREFIX]], or rediss:"
_LONGEST: Final = 200
"""Characters of an error that are told."""


class Server:
    """A connection that is made when it is needed, and again after a fault."""

    def __init__(self, access: Access) -> None:
        """ConfigError where the address is none, or the library is missing."""
        try:
            self._redis = importlib.import_module("redis")
        except ImportError as error:
            words = f"redis needs its extra ({error.name}): pip install 'inference-exporter[redis]'"
            raise ConfigError(f"feedback.store: {words}") from None
        parts = _parts(access.url)
        db, _, prefix = parts.path.strip("/").partition("/")
        if db and not db.isdecimal():
            raise ConfigError(_FORM)
        self.prefix = unquote(prefix) + ":" if prefix else _PREFIX
        self._password = Password(access.password_file, unquote(parts.password) if parts.password else None)
        self._client = self._connected(parts, int(db or 0))
        self._script: Any = None
        self._is_checked = False

    def _connected(self, parts: SplitResult, db: int) -> Any:  # noqa: ANN401 (of a library that may be missing)
        backoff, retry, credentials = (
            importlib.import_module(f"redis.{name}") for name in ("backoff", "retry", "credentials")
        )
        user = unquote(parts.username) if parts.username else None
        password = self._password

        class Credentials(credentials.CredentialProvider):  # type: ignore[misc, name-defined]
            """Asked at each connect."""

            def get_credentials(self) -> tuple[str, ...]:
                said = password()
                return (user, said or "") if user else (said,) if said else ()

        has_secret = user is not None or password.is_there
        return self._redis.Redis(
            parts.hostname, parts.port or _PORT, db,
            credential_provider=Credentials() if has_secret else None,
            socket_connect_timeout=_CONNECT_S, socket_timeout=_CALL_S, socket_keepalive=True,
            retry=retry.Retry(backoff.NoBackoff(), 0), protocol=2,
            ssl=parts.scheme.lower() == "rediss", **dict(parse_qsl(parts.query)),
        )  # fmt: skip

    def run(self, *command: bytes | str | int) -> Any:  # noqa: ANN401 (as the command has it)
        """What a command that only reads answers. Unavailable."""
        return self._asked(lambda: self._client.execute_command(*command))

    def get(self, names: Sequence[bytes]) -> list[bytes | None]:
        """Values of names, None where there is none. Unavailable."""
        found: list[bytes | None] = []
        for first in range(0, len(names), _AT_ONCE):
            found += self.run("MGET", *names[first : first + _AT_ONCE])
        return found

    def commit(self, script: str, key: bytes, words: Sequence[bytes | str | int]) -> bytes | None:
        """What a script says; None for false. Unavailable."""
        if self._script is None:
            self._script = self._client.register_script(script)
        answer: bytes | None = self._asked(lambda: self._script(keys=[key], args=words))
        return answer

    def _asked(self, ask: Callable[[], Any]) -> Any:  # noqa: ANN401 (as above)
        try:
            if not self._is_checked:
                self._check()
            return ask()
        except (self._redis.RedisError, OSError, Unavailable) as error:
            self._is_checked = False
            self.close()
            if isinstance(error, Unavailable):  # the password's file
                raise
            raise Unavailable(f"redis: {self._password.hidden(str(error))[:_LONGEST]}") from None

    def _check(self) -> None:
        """Say so where it may throw away what is kept."""
        try:
            about = self._client.info("memory")
        except self._redis.ResponseError:  # not allowed to ask
            about = {}
        policy = about.get("maxmemory_policy", "noeviction")
        if about.get("maxmemory") and policy != "noeviction":
            _LOG.warning("redis may evict predictions: its maxmemory-policy is %s, it should be noeviction", policy)
        self._is_checked = True

    def used_bytes(self) -> int:
        """Memory of the whole server; 0 where it does not say."""
        try:
            return int(self.run("INFO", "memory").get("used_memory", 0))
        except Unavailable:
            return 0

    def verify(self) -> None:
        """ConfigError where the password cannot be read."""
        self._password.verify()

    def close(self) -> None:
        """Let go of it, until it is needed again. A connection that was not made to its end must not be used again."""
        try:
            self._client.connection_pool.disconnect()
        except (self._redis.RedisError, OSError) as error:
            _LOG.debug("redis: %s", type(error).__name__)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_one = bool(parts.hostname) and parts.port != 0 and not parts.fragment
    except ValueError:
        is_one = False
    if not is_one:
        raise ConfigError(_FORM)
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if name not in _TLS or parts.scheme.lower() != "rediss":
            raise ConfigError(f"{_FORM}; rediss: may have {', '.join(_TLS)} behind a question mark")
    return parts
