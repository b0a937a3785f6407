"""Names for bare arrays, from what a model server of the Open Inference Protocol says of its model.

Who answers `GET /v2/models/NAME[/versions/VERSION]` with one input for each column of a request's lone tensor has given
them names. Source: Open Inference Protocol, model metadata.
"""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import orjson

from exporter.decode.tables import MOST_COLUMNS
from exporter.records import Failure, Table
from exporter.reference import Profile

_INFERENCE: Final = re.compile(r"(/.*)?/v2/models/[^/]+(/versions/[^/]+)?(?=/infer$)")


class Schema(NamedTuple):
    """What a server calls the columns of a model; empty where it does not list them one by one."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


Ask = Callable[[str], Schema | None]
"""The schema at a path, None where nothing is known of it (yet)."""


class Orders(NamedTuple):
    """What the columns of bare arrays are called by a profile."""

    features: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


def orders(profile: Profile | None) -> Orders:
    """Those of a profile."""
    if profile is None:
        return Orders()
    return Orders(*(tuple(profile.called.get(field, field) for field in side.fields)
                    for side in (profile.asked, profile.answered)))  # fmt: skip


def metadata_path(path: str) -> str | None:
    """Where a server says what the model is like that an inference was asked of; None where the path is of no such."""
    found = _INFERENCE.match(path)
    return found[0] if found else None


def schema(content: bytes) -> Schema:
    """What a server's answer says. ValueError where it is none."""
    document = orjson.loads(content)
    if not isinstance(document, dict):
        raise ValueError("no object")  # noqa: TRY004 (whatever is wrong with it is one thing to the caller)
    return Schema(_one_by_one(document.get("inputs")), _one_by_one(document.get("outputs")))


def _one_by_one(tensors: Any) -> tuple[str, ...]:  # noqa: ANN401 (JSON)
    """The tensors' names, where each is one column: of shape [n] or [n, 1]."""
    if not isinstance(tensors, list) or not 1 < len(tensors) <= MOST_COLUMNS:
        return ()
    if not all(isinstance(tensor, dict) and _is_column(tensor.get("shape")) for tensor in tensors):
        return ()
    names = tuple(tensor.get("name") for tensor in tensors)
    distinct = all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
    return names if distinct else ()


def _is_column(shape: object) -> bool:
    # Some write a number into a JSON string.
    return isinstance(shape, list) and (len(shape) == 1 or (len(shape) == 2 and str(shape[1]) == "1"))


def is_bare(table: object) -> bool:
    """Whether it has columns that nobody has named."""
    return isinstance(table, Table) and table.names is None


def named(table: Table | Failure | None, names: tuple[str, ...], order: tuple[str, ...]) -> Table | Failure | None:
    """A bare table with the server's names, where they fit; the profile's `order` may fit better."""
    if not isinstance(table, Table) or not is_bare(table) or len(names) != len(table.columns):
        return table
    if len(order) == len(names) and not set(order) & set(names):
        return table
    return Table(table.rows, names, table.columns, table.partial)
