"""Where instances and their fields may be in free JSON: every way of reading some documents, as pointers and cells."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from exporter.decode.pointers import Pointers
from exporter.errors import DecodeError

_STAR: Final = "*"
_DEEPEST: Final = 8
_MOST_FIELDS: Final = 2000
_MOST_LISTS: Final = 50
_SCALARS: Final = (str, int, float, bool, type(None))
Path = tuple[str, ...]


class Field(NamedTuple):
    """One field of a payload."""

    place: str
    """As a map has it."""
    words: tuple[str, ...]
    """What it is called, the whole of it first; positions are no words."""
    cells: list[Any]
    """Those of all samples."""


class Layout(NamedTuple):
    """One way of reading all documents of a side."""

    likelihood: int
    """Without any other evidence: the larger, the likelier."""
    fields: list[Field]
    rows: list[int]
    """Of each document."""
    constants: list[Field]
    """What is the same for all rows of a document."""


def layouts(documents: Sequence[object]) -> list[Layout]:
    """All ways that fit every document, the likelier first."""
    axes = list(dict.fromkeys(path for document in documents for path in _lists(document, ())))[:_MOST_LISTS]
    found = [_along(documents, axis) for axis in axes]
    found += [_side_by_side(documents, axes), _single(documents)]
    return sorted((one for one in found if one), key=lambda one: -one.likelihood)


def pointer(path: Sequence[str]) -> str:
    """The text of a pointer (RFC 6901, 3)."""
    return "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in path)


def _lists(node: object, path: Path) -> Iterator[Path]:
    """Paths of the lists that are in no list."""
    if isinstance(node, list):
        yield path
    elif isinstance(node, dict) and len(path) < _DEEPEST:
        for key, value in node.items():
            if key != _STAR:
                yield from _lists(value, (*path, key))


def _leaves(node: object, path: Path, *, lists: bool) -> Iterator[Path]:
    """Paths of the scalars; `lists`: through lists, too."""
    if isinstance(node, _SCALARS):
        yield path
    elif len(path) < _DEEPEST:
        for key, value in _children(node, lists=lists):
            if key != _STAR:
                yield from _leaves(value, (*path, key), lists=lists)


def _children(node: object, *, lists: bool) -> Iterator[tuple[str, object]]:
    if isinstance(node, dict):
        yield from node.items()
    elif isinstance(node, list) and lists:
        yield from ((str(at), value) for at, value in enumerate(node[:_MOST_FIELDS]))


def _along(documents: Sequence[object], axis: Path) -> Layout | None:
    """A row for each element of one list."""
    lists = [_at(document, axis) for document in documents]
    elements = [element for one in lists if isinstance(one, list) for element in one]
    paths = _distinct(path for element in elements for path in _leaves(element, (), lists=True))
    likelihood = 1
    if elements and all(isinstance(element, dict) for element in elements):
        likelihood = 5
    elif elements and all(isinstance(element, list) for element in elements):
        likelihood = 4
    elif any(isinstance(element, dict | list) for element in elements):
        return None
    beside = _distinct(path for document in documents for path in _leaves(document, (), lists=False))
    return _layout(documents, likelihood, [(*axis, _STAR, *path) for path in paths], beside)


def _side_by_side(documents: Sequence[object], axes: Sequence[Path]) -> Layout | None:
    """Several lists of scalars that are columns."""
    columns = [axis for axis in axes if all(_is_column(_at(document, axis)) for document in documents)]
    if len(columns) < 2 or any(len({len(_at(document, axis)) for axis in columns}) > 1 for document in documents):
        return None
    return _layout(documents, 3, [(*axis, _STAR) for axis in columns], [])


def _single(documents: Sequence[object]) -> Layout | None:
    """A row for each document."""
    paths = _distinct(path for document in documents for path in _leaves(document, (), lists=True) if path)
    lists = any(isinstance(document, dict | list) and any(_lists(document, ())) for document in documents)
    return _layout(documents, 2, paths, []) if not lists or len(documents) > 1 or len(paths) > 1 else None


def _layout(
    documents: Sequence[object], likelihood: int, paths: Sequence[Path], beside: Sequence[Path]
) -> Layout | None:
    if not paths:
        return None
    texts = [pointer(path) for path in (*paths, *beside)]
    reader = Pointers(texts)
    cells: list[list[Any]] = [[] for _ in texts]
    rows = []
    for document in documents:
        try:
            table = reader.rows_of(document)
        except DecodeError:
            return None
        rows.append(table.rows)
        for so_far, more in zip(cells, table.columns, strict=True):
            so_far.extend(more)
    fields = [
        Field(text, _words(path), column) for text, path, column in zip(texts, (*paths, *beside), cells, strict=True)
    ]
    return Layout(likelihood, fields[: len(paths)], rows, fields[len(paths) :])


def _words(path: Path) -> tuple[str, ...]:
    """What a field may be called by: all keys behind the star, then fewer of them. One of a list has no name."""
    if path[-1].isdecimal():
        return ()
    behind = path[path.index(_STAR) + 1 :] if _STAR in path else path
    keys = [token for token in behind if not token.isdecimal()]
    if not keys and path[-1] == _STAR and len(path) > 1:
        keys = [path[-2]]
    return tuple("_".join(keys[at:]) for at in range(len(keys)))


def _distinct(paths: Iterator[Path]) -> list[Path]:
    found: dict[Path, None] = {}
    for path in paths:
        found[path] = None
        if len(found) >= _MOST_FIELDS:
            break
    return list(found)


def _at(node: object, path: Path) -> Any:  # noqa: ANN401 (JSON)
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _is_column(node: object) -> bool:
    return isinstance(node, list) and all(isinstance(cell, _SCALARS) for cell in node)
