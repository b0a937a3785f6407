"""What the file says of places of a body, followed down while a body is walked: no place asks every pattern."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from exporter.golden.cases import ANY, Pointer, Rules, Tolerance

_REMEMBERED: Final = 1000
"""Rules; a file's cases have no more of them, but by versions."""


class Node:
    """What patterns say of one place, and the patterns that lead further down."""

    __slots__ = ("below", "ignored", "tolerance")

    def __init__(self) -> None:
        self.below: dict[str, Node] = {}
        self.ignored = False
        self.tolerance: tuple[int, Tolerance] | None = None
        """The pattern's place in the file: the first one counts."""

    def at(self, pattern: Pointer) -> "Node":
        """The place of a pattern, made where it is not there."""
        node = self
        for token in pattern:
            node = node.below.setdefault(token, Node())
        return node


Nodes = tuple[Node, ...]
"""All that fit a place."""


@lru_cache(maxsize=_REMEMBERED)
def root(rules: Rules) -> Nodes:
    """What is said of the whole body and of what is in it; nothing where there are no patterns."""
    if not rules.ignore and not rules.tolerances:
        return ()
    found = Node()
    for pattern in rules.ignore:
        found.at(pattern).ignored = True
    for place, (pattern, tolerance) in enumerate(rules.tolerances):
        node = found.at(pattern)
        node.tolerance = node.tolerance or (place, tolerance)
    return (found,)


def below(nodes: Nodes, token: str) -> Nodes:
    """What is said of a key or position."""
    return tuple(_below(nodes, token)) if nodes else ()


def _below(nodes: Nodes, token: str) -> Iterator[Node]:
    for node in nodes:
        for key in {token, ANY}:
            if key in node.below:
                yield node.below[key]


def along(nodes: Nodes, pointer: Iterable[str]) -> Nodes:
    """The same of a place further down."""
    for token in pointer:
        nodes = below(nodes, token)
    return nodes


def is_ignored(nodes: Nodes) -> bool:
    """Whether a place may be anything."""
    return any(node.ignored for node in nodes)


def tolerance(nodes: Nodes) -> Tolerance | None:
    """Of a place; None where no pattern says one."""
    return min((node.tolerance for node in nodes if node.tolerance), default=(0, None))[1]
