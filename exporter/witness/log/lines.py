"""One exchange as a line of JSON. What is not known is left out; docs/prediction-log.md says what each word means."""

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import orjson

from exporter.records import Failure, Table
from exporter.reference import Profile
from exporter.traced import PredictionLog
from exporter.witness.fields import Fields
from exporter.witness.naming import IdsShown
from exporter.witness.seeing import Seen
from exporter.witness.traces import Trace

_LONGEST_PATH: Final = 512


class Lines:
    """Makes them."""

    def __init__(self, said: PredictionLog, fields: Fields, ids: IdsShown) -> None:
        self._fields, self._ids, self._most = fields, ids, said.max_rows

    def line(self, seen: Seen, trace: Trace | None, why: str) -> bytes:
        """It, with its end."""
        document = self._document(seen, trace, why)
        try:
            return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
        except orjson.JSONEncodeError:  # numbers beyond 64 bits, or half a character
            return f"{json.dumps(document, default=str)}\n".encode()

    def _document(self, seen: Seen, trace: Trace | None, why: str) -> dict[str, Any]:
        exchange, known, watched = seen.exchange, seen.known, seen.watched
        found: dict[str, Any] = {"time": moment(exchange.wall_ns), "model": watched.label.model,
                                 "model_version": watched.label.version}  # fmt: skip
        if watched.profile is not None:
            found["profile"] = watched.profile.short_digest
        if known.request_id and self._ids.of_request:
            found["request_id"] = known.request_id
        if trace is not None:
            found["trace_id"], found["span_id"] = trace
        found["method"], found["path"] = exchange.method, exchange.path[:_LONGEST_PATH]
        if exchange.status:
            found["code"] = exchange.status
        if exchange.duration_ns >= 0:
            found["duration_seconds"] = exchange.duration_ns / 1e9
        if exchange.first_byte_ns:
            found["first_byte_seconds"] = exchange.first_byte_ns / 1e9
        if known.protocol:
            found["protocol"] = known.protocol
        if known.shadow:
            found["shadow"] = True
        found["kept"] = why
        self._sides(seen, found)
        if seen.flags:
            self._flags(seen, watched.profile, found)
        return found

    def _sides(self, seen: Seen, found: dict[str, Any]) -> None:
        profile, unread, rows = seen.watched.profile, {}, 0
        for word, side, told in (
            ("features", "feature", seen.decoded.features), ("predictions", "output", seen.decoded.predictions)
        ):  # fmt: skip
            if isinstance(told, Table):
                rows = max(rows, told.rows)
                found[word] = self._fields.rows(told, profile, side, self._most)
                if told.partial:
                    found["partial"] = True
            elif isinstance(told, Failure):
                unread[word] = told.reason
        found["rows"] = rows
        ids = seen.known.row_ids
        if ids and self._ids.of_rows:
            found["row_ids"] = ids[: self._most]
        if unread:
            found["unread"] = unread

    def _flags(self, seen: Seen, profile: Profile | None, found: dict[str, Any]) -> None:
        """Which checks rows failed, but for those of fields that are not shown."""
        flags = [
            {"row": flag.row, "side": flag.side, "column": flag.column, "check": flag.check} for flag in seen.flags
            if not flag.column or self._fields.shows_column(profile, flag.column)
        ]  # fmt: skip
        if flags:
            found["flags"] = flags


def moment(wall_ns: int) -> str:
    """RFC 3339, in UTC, to a microsecond."""
    return f"{_second(wall_ns // 1_000_000_000)}.{wall_ns // 1000 % 1_000_000:06d}Z"


@lru_cache(maxsize=64)
def _second(wall_s: int) -> str:
    """Most of many lines are of the same second."""
    try:
        found = datetime.fromtimestamp(wall_s, UTC)
    except (OverflowError, ValueError, OSError):  # a clock that was set to nowhere
        found = datetime.fromtimestamp(0, UTC)
    return f"{found:%Y-%m-%dT%H:%M:%S}"
