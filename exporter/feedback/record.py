"""One record of what was posted: whose truth it is, what turned out, and what is said beside it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from exporter.decode import identity
from exporter.performance.extra import HEAVIEST, MOST_WORTH, Extra, pack
from exporter.performance.task import DEEPEST, canonical
from exporter.truths import Truth, key_of
from exporter.values import Fault, nearest

KEYS: Final = ("id", "key", "row", "model", "truth", "weight", "value", "segments", "time")
"""What a record may say."""
_LONGEST: Final = 1024
"""Characters of a truth."""
_MOST_ROWS: Final = 10**9
_DAY_MS: Final = 86_400_000
_LARGEST: Final = 1.7976931348623157e308
Record = Mapping[str, Any]


class Rules(NamedTuple):
    """What records may say, as the settings have it."""

    columns: tuple[str, ...] = ()
    """Features that together are the id of a row."""
    segments: tuple[str, ...] = ()
    """Names of what divides the traffic."""
    most_bytes: int = 16 << 20
    most_records: int = 10_000


class Asked(NamedTuple):
    """What is to be erased."""

    request_id: str
    row: int | None
    """None is every row of the request."""


def truth_of(record: Record, rules: Rules, now_ms: int) -> Truth:
    """The truth that a record says. Fault: with the path to what is wrong."""
    for word in record:
        if word not in KEYS:
            raise Fault(f".{shown(word)}", f"unknown key{nearest(word, {*KEYS})}")
    key = key_of(_id(record, rules), _row(record.get("row")))
    content = content_of(record.get("truth"))
    extra = Extra(_weight(record.get("weight")), _value(record.get("value")), _segments(record.get("segments"), rules))
    model, predicted_ms = _model(record.get("model")), _predicted_ms(record.get("time"), now_ms)
    return Truth(key, model, now_ms, predicted_ms, content, pack(extra))


def asked(record: Record, rules: Rules) -> Asked:
    """What a record says is to be erased. Fault."""
    for word in record:
        if word not in {"id", "key", "row"}:
            raise Fault(f".{shown(word)}", "unknown key: id, or key, and row name what is to be erased")
    found = _id(record, rules)
    every = record.get("key") is None and record.get("row") is None
    return Asked(found, None if every else _row(record.get("row")))


def shown(word: str) -> str:
    """A stranger's key, as it may be shown."""
    return word[:40] if word[:40].isprintable() else ascii(word[:40])


# --- whose


def _id(record: Record, rules: Rules) -> str:
    if record.get("key") is not None:
        if record.get("id") is not None or record.get("row") is not None:
            raise Fault(".key", "has no meaning beside id and row: columns are the id of one row")
        return _of_columns(record["key"], rules)
    found = identity.spelled(record.get("id"))
    if not found:
        raise Fault(".id", _what_ids_are(record))
    return found


def _what_ids_are(record: Record) -> str:
    if record.get("id") is None:
        return "missing: what is this the truth of?"
    return f"must be a number or text of 1 to {identity.LONGEST} printable characters, as predictions have them"


def _of_columns(key: object, rules: Rules) -> str:
    if not rules.columns:
        raise Fault(".key", "no columns are the id of a row: set request_id.columns, or say id")
    if not isinstance(key, dict):
        raise Fault(".key", f"must be an object of {', '.join(rules.columns)}")
    for word in key:
        if word not in rules.columns:
            raise Fault(f".key.{shown(word)}", f"none of request_id.columns{nearest(word, {*rules.columns})}")
    words = [identity.spelled(key.get(name)) for name in rules.columns]
    for name, word in zip(rules.columns, words, strict=True):
        if not word:
            raise Fault(f".key.{name}", "missing" if key.get(name) is None else "must be a number or printable text")
    found = identity.of_key(words)
    if not found:
        raise Fault(".key", f"its values are longer than {identity.LONGEST} characters together")
    return found


def _row(value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise Fault(".row", "must be a whole number, 0 for the first row of the request")
    if not 0 <= value < _MOST_ROWS:
        raise Fault(".row", f"must be from 0 to {_MOST_ROWS - 1}")
    return int(value)


def _model(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or not identity.believed(value):
        raise Fault(".model", f"must be text of 1 to {identity.LONGEST} printable characters")
    return value


# --- what turned out


def content_of(value: object) -> bytes:
    """A truth, canonical. Fault."""
    if isinstance(value, dict):
        if len(value) != 1:
            raise Fault(".truth", f"must be one value, or an object of one output, not of {len(value)}")
        value = next(iter(value.values()))
    if value is None:
        raise Fault(".truth", "missing: what turned out?")
    if isinstance(value, list):
        _check_list(value)
    else:
        _check_scalar(value)
    return canonical(value)


def _check_scalar(value: object) -> None:
    if isinstance(value, str):
        if not 0 < len(value) <= _LONGEST:
            raise Fault(".truth", f"must be 1 to {_LONGEST} characters long")
        if not _is_unicode(value):
            raise Fault(".truth", "must be Unicode: half of a surrogate pair is alone")
    elif not _is_finite(value) and not isinstance(value, bool):
        raise Fault(".truth", "must be text, a finite number, true, false, or a list of numbers")


def _check_list(value: list[Any]) -> None:
    if not 0 < len(value) <= DEEPEST:
        raise Fault(".truth", f"must be a list of 1 to {DEEPEST} numbers, one for each rank")
    for place, one in enumerate(value):
        if not _is_finite(one):
            raise Fault(f".truth[{place}]", "must be a finite number")


def _is_finite(value: object) -> bool:
    """Whether it is a number that floats can hold."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# --- what is said beside it


def _weight(value: object) -> float:
    if value is None:
        return 1.0
    if not _is_finite(value) or not 0 <= value <= HEAVIEST:  # type: ignore[operator]
        raise Fault(".weight", f"must be a number from 0 to {HEAVIEST:g}")
    return round(float(value), 6)  # type: ignore[arg-type]


def _value(value: object) -> float | None:
    if value is None:
        return None
    if not _is_finite(value) or abs(value) > MOST_WORTH:  # type: ignore[arg-type]
        raise Fault(".value", f"must be a number from -{MOST_WORTH:g} to {MOST_WORTH:g}")
    return float(value)  # type: ignore[arg-type]


def _segments(value: object, rules: Rules) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise Fault(".segments", "must be an object such as {country: DE}")
    found = []
    for name, said in value.items():
        if name not in rules.segments:
            raise Fault(f".segments.{shown(name)}", f"none of segments.by{nearest(name, {*rules.segments})}")
        word = identity.spelled(said)
        if not word:
            raise Fault(f".segments.{name}", f"must be text of 1 to {identity.LONGEST} printable characters")
        found.append((name, word))
    return tuple(sorted(found))


def _predicted_ms(value: object, now_ms: int) -> int:
    if value is None:
        return 0
    if isinstance(value, str):
        found = _moment_ms(value)
    else:
        found = round(value * 1000) if _is_finite(value) and abs(value) < 1e15 else -1  # type: ignore[operator,arg-type]
    if found <= 0:
        raise Fault(".time", "must be a time after 1970, such as 2026-01-31T12:00:00Z or seconds since then")
    if found > now_ms + _DAY_MS:
        raise Fault(".time", "lies in the future; is it in seconds?")
    return found


def _moment_ms(text: str) -> int:
    """What names no zone is UTC; -1 where it is no time."""
    try:
        moment = datetime.fromisoformat(text)
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return -1
