"""Rows that nobody has, made up of a profile: from the middle, from the ends, with gaps, and drawn column by column.

Nothing is known of how columns go together, so drawn rows may be odd ones: the model answers those, too, and always
alike. The same profile makes the same rows.
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from exporter.errors import ConfigError
from exporter.reference import MISSING, Column, Profile

_DIGITS: Final = 4
"""Significant ones."""
Row = dict[str, Any]


def bodies(profile: Profile, form: str, most: int) -> list[tuple[str, bytes, str]]:
    """Requests of one row each, `most` at most: what they are called, bytes, Content-Type. ConfigError."""
    for column in profile.features:
        _require_plain(column)
    found = {
        "typical": _each(profile, _middle),
        "smallest": _each(profile, _lowest),
        "largest": _each(profile, _highest),
    }
    gaps = _each(profile, _gap)
    if gaps != found["typical"] and form in _TAKES_NULL:
        found["with gaps"] = gaps
    drawn = random.Random(0)  # noqa: S311 (the same rows each time)
    for number in range(1, most - len(found) + 1):
        found[f"drawn {number}"] = {column.name: _drawn(column, drawn) for column in profile.features}
    return [(name, json.dumps(FORMS[form](row)).encode(), "application/json") for name, row in [*found.items()][:most]]


def _require_plain(column: Column) -> None:
    if column.kind in {"text", "embedding"} or column.scalar or column.origin not in {"", column.name}:
        raise ConfigError(f"--profile: {column.field} is a {column.kind}, write the requests yourself")
    if column.salt:
        raise ConfigError(f"--profile: the categories of {column.name} are hashed, write the requests yourself")
    if not (column.edges if column.ordered else column.categories):
        raise ConfigError(f"--profile: no value of {column.name} is written there, write the requests yourself")


def _each(profile: Profile, value: Callable[[Column], Any]) -> Row:
    return {column.name: value(column) for column in profile.features}


def _middle(column: Column) -> Any:  # noqa: ANN401 (JSON)
    if not column.ordered:
        return _category(column, 0)
    half, seen = column.finite / 2, 0
    for place, centre in column.centres():
        seen += column.counts[place]
        if seen >= half:
            return _number(column, centre)
    return _number(column, column.edges[0])


def _lowest(column: Column) -> Any:  # noqa: ANN401 (JSON)
    return _number(column, column.edges[0]) if column.ordered else _category(column, 0)


def _highest(column: Column) -> Any:  # noqa: ANN401 (JSON)
    return _number(column, column.edges[-1]) if column.ordered else _category(column, len(column.categories) - 1)


def _gap(column: Column) -> Any:  # noqa: ANN401 (JSON)
    """Nothing where the training data had gaps."""
    return None if column.counts[MISSING if column.ordered else -1] else _middle(column)


def _drawn(column: Column, lot: random.Random) -> Any:  # noqa: ANN401 (JSON)
    if not column.ordered:
        weights = [count + 1 for count in column.counts[: len(column.categories)]]
        return _category(column, lot.choices(range(len(weights)), weights)[0])
    inside = range(1, len(column.edges))
    place = lot.choices(inside, [column.counts[bin_] + 1 for bin_ in inside])[0]
    return _number(column, lot.uniform(column.edges[place - 1], column.edges[place]))


def _number(column: Column, value: float) -> float:
    if column.minimum.is_integer() and column.maximum.is_integer():
        return round(value)
    return float(f"{value:.{_DIGITS}g}")


def _category(column: Column, place: int) -> Any:  # noqa: ANN401 (JSON)
    """As clients would send it: truth values and codes as such."""
    word = column.categories[place]
    if column.kind == "boolean":
        return word == "true"
    are_codes = all(one.removeprefix("-").isdecimal() for one in column.categories)
    return int(word) if are_codes else word


# --- how a row is sent


def _open_inference(row: Row) -> dict[str, Any]:
    """A tensor for each column, which MLServer takes for a frame where it is told to."""
    inputs = [
        {"name": name, "datatype": _datatype(value), "shape": [1, 1], "data": [value]} for name, value in row.items()
    ]
    return {"parameters": {"content_type": "pd"}, "inputs": inputs}


def _datatype(value: object) -> str:
    return {bool: "BOOL", str: "BYTES", int: "INT64"}.get(type(value), "FP64")


def _split(row: Row) -> dict[str, Any]:
    return {"dataframe_split": {"columns": [*row], "data": [[*row.values()]]}}


FORMS: Final[Mapping[str, Callable[[Row], Any]]] = {
    "instances": lambda row: {"instances": [row]},
    "lists": lambda row: {"instances": [[*row.values()]]},
    "open_inference": _open_inference,
    "dataframe_split": _split,
    "dataframe_records": lambda row: {"dataframe_records": [row]},
}
"""KServe's and TensorFlow Serving's first protocol by names and by position, the second, MLflow's two."""
_TAKES_NULL: Final[Sequence[str]] = ("instances", "lists", "dataframe_split", "dataframe_records")
