"""GET /config: the settings in force, for people; what is secret or private stays hidden.

YAML with the keys of the reference. Files of secrets are named, and never opened. Of addresses the user, the password
and what follows a question mark are left out. Where columns are private, it is said how many a setting names.
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator
from threading import Thread
from typing import Any, Final

from flask import Flask, Response

from exporter import config
from exporter.config import Settings
from exporter.errors import ConfigError

_LOG = logging.getLogger("exporter.web")
_HEAD: Final = """# The settings in force: flags over environment variables over the file over defaults.
# Files of secrets are named, not shown; of addresses the user, the password and the query are left out.
"""
_PATTERNS: Final = ("privacy.deny", "privacy.hash")
_NAMES: Final = (
    "features", "outputs", "values", "segments.by", "segments.search", "evidence.group_key", "request_id.header",
    "request_id.columns", "request_id.pointer", "prediction_log.fields", "prediction_log.deny", "prediction_log.hash",
    "examples.fields",
)  # fmt: skip
"""Of columns and headers, which may be private."""
_CREDENTIALS: Final = re.compile(r"://\S*@")
"""Up to the last sign that may be an end of them: rather too much is hidden than too little."""
_BEHIND: Final = re.compile(r"(/[^?#]*)[?#].*", re.DOTALL)
"""A path, and what follows it in an address."""


class Latest:
    """The settings as they were told last: those of the relay change without a new analyser."""

    def __init__(self, first: Settings, lines: Iterable[bytes]) -> None:
        """`lines` are orders, as they come; a thread waits for them."""
        self._settings = first
        Thread(target=self._hear, args=(lines,), name="settings", daemon=True).start()

    def __call__(self) -> Settings:
        """As they are now."""
        return self._settings

    def _hear(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            try:
                self._settings = config.from_document(json.loads(line)["settings"])
            except (ValueError, KeyError, ConfigError) as error:  # cut off: who told it has ended
                _LOG.debug("orders that are none: %s", type(error).__name__)


def add(app: Flask, settings: Latest) -> None:
    """Have an application show them."""

    @app.get("/config")
    def show() -> Response:
        return Response(text(settings()), mimetype="text/plain")


def text(settings: Settings) -> str:
    """The page."""
    return _HEAD + "".join(f"{line}\n" for line in _lines(settings))


def _lines(settings: Settings) -> Iterator[str]:
    found = config.to_document(settings)
    private = (*_PATTERNS, *_NAMES) if settings.privacy.deny or settings.privacy.hash else ()
    section = ""
    for key in config.every_key():
        head, _, word = key.name.rpartition(".")
        if head != section:
            section = head
            yield from ("", f"{head}:")
        yield f"{'  ' if head else ''}{word}: {_shown(found[key.name], key.name in private)}"


def _shown(value: object, is_private: bool) -> str:
    if is_private and value:
        return f"# hidden, {len(value)} of them" if isinstance(value, list | tuple) else "# hidden"
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:  # noqa: ANN401 (whatever settings are made of)
    if isinstance(value, str):
        return _BEHIND.sub(r"\1?…", _CREDENTIALS.sub("://…@", value))
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
