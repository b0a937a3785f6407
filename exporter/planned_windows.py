"""When something is planned that changes traffic, as the operator says it: a sale, a backfill, the end of a month.

`evidence.planned:` is a list of

    {name: black friday, from: "2026-11-27T00:00", to: "2026-11-30T00:00", zone: Europe/Berlin}    once
    {name: backfill, days: [mon, thu], from: "22:00", to: "02:00", zone: America/New_York}        by day of the week
    {name: month end, monthdays: [1, -1], from: "00:00", to: "24:00"}       by day of the month, -1 is its last one

Times are what clocks on the wall show in the zone, UTC where none is said. One that ends before it begins ends on the
next day; the day is the one on which it begins. The standard library only: every process reads settings.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple, TypeVar

from exporter.values import Fault, nearest

MOST: Final = 64
"""Windows."""
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT: Final = "24:00"
"""At the end of the day."""
UTC: Final = "UTC"
_LONGEST: Final = 128
"""Characters of a name."""
_DAYS_OF_MONTHS: Final = 31
_YEARS: Final = range(1970, 9999)
_DATE: Final = r"\d{4}-\d\d-\d\d"
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_LOCAL: Final = re.compile(rf"{_DATE}([T ]\d\d:\d\d(:\d\d)?)?")
_SHOWN: Final = 60
_One = TypeVar("_One")


class PlannedWindow(NamedTuple):
    """One of them, in the order of `_KEYS`."""

    name: str
    begins: str
    """Once: a local time of ISO 8601; else a time of day such as 02:00."""
    ends: str
    """The same; a time of day may be 24:00."""
    zone: str = UTC
    """An IANA name."""
    days: tuple[str, ...] = ()
    """Of the week, of DAYS."""
    monthdays: tuple[int, ...] = ()
    """From 1, or from the month's end, -1."""

    @property
    def recurs(self) -> bool:
        """Whether it comes again and again."""
        return bool(self.days or self.monthdays)


_KEYS: Final = ("name", "from", "to", "zone", "days", "monthdays")


def planned_windows(value: object) -> tuple[PlannedWindow, ...]:
    """Windows from a list or its JSON text. ValueError, naming the path, of what is wrong."""
    if isinstance(value, str):
        value = _json(value)
    if not isinstance(value, list | tuple):
        raise ValueError(f"must be a list of mappings with name, from and to, not {_shown(value)}")  # noqa: TRY004 (settings raise one error)
    if len(value) > MOST:
        raise ValueError(f"must not be more than {MOST}")
    return tuple(_window(item, f"[{place}]") for place, item in enumerate(value))


def _json(text: str) -> object:
    try:
        return json.loads(text) if text.strip() else ()
    except (ValueError, RecursionError):
        example = '[{"name": "sale", "from": "2026-11-27T00:00", "to": "2026-11-30T00:00"}]'
        raise ValueError(f"must be JSON such as {example}, not {_shown(text)}") from None


def _window(item: object, path: str) -> PlannedWindow:
    if isinstance(item, list | tuple) and len(item) == len(_KEYS):  # as it travels to child processes
        item = {key: said for key, said in zip(_KEYS, item, strict=True) if said not in ([], ())}
    if not isinstance(item, Mapping):
        raise Fault(path, f"must be a mapping with name, from and to, not {_shown(item)}")
    for key in item:
        if key not in _KEYS:
            raise Fault(f"{path}.{key}", f"unknown key{nearest(str(key), set(_KEYS))}")
    for key in ("name", "from", "to"):
        if item.get(key) is None:
            raise Fault(f"{path}.{key}", "must be there")
    if "days" in item and "monthdays" in item:
        raise Fault(f"{path}.monthdays", "has no meaning beside days: give two windows")
    return (_recurring if "days" in item or "monthdays" in item else _once)(item, path)


def _once(item: Mapping[Any, Any], path: str) -> PlannedWindow:
    begins, ends = (_local(item[key], f"{path}.{key}") for key in ("from", "to"))
    if ends <= begins:
        raise Fault(f"{path}.to", f"must be after from, {begins}")
    return PlannedWindow(_name(item["name"], path), begins, ends, _zone(item.get("zone", UTC), path))


def _recurring(item: Mapping[Any, Any], path: str) -> PlannedWindow:
    begins, ends = (_clock(item[key], f"{path}.{key}") for key in ("from", "to"))
    if ends == begins:
        raise Fault(f"{path}.to", f'must be another time than from; a whole day is "00:00" to "{MIDNIGHT}"')
    if begins == MIDNIGHT:
        raise Fault(f"{path}.from", 'must be "00:00" of the next day')
    days = _list(item["days"], f"{path}.days", _day) if "days" in item else ()
    monthdays = _list(item["monthdays"], f"{path}.monthdays", _monthday) if "monthdays" in item else ()
    return PlannedWindow(_name(item["name"], path), begins, ends, _zone(item.get("zone", UTC), path), days, monthdays)


def _name(value: object, path: str) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= _LONGEST:
        raise Fault(f"{path}.name", f"must be text of 1 to {_LONGEST} printable characters, not {_shown(value)}")
    return value


def _zone(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise Fault(f"{path}.zone", f"must be the name of a time zone such as Europe/Berlin, not {_shown(value)}")
    import zoneinfo  # noqa: PLC0415 (the supervisor does without where nothing is planned)

    try:
        zoneinfo.ZoneInfo(value)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        close = nearest(value, zoneinfo.available_timezones()) or ", one is Europe/Berlin"
        raise Fault(f"{path}.zone", f"no time zone is called {_shown(value)} here{close}") from None
    return value


def _local(value: object, path: str) -> str:
    """A time on the wall as ISO 8601 writes it, to the second; of a day alone its beginning."""
    text = value.isoformat() if isinstance(value, date) else value  # YAML makes dates of what looks like one
    try:
        if isinstance(text, str) and _LOCAL.fullmatch(text):
            found = datetime.fromisoformat(text)
            if found.year in _YEARS:
                return found.isoformat()
    except ValueError:  # such as the 30th of February
        pass
    raise Fault(path, f'must be a local time such as "2026-11-27T00:00", its zone beside it, not {_shown(value)}')


def _clock(value: object, path: str) -> str:
    if isinstance(value, str) and (_CLOCK.fullmatch(value) or value == MIDNIGHT):
        return value
    # YAML makes 720 of 12:00.
    raise Fault(path, f'must be a time of day in quotes such as "02:00" beside days or monthdays, not {_shown(value)}')


def _list(value: object, path: str, read: Callable[[object, str], _One]) -> tuple[_One, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise Fault(path, f"must be a list that is not empty, not {_shown(value)}")
    found = tuple(read(one, f"{path}[{place}]") for place, one in enumerate(value))
    if len(set(found)) < len(found):
        raise Fault(path, "one day is there twice")
    return found


def _day(value: object, path: str) -> str:
    if value not in DAYS:
        raise Fault(path, f"must be one of {', '.join(DAYS)}, not {_shown(value)}")
    return str(value)


def _monthday(value: object, path: str) -> int:
    if type(value) is not int or not 1 <= abs(value) <= _DAYS_OF_MONTHS:
        raise Fault(path, f"must be 1 to 31, or -1 to -31 from the month's end, not {_shown(value)}")
    return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
