"""Colours and limits of numbers. A colour never stands alone: a word, a number or a line says the same."""

from typing import Final

from exporter.dashboards.pieces import Json

GREY, GREEN, ORANGE, RED, BLUE = "#8e8e8e", "green", "orange", "red", "blue"
_JUDGING: Final = frozenset({GREEN, ORANGE, RED})
NOT_ENOUGH: Final = "not enough data"
AT: Final = "dateTimeAsIsoNoDateIfToday"
"""The unit of a time that people look for on a time axis."""


def steps(*colours: tuple[float | None, str]) -> Json:
    """Thresholds: each colour from its value on, the first from None on, which is 0 where the colour judges.

    Grafana paints what has no value in the lowest colour, and what is not known is neither well nor bad.
    """
    (value, colour), *others = colours
    if value is None and colour in _JUDGING:
        return spans((None, GREY), (0, colour), *others)
    return spans(*colours)


def spans(*colours: tuple[float | None, str]) -> Json:
    """Thresholds of what paints nothing where there is no value: its legend needs no grey."""
    listed: list[Json] = [{"value": value, "color": colour} for value, colour in colours]
    return {"thresholds": {"mode": "absolute", "steps": listed}, "noValue": NOT_ENOUGH}


def judged(*colours: tuple[float | None, str]) -> Json:
    """Thresholds of what is well from 0 on, until the first of these."""
    return steps((None, GREEN), *colours)


def states(*named: tuple[int, str, str]) -> Json:
    """Value mappings: for each number its word and its colour."""
    options = {str(value): {"color": colour, "index": place, "text": text}
               for place, (value, text, colour) in enumerate(named)}  # fmt: skip
    return {"mappings": [{"options": options, "type": "value"}]}


def by_name(name: str, **properties: object) -> Json:
    """What the field of this name looks like; a property such as `custom.width` is given as `custom_width`."""
    return _override("byName", name, properties)


def by_pattern(pattern: str, **properties: object) -> Json:
    """What fields look like whose names match, a pattern between slashes."""
    return _override("byRegexp", pattern, properties)


def _override(matcher: str, name: str, properties: dict[str, object]) -> Json:
    listed = [{"id": key.replace("custom_", "custom."), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": matcher, "options": name}, "properties": listed}


PLAIN: Final = steps((None, "text"))
UNJUDGED: Final = {"colorMode": "none"}
"""Options of a stat that is neither good nor bad."""
NAMED: Final = {"legend": {
    "calcs": ["max"], "displayMode": "table", "placement": "right", "sortBy": "Max", "sortDesc": True,
}}  # fmt: skip
"""Options of many lines, of which a table says which is the highest."""
LOSSES: Final = judged((0.01, ORANGE), (0.05, RED))
MOVED: Final = judged((1, ORANGE))
LIMIT: Final = steps((None, "transparent"), (1, RED)) | {"custom": {"thresholdsStyle": {"mode": "line"}}}
ABOVE_ONE: Final = LIMIT | {"min": 0, "custom": {"thresholdsStyle": {"mode": "line"}, "axisSoftMax": 1.5}}
"""Of what is 1 at its limit, which is in sight though all is far below."""
STACKED: Final = {"custom": {"stacking": {"mode": "normal"}, "fillOpacity": 60, "lineWidth": 0}, "max": 1, "min": 0}
SHARE: Final = {"min": 0, "max": 1}
DASHED: Final = {"dash": [8, 6], "fill": "dash"}
"""A line of what is critical."""
BLANK: Final = by_pattern("/.*/", noValue="–")
"""Of tables: a cell that has nothing, which is not what the panel says where there is no row at all."""
NAMES: Final[Json] = {"unit": "string"}
"""Of a column of names: one such as 1.10 or 0 is no number."""
CRITICAL: Final = by_pattern("/^critical/", custom_lineStyle=DASHED)
