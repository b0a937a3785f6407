"""The truth of the training data: the part of a profile's document, and how two of them are added up."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final

from exporter.profile import columns, parsing
from exporter.profile.parsing import Fault
from exporter.reference import Column
from exporter.target import MOST_CLASSES, MOST_POINTS, Calibration, Target

_BINARY, _REGRESSION = "binary", "regression"
_KINDS: Final = (_BINARY, "multiclass", _REGRESSION)
_PAIR: Final = 2
_RIGHT_AND_WRONG: Final = 2
_MOST_EDGES: Final = 12
_SHARE: Final = parsing.between(0, 1)


def parse(node: object, path: str, outputs: Sequence[Column]) -> Target:
    """The truth, whose scores and label are among the outputs."""
    item = parsing.mapping(node, path)
    parsing.only(item, {*Target._fields}, f"{path}.")
    names, kind = {one.name for one in outputs if not one.scalar}, item.get("task")
    if kind not in _KINDS:
        raise Fault(f"{path}.task: must be one of {', '.join(_KINDS)}, not {parsing.shown(kind)}")
    column = columns.parse(item.get("column"), f"{path}.column")
    columns.check_scalar(column, f"{path}.column", None)
    known = (parsing.name(item["label"], f"{path}.label"),) if "label" in item else ()
    scores = tuple(parsing.items(item.get("scores", []), f"{path}.scores", parsing.name))
    for word, name in (*(("label", one) for one in known), *(("scores", one) for one in scores)):
        if name not in names:
            raise Fault(f"{path}.{word}: no output is called {name!r}")
    if len({*scores}) != len(scores):
        raise Fault(f"{path}.scores: one stands there twice")
    if not known and not scores:
        raise Fault(f"{path}: must have a label or scores")
    found = Target(column, str(kind), "".join(known), scores)
    return _numbers(item, path, found) if kind == _REGRESSION else _classes(item, path, found)


def _numbers(item: Any, path: str, found: Target) -> Target:  # noqa: ANN401 (a node)
    if found.column.kind != "numeric" or not found.label:
        raise Fault(f"{path}: numbers need a numeric column and a label")
    parsing.only(item, {"column", "task", "label", "edges", "errors"}, f"{path}.")
    edges = tuple(parsing.items(item.get("edges", []), f"{path}.edges", parsing.number))
    if any(high <= low for low, high in pairwise((0.0, *edges))) or len(edges) > _MOST_EDGES:
        raise Fault(f"{path}.edges: must be ascending numbers above 0, at most {_MOST_EDGES}")
    return found._replace(edges=edges, errors=_errors(item, path, len(edges) + 1 if edges else 0))


def _classes(item: Any, path: str, found: Target) -> Target:  # noqa: ANN401 (a node)
    if found.column.ordered:
        raise Fault(f"{path}.column.kind: must be categorical or boolean where classes are predicted")
    parsing.only(item, {*Target._fields} - {"edges"}, f"{path}.")
    classes = tuple(parsing.items(item.get("classes"), f"{path}.classes", parsing.text))
    if len({*classes}) != len(classes) or not _PAIR <= len(classes) <= MOST_CLASSES:
        raise Fault(f"{path}.classes: must be 2 to {MOST_CLASSES} different texts")
    if (found.task == _BINARY) != (len(classes) == _PAIR):
        raise Fault(f"{path}.classes: must be 2 where the task is binary, and more where it is multiclass")
    if found.scores and len(found.scores) != (1 if found.task == _BINARY else len(classes)):
        raise Fault(f"{path}.scores: must be one per class, of two classes that of the second alone")
    calibrations = tuple(parsing.items(item.get("calibrations", []), f"{path}.calibrations", _calibration))
    if calibrations and tuple(one.output for one in calibrations) != found.scores:
        raise Fault(f"{path}.calibrations: must be one per score, in their order")
    threshold = _SHARE(item.get("threshold", 0.5), f"{path}.threshold")
    errors = _errors(item, path, _RIGHT_AND_WRONG)
    return found._replace(classes=classes, threshold=threshold, calibrations=calibrations, errors=errors)


def _errors(item: Any, path: str, bins: int) -> tuple[int, ...]:  # noqa: ANN401 (a node)
    errors = tuple(parsing.items(item.get("errors", []), f"{path}.errors", parsing.count))
    if errors and (len(errors) != bins or not sum(errors)):
        raise Fault(f"{path}.errors: must be {bins} counts of at least one row, or none")
    return errors


def _calibration(node: object, path: str) -> Calibration:
    item = parsing.mapping(node, path)
    parsing.only(item, {*Calibration._fields}, f"{path}.")
    scores, shares = (
        tuple(parsing.items(item.get(word), f"{path}.{word}", _SHARE)) for word in ("scores", "shares")
    )  # fmt: skip
    if any(high <= low for low, high in pairwise(scores)) or not _PAIR <= len(scores) <= MOST_POINTS:
        raise Fault(f"{path}.scores: must be 2 to {MOST_POINTS} ascending numbers from 0 to 1")
    if len(shares) != len(scores) or any(high < low for low, high in pairwise(shares)):
        raise Fault(f"{path}.shares: must be one per score, none below the one before")
    rows = tuple(parsing.items(item.get("rows", []), f"{path}.rows", parsing.count))
    if rows and (len(rows) != len(scores) or min(rows) == 0):
        raise Fault(f"{path}.rows: must be one per score, of at least one row each")
    return Calibration(parsing.name(item.get("output"), f"{path}.output"), scores, shares, rows)


def describe(one: Target) -> dict[str, Any]:
    """The document of it; what is not known is left out."""
    known: dict[str, Any] = {
        "label": one.label, "scores": list(one.scores), "classes": list(one.classes),
        "calibrations": [
            {"output": line.output, "scores": list(line.scores), "shares": list(line.shares),
             **({"rows": list(line.rows)} if line.rows else {})}
            for line in one.calibrations
        ],
        "edges": list(one.edges), "errors": list(one.errors),
    }  # fmt: skip
    if one.classes:
        known["threshold"] = one.threshold
    found = {word: value for word, value in known.items() if word == "threshold" or value}
    return {"column": columns.describe(one.column), "task": one.task, **found}


# --- merging


def alike(one: Target, other: Target) -> bool:
    """Whether they can be added up, as far as their columns can."""
    return (one.task, one.label, one.scores, one.classes, one.threshold, one.edges) == (
        other.task, other.label, other.scores, other.classes, other.threshold, other.edges
    )  # fmt: skip


def merged(parts: Sequence[Target | None], added: Callable[[Sequence[Column]], Column]) -> Target | None:
    """The same rows together; None where one has none. All are alike, and `added` adds up their columns.

    Calibrations stay where all have the same, as those built --like one have; else nobody can tell, and there are none.
    """
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    first = known[0]
    lines = first.calibrations if all(part.calibrations == first.calibrations for part in known) else ()
    counted = all(part.errors for part in known)
    errors = tuple(map(sum, zip(*(part.errors for part in known), strict=True))) if counted else ()
    return first._replace(column=added([part.column for part in known]), calibrations=lines, errors=errors)
