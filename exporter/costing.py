"""What it costs to predict one class where another is true, as the operator says it.

`performance.costs:` is a list of

    {actual: fraud, predicted: honest, cost: 120}
    {actual: honest, predicted: fraud, cost: 4.5}

Pairs that are not said cost nothing; below 0 is a gain. `other` stands for all classes that the model does not know.
The standard library only: every process reads settings.
"""

import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from exporter.values import Fault, nearest

MOST: Final = 441
"""Pairs: of 20 classes and `other` all of them."""
_LARGEST: Final = 1e12


class Cost(NamedTuple):
    """Of one pair."""

    actual: str
    predicted: str
    cost: float


def costs(value: object) -> tuple[Cost, ...]:
    """Costs from a list, or its JSON text. ValueError, naming the path of the fault."""
    items = _items(value)
    if len(items) > MOST:
        raise ValueError(f"must not be more than {MOST}")
    found = tuple(_cost(item, f"[{place}]") for place, item in enumerate(items))
    if len({one[:2] for one in found}) < len(found):
        raise ValueError("two of them are of one pair of classes")
    return found


def _items(value: object) -> list[object]:
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else []
        except (ValueError, RecursionError):
            raise ValueError('must be JSON such as [{"actual": "yes", "predicted": "no", "cost": 5}]') from None
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list of mappings with actual, predicted and cost")  # noqa: TRY004 (one error)
    return list(value)


def _cost(item: object, place: str) -> Cost:
    if isinstance(item, list | tuple) and len(item) == len(Cost._fields):  # as it travels to child processes
        item = dict(zip(Cost._fields, item, strict=True))
    if not isinstance(item, Mapping):
        raise Fault(place, "must be a mapping with actual, predicted and cost")
    for key in item:
        if key not in Cost._fields:
            raise Fault(f"{place}.{key}", f"unknown key{nearest(str(key), set(Cost._fields))}")
    actual, predicted = (_class(item.get(side), f"{place}.{side}") for side in ("actual", "predicted"))
    return Cost(actual, predicted, _number(item.get("cost"), f"{place}.cost"))


def _class(value: object, place: str) -> str:
    """A class as it is spelled elsewhere: `true` and `false`, whole numbers by their digits."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int) and value != "":
        return str(value)
    raise Fault(place, f"must be the name of a class, not {value!r}")


def _number(value: object, place: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return float(value)
    shown = "nothing" if value is None else repr(value)
    raise Fault(place, f"must be a number of at most {_LARGEST:g}, not {shown}")
