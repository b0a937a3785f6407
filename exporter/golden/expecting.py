"""What a case expects, as the file says it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from exporter.golden import strict
from exporter.golden.cases import Expected, Pointer, Rules, Tolerance
from exporter.golden.strict import BODIES
from exporter.origins import tokens
from exporter.values import Fault, integer, json_pointer, number, one_of

RULES: Final = ("tolerance", "tolerances", "ignore", "extra")
"""How answers are compared, which cases may have in common."""
_MOST_POINTERS: Final = 1000
_EXPECTED: Final = ("status", *BODIES, "values", *RULES)


def expected(value: object, place: str, shared: Mapping[str, Any]) -> Expected:
    """One answer; what `shared` says of comparing holds where it says nothing itself. Fault."""
    given = strict.mapping(value, place, _EXPECTED)
    kinds = [kind for kind in (*BODIES, "values") if kind in given]
    if len(kinds) > 1:
        raise Fault(f"{place}.{kinds[1]}", f"has no meaning beside {kinds[0]}")
    status = strict.read(given, "status", place, integer(100, 599), 200)
    rules = rules_of(_merged(shared, given), place)
    if not kinds:
        return Expected(status, rules=rules)
    kind, where = kinds[0], f"{place}.{kinds[0]}"
    if kind == "values":
        return Expected(status, tuple(_parts(given[kind], where)), rules=rules)
    content = strict.body(given[kind], kind, where)
    if kind == "body":
        return Expected(status, (((), given[kind]),), rules=rules)
    return Expected(status, text=given[kind], rules=rules) if kind == "text" else Expected(status, content=content)


def _merged(shared: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Rules: one's own before those of all; what is ignored by all is ignored here, too."""
    found = {**shared, **{key: value for key, value in given.items() if key in RULES}}
    if isinstance(given.get("tolerances"), dict) and "tolerances" in shared:
        found["tolerances"] = {**given["tolerances"], **shared["tolerances"], **given["tolerances"]}
    if isinstance(given.get("ignore"), list):
        found["ignore"] = [*shared.get("ignore", ()), *given["ignore"]]
    return found


def _parts(value: object, place: str) -> Iterator[tuple[Pointer, Any]]:
    if not isinstance(value, dict) or not 0 < len(value) <= _MOST_POINTERS:
        raise Fault(place, f"must be a mapping of 1 to {_MOST_POINTERS} JSON pointers to their values")
    for pointer, part in value.items():
        where = f"{place}.{pointer}"
        strict.body(part, "body", where)
        yield tokens(strict.checked(json_pointer, pointer, where)), part


def rules_of(given: Mapping[str, Any], place: str) -> Rules:
    """How answers are compared. Fault."""
    tolerance = _tolerance(given["tolerance"], f"{place}.tolerance") if "tolerance" in given else None
    tolerances, ignore = given.get("tolerances", {}), given.get("ignore", [])
    if not isinstance(tolerances, dict) or len(tolerances) > _MOST_POINTERS:
        raise Fault(f"{place}.tolerances", f"must be a mapping of {_MOST_POINTERS} JSON pointers at most to tolerances")
    if not isinstance(ignore, list) or len(ignore) > _MOST_POINTERS:
        raise Fault(f"{place}.ignore", f"must be a list of {_MOST_POINTERS} JSON pointers at most")
    places = []
    for pointer, value in tolerances.items():
        where = f"{place}.tolerances.{pointer}"
        places.append((tokens(strict.checked(json_pointer, pointer, where)), _tolerance(value, where)))
    left = [strict.checked(json_pointer, one, f"{place}.ignore[{at}]") for at, one in enumerate(ignore)]
    extra = strict.read(given, "extra", place, one_of("allow", "refuse"), "allow") == "allow"
    return Rules(tolerance, tuple(places), tuple(map(tokens, left)), extra)


def _tolerance(value: object, place: str) -> Tolerance:
    given = strict.mapping(value, place, Tolerance._fields)
    if not given:
        raise Fault(place, "must say absolute, relative, or both")
    return Tolerance(*(strict.read(given, key, place, number(0, 1e300), 0.0) for key in Tolerance._fields))
