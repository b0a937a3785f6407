"""Where a column of the profile comes from in a payload, as the operator says it. YAML or JSON in, a checked noun out.

`features:` and `outputs:` are mappings from columns to one of

    age: input-0                                      the payload's field of that name
    age: 0                                            a position, where the payload has bare arrays
    age: /items/*/features/age                        a JSON pointer (RFC 6901), * for the instances
    job: {field: job_code, values: {"0": admin}}      codes of categories; field may be left out
    job: {one_hot: {job_admin: admin}, otherwise: x}  columns of 0 and 1
    label: {field: p, argmax: ["no", "yes"]}          the class of the largest; without field the columns in order

Truth values must be in quotes, because YAML takes `no` and `yes` for some, which are categories like all others.
The standard library only: every process reads settings.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from exporter.values import Fault, nearest

Scalar = str | int | float | None
Place = str | int
"""A field's name, a position, or a pointer, which begins with a slash."""

MOST_COLUMNS: Final = 10_000
_LONGEST: Final = 400_000
"""Characters of one side as they travel to the analyser, both of them within what one pipe can hold."""
_STAR: Final = "*"
_SHOWN: Final = 60
_NO_MAPPING: Final = 'must be a mapping from columns to fields such as {{"age": "input-0"}}, not {}'


class Origin(NamedTuple):
    """What one column is made of."""

    column: str
    field: Place
    """Empty where there is none: with `one_hot`, and with `argmax` of all columns in order."""
    values: tuple[tuple[str, Scalar], ...] = ()
    """What codes stand for; any other value stands for itself."""
    one_hot: tuple[tuple[Place, Scalar], ...] = ()
    """The category that a field stands for where it is 1."""
    otherwise: Scalar = None
    """The category where none of them is."""
    argmax: tuple[Scalar, ...] = ()
    """The class for each place, of which the one with the largest number counts."""

    @property
    def places(self) -> tuple[Place, ...]:
        """All that it is made of."""
        return tuple(place for place, _ in self.one_hot) if self.one_hot else (self.field,)


_KEYS: Final = frozenset(Origin._fields[1:])
_UNSAID: Final[Mapping[str, object]] = {"field": "", "values": {}, "one_hot": {}, "otherwise": None, "argmax": None}


def origins(value: object) -> tuple[Origin, ...]:
    """Origins from a mapping, its JSON text, or a list as it travels. ValueError, naming the path, of what is wrong."""
    if isinstance(value, str):
        value = _json(value)
    if isinstance(value, list | tuple):
        value = _unpacked(value)
    if not isinstance(value, Mapping):
        raise ValueError(_NO_MAPPING.format(_shown(value)))  # noqa: TRY004 (settings raise one error)
    if len(value) > MOST_COLUMNS:
        raise ValueError(f"must not have more than {MOST_COLUMNS} columns")
    found = tuple(_origin(column, about) for column, about in value.items())
    if len({origin.column for origin in found}) < len(found):
        raise ValueError("two columns have one name")
    _refuse_mixture(found)
    if len(json.dumps(found)) > _LONGEST:
        raise ValueError(f"must not be longer than {_LONGEST} characters altogether")
    return found


def is_pointer(place: Place) -> bool:
    """Whether it is a JSON pointer."""
    return isinstance(place, str) and place.startswith("/")


def tokens(pointer: str) -> tuple[str, ...]:
    """The keys and positions that a pointer goes by, in order (RFC 6901, 4)."""
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f'must be JSON such as {{"age": "input-0"}}, not {_shown(text)}') from None


def _unpacked(travelled: Sequence[Any]) -> dict[object, object]:
    """The mapping that origins were made of, where they come as the lists that JSON makes of them."""
    unpacked: dict[object, object] = {}
    for item in travelled:
        if not isinstance(item, list | tuple) or len(item) != len(Origin._fields) or not isinstance(item[0], str):
            raise ValueError(_NO_MAPPING.format(_shown(item)))
        about = dict(zip(Origin._fields[1:], item[1:], strict=True))
        for key in ("values", "one_hot"):
            about[key] = _paired(about[key])
        about["argmax"] = about["argmax"] or None
        unpacked[item[0]] = {key: kept for key, kept in about.items() if kept != _UNSAID[key]}
    return unpacked


def _paired(pairs: object) -> dict[object, object]:
    try:
        return dict(pairs)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError):
        raise ValueError(f"must be a list of pairs, not {_shown(pairs)}") from None


# --- one column


