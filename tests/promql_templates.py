"""Templates of labels and annotations, read without Prometheus: which labels they use, and which queries they ask.

What a template would fill in is stood in for; where a variable may be one of several, each is tried.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

_ACTION: Final = re.compile(r'\{\{-?\s*((?:"(?:[^"\\]|\\.)*"|[^"}]|\}(?!\}))*?)\s*-?\}\}', re.DOTALL)
_TOKEN: Final = re.compile(
    r'"(?P<text>(?:[^"\\]|\\.)*)"|(?P<path>\$?\w*(?:\.\w+)+|\$\w*|\.)|(?P<mark>:=|[=|()])|(?P<word>[\w-]+)'
)
_VERB: Final = re.compile(r"%[-+]?[\d.]*(?:\[(\d+)\])?([a-z%])")
_ELEMENTS: Final = re.compile(r"(?:(\$\w+)\s*,\s*)?(\$\w+)\s*:=\s*(.*)", re.DOTALL)
_LABELS: Final = "$labels"
_STAND_IN: Final = "x"
_MOST: Final = 16
"""Alternatives that are tried of one query."""


class Asked(NamedTuple):
    """A query of a template."""

    query: str
    labels: frozenset[str]
    """Which labels of its result are used."""


class Template:
    """One text, taken apart."""

    def __init__(self, text: str) -> None:
        self.labels: set[str] = set()
        """Labels of the alert that are used."""
        self.guards: set[str] = set()
        """Those that it is asked for whether they are there."""
        self.uses_value = False
        self._queries: list[list[str]] = []
        self._used: list[set[str]] = []
        self._variables: dict[str, list[str]] = {"$labels": [_LABELS]}
        self._declared: dict[str, int] = {}
        """How many blocks in each was made."""
        self._elements: dict[str, int] = {}
        """Variables that go through the results of a query."""
        self._blocks: list[int | None] = []
        """Of each open block, the query whose results it goes through; None of one that leaves the dot alone."""
        for found in _ACTION.finditer(text):
            self._act(found[1].strip())

    def asked(self) -> Iterator[Asked]:
        """Each query, in each of its forms."""
        for forms, used in zip(self._queries, self._used, strict=True):
            for form in forms:
                yield Asked(form, frozenset(used))

    def _act(self, action: str) -> None:
        keyword, _, rest = action.partition(" ")
        if keyword in {"range", "with", "if"}:
            self._open(keyword, rest)
        elif keyword == "end":
            self._blocks.pop()
        elif keyword == "else":
            self._blocks[-1:] = [None]
            self._evaluate(rest.removeprefix("if "))
        elif assigned := re.match(r"(\$\w+)\s*(:?=)\s*(.*)", action, re.DOTALL):
            name, sign, value = assigned.groups()
            found = self._evaluate(value)
            if sign == ":=":
                self._declared[name] = len(self._blocks)
            # Further in than where it was made, nobody knows whether it comes to this; what was empty is to be filled.
            before = self._variables.get(name, [])
            is_sure = sign == ":=" or len(self._blocks) == self._declared.get(name) or before == [""]
            kept = [] if is_sure else before
            self._variables[name] = [*dict.fromkeys([*kept, *found])]
        else:
            self._evaluate(action)

    def _open(self, keyword: str, pipeline: str) -> None:
        before, used = len(self._queries), set(self.labels)
        named = _ELEMENTS.fullmatch(pipeline)
        self._evaluate(named[3] if named else pipeline)
        asks = len(self._queries) > before
        if keyword != "range" and not asks:
            self.guards |= self.labels - used
            self.labels = used
        if named and asks:
            self._elements[named[2]] = len(self._queries) - 1
        self._blocks.append(len(self._queries) - 1 if asks and keyword != "if" else None)

    def _evaluate(self, pipeline: str) -> list[str]:
        """What it may give."""
        return self._piped(list(_TOKEN.finditer(pipeline)))

    def _piped(self, tokens: Sequence[re.Match[str]]) -> list[str]:
        given: list[list[str]] = []
        for command in _split(tokens):
            given = [self._called(command, given)]
        return given[0] if given else [_STAND_IN]

    def _called(self, tokens: Sequence[re.Match[str]], piped: list[list[str]]) -> list[str]:
        name = tokens[0]["word"] if tokens else None
        values = [*self._arguments(tokens[1:] if name else tokens), *piped]
        if name == "query":
            self._queries.append(values[0][:_MOST])
            self._used.append(set())
        if name == "printf":
            return [_printed(*chosen) for chosen in itertools.islice(itertools.product(*values), _MOST)]
        if name == "print":
            return ["".join(chosen) for chosen in itertools.islice(itertools.product(*values), _MOST)]
        return values[0] if name is None and values else [_STAND_IN]

    def _arguments(self, tokens: Sequence[re.Match[str]]) -> Iterator[list[str]]:
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token["mark"] == "(":
                end = _closing(tokens, at)
                yield self._piped(tokens[at + 1 : end])
                at = end
            elif token["text"] is not None:
                yield [re.sub(r"\\(.)", r"\1", token["text"])]
            elif token["path"]:
                yield self._looked_up(token["path"])
            elif token["word"]:
                yield [token["word"]]
            at += 1

    def _looked_up(self, path: str) -> list[str]:
        head, *fields = path.split(".")
        if head == "$value":
            self.uses_value = True
        if fields and self._variables.get(head) == [_LABELS]:
            self.labels.add(fields[0])
            return [_STAND_IN]
        if fields[:1] == ["Labels"] and len(fields) > 1:
            inner = [one for one in self._blocks if one is not None] if not head else [self._elements.get(head)]
            if inner and inner[-1] is not None:
                self._used[inner[-1]].add(fields[1])
            return [_STAND_IN]
        return self._variables.get(path, [_STAND_IN])


def _split(tokens: Sequence[re.Match[str]]) -> Iterator[list[Any]]:
    """By the bars outside of parentheses."""
    command, depth = [], 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token["mark"] or "", 0)
        if token["mark"] == "|" and not depth:
            yield command
            command = []
        else:
            command.append(token)
    yield command


def _closing(tokens: Sequence[re.Match[str]], at: int) -> int:
    depth = 0
    for place in range(at, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[place]["mark"] or "", 0)
        if not depth:
            return place
    raise ValueError("a parenthesis that is not closed")


def _printed(pattern: str, *values: str) -> str:
    at = 0

    def filled(verb: re.Match[str]) -> str:
        nonlocal at
        if verb[2] == "%":
            return "%"
        at = int(verb[1]) if verb[1] else at + 1
        value = values[at - 1]
        return f'"{value}"' if verb[2] == "q" else value if verb[2] == "s" else "1"

    return _VERB.sub(filled, pattern)
