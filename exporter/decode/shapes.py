"""Tables from JSON that follows no protocol: what people's own handlers take and give, as far as it speaks for itself.

A list of objects or of lists is rows; one of numbers is a row, one of texts a column. An object of scalars is a row,
one of lists of one length is columns, and one with nothing but an argument is what that argument is.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from exporter.decode import tables
from exporter.errors import DecodeError
from exporter.records import Table

_WRAPPERS: Final = ("features", "inputs", "input", "instances", "instance", "rows", "records", "data")
"""Arguments whose names say that they hold the features; what stands beside them are options."""
_RESULTS: Final = ("predictions", "prediction", "outputs", "output", "results", "result")
_DEEPEST: Final = 4
_NESTED: Final = (list, dict)


def features(document: object) -> Table:
    """The rows of a request. DecodeError: shape, ragged, too_many_columns, unknown_protocol."""
    return _table(document, 0, _WRAPPERS, 0)


def outputs(document: object, rows_in: int) -> Table:
    """The rows of an answer to `rows_in` rows (0: not known): a list of as many scalars is one for each of them."""
    return _table(document, rows_in, _RESULTS, 0)


def is_readable(document: object) -> bool:
    """Whether there is anything to be read."""
    return isinstance(document, list) or (isinstance(document, dict) and bool(document))


def _table(value: object, rows_in: int, wrappers: Sequence[str], depth: int) -> Table:
    if isinstance(value, list):
        return _of_list(value, rows_in)
    if isinstance(value, dict) and value:
        return _of_object(value, rows_in, wrappers, depth)
    if isinstance(value, dict):
        raise DecodeError("unknown_protocol", "an object without keys")
    return Table(1, None, ((value,),))


def _of_list(values: list[Any], rows_in: int) -> Table:
    if not values or isinstance(values[0], _NESTED):
        return tables.from_any(values)
    if any(isinstance(value, _NESTED) for value in values):
        raise DecodeError("ragged", "rows of different shapes")
    if len(values) == rows_in or (not rows_in and all(isinstance(value, str) for value in values)):
        return Table(len(values), None, (values,))
    return tables.from_rows([values], None)


def _of_object(given: Mapping[str, Any], rows_in: int, wrappers: Sequence[str], depth: int) -> Table:
    wrapped = [name for name in wrappers if isinstance(given.get(name), _NESTED)]
    if len(given) == 1 or len(wrapped) == 1:
        name = wrapped[0] if wrapped else next(iter(given))
        return _of_argument(name, given[name], rows_in, depth)
    if any(isinstance(value, dict) for value in given.values()):
        raise DecodeError("shape", "objects inside of the object: it takes a mapping to say what they are")
    lists = [value for value in given.values() if isinstance(value, list)]
    if len(lists) == len(given) and len({len(value) for value in lists}) == 1:
        return tables.from_columns(given)
    return tables.from_row(given)


def _of_argument(name: str, value: object, rows_in: int, depth: int) -> Table:
    """An object's only value, or the one that counts."""
    if depth == _DEEPEST:
        raise DecodeError("shape", "arguments in arguments")
    if isinstance(value, _NESTED):
        found = _table(value, rows_in, (), depth + 1)
        lone = found.names is None and len(found.columns) == 1
        return Table(found.rows, (name,), found.columns) if lone else found
    return Table(1, (name,), ((value,),))