def _origin(column: object, about: object) -> Origin:
    if (not isinstance(column, str) and type(column) is not int) or column == "":
        raise ValueError(f"must have columns' names as keys, not {_shown(column)}")
    name = str(column)
    if not isinstance(about, Mapping):
        return Origin(name, _place(about, name))
    for key in about:
        if key not in _KEYS:
            raise Fault(f"{name}.{key}", f"unknown key{nearest(str(key), set(_KEYS))}")
    ways = [key for key in ("values", "one_hot", "argmax") if about.get(key) is not None]
    if len(ways) > 1:
        raise Fault(name, f"must have only one of {' and '.join(ways)}")
    if "otherwise" in about and ways != ["one_hot"]:
        raise Fault(f"{name}.otherwise", "goes with one_hot alone")
    return _MADE[ways[0] if ways else "field"](name, about)


def _plain(column: str, about: Mapping[Any, Any]) -> Origin:
    if "field" not in about:
        raise Fault(column, "must say what it is made of: field, values, one_hot or argmax")
    return Origin(column, _place(about["field"], f"{column}.field"))


def _decoded(column: str, about: Mapping[Any, Any]) -> Origin:
    path = f"{column}.values"
    values = _mapping(about["values"], path)
    codes = [(_code(code, path), _scalar(value, f"{path}.{code}")) for code, value in values.items()]
    if len({code for code, _ in codes}) < len(codes):
        raise Fault(path, "one value is there twice")
    return Origin(column, _place(about.get("field", column), f"{column}.field"), values=tuple(codes))


def _one_hot(column: str, about: Mapping[Any, Any]) -> Origin:
    if "field" in about:
        raise Fault(f"{column}.field", "has no meaning beside one_hot, whose keys are fields")
    path = f"{column}.one_hot"
    fields = _mapping(about["one_hot"], path)
    found = tuple((_place(field, path), _category(value, f"{path}.{field}")) for field, value in fields.items())
    otherwise = about.get("otherwise")
    if otherwise is not None:
        otherwise = _category(otherwise, f"{column}.otherwise")
    return Origin(column, "", one_hot=found, otherwise=otherwise)


def _largest(column: str, about: Mapping[Any, Any]) -> Origin:
    path = f"{column}.argmax"
    classes = about["argmax"]
    if not isinstance(classes, list | tuple) or not 2 <= len(classes) <= MOST_COLUMNS:
        raise Fault(path, f"must be the list of the classes such as [cat, dog], not {_shown(classes)}")
    found = tuple(_category(one, path) for one in classes)
    field = _place(about["field"], f"{column}.field") if "field" in about else ""
    return Origin(column, field, argmax=found)


_MADE: Final = {"field": _plain, "values": _decoded, "one_hot": _one_hot, "argmax": _largest}


def _place(place: object, path: str) -> Place:
    if type(place) is int and 0 <= place < MOST_COLUMNS:
        return place
    if not isinstance(place, str) or not place:
        raise Fault(path, f"must be a field's name, a position or a JSON pointer, not {_shown(place)}")
    if is_pointer(place):
        if "~" in place.replace("~0", "").replace("~1", ""):
            raise Fault(path, f"must be a JSON pointer, which has ~ in ~0 and ~1 alone: {_shown(place)}")
        if tokens(place).count(_STAR) > 1:
            raise Fault(path, f"must have one * at most, where the instances are: {_shown(place)}")
    return place


def _mapping(value: object, path: str) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping) or not value:
        raise Fault(path, f"must be a mapping of what is sent to categories, not {_shown(value)}")
    return value


def _code(code: object, path: str) -> str:
    """A value of a payload as categories are spelled."""
    _refuse_truth(code, path)
    if isinstance(code, float) and math.isfinite(code):
        return str(int(code)) if code.is_integer() else repr(code)
    if not isinstance(code, str | int):
        raise Fault(path, f"must have texts or numbers as keys, not {_shown(code)}")
    return str(code)


def _scalar(value: object, path: str) -> Scalar:
    _refuse_truth(value, path)
    finite = not isinstance(value, float) or math.isfinite(value)
    if not finite or not isinstance(value, str | int | float | None):
        raise Fault(path, f"must be a text, a number or null, not {_shown(value)}")
    return value


def _refuse_truth(value: object, path: str) -> None:
    if isinstance(value, bool):
        raise Fault(path, f"must be text, write it in quotes: {value}")


def _category(value: object, path: str) -> Scalar:
    if value is None:
        raise Fault(path, "must be a category, not null")
    return _scalar(value, path)


def _refuse_mixture(found: Sequence[Origin]) -> None:
    """Pointers read a body themselves, fields are what a protocol has read: a side is the one or the other."""
    pointing = [origin for origin in found if any(map(is_pointer, origin.places))]
    others = [origin for origin in found if not all(map(is_pointer, origin.places))]
    if pointing and others:
        raise Fault(others[0].column, f"must be made of JSON pointers, as {pointing[0].column} is")
