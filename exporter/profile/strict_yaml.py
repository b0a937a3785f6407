"""YAML that people write by hand: as PyYAML reads it safely, but what stands there twice is a fault, and so is a bomb.

Of two rules of one name the first would be lost without a word; merges of merges (`<<: [*a, *a]`) double with each
line.

Where bodies of requests are written in it, plain words mean what they mean in JSON: `no` and `2024-01-01` are texts
there, `1e-5` is a number.
"""

import re
from typing import Any, ClassVar, Final

import yaml

from exporter.errors import ConfigError

_MOST_MERGED: Final = 10_000
"""Keys that merges may put into one mapping."""
_DEEPEST: Final = 200
"""Levels of a text that is read in C."""


class _Strict(yaml.constructor.SafeConstructor):
    """A hook of PyYAML's, which it calls by name."""

    def __init__(self, text: str) -> None:
        super().__init__(text)  # type: ignore[call-arg]  # that of the loader that it is mixed into
        self._seen: set[int] = set()
        """Mappings that were looked at: afterwards what was merged stands in them, too."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Refuse keys that stand there twice, put in what is merged, and refuse too much of that."""
        if id(node) not in self._seen:
            self._seen.add(id(node))
            _refuse_twins(node)
        super().flatten_mapping(node)
        if len(node.value) > _MOST_MERGED:
            raise yaml.constructor.ConstructorError(None, None, "merges of merges are too long", node.start_mark)


class _Loader(_Strict, yaml.SafeLoader):
    """What people write."""


_FAST: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C, where there is one: a thousand bodies are more than settings are."""


class _JsonLike(_Strict, _FAST):  # type: ignore[misc]
    """As YAML 1.2 has it for JSON's sake (the core schema, 10.3.2), with numbers in decimals alone."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}


NUMBERS: Final = (
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$"), list("-+.0123456789")),
    (re.compile(r"[-+]?\.(?:inf|Inf|INF)$|\.(?:nan|NaN|NAN)$"), list("-+.")),
)
"""How fractions are written there, and what they begin with. PyYAML by itself takes `1e-5` for a text."""
_FORMS: Final = (
    ("null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    ("bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    ("int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")),
    *(("float", *number) for number in NUMBERS),
    ("merge", re.compile(r"<<$"), ["<"]),
)
for _tag, _form, _first in _FORMS:
    _JsonLike.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _form, _first)


def load_json_like(text: str) -> Any:  # noqa: ANN401 (YAML)
    """As `load`, with plain words as JSON means them."""
    _refuse_depth(text)
    loader = _JsonLike(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def _refuse_depth(text: str) -> None:
    """Each level takes of the parser's stack, which in C ends without a word."""
    depth = 0
    for event in yaml.parse(text, Loader=_FAST):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise yaml.constructor.ConstructorError(None, None, f"more than {_DEEPEST} levels")


def load(text: str) -> Any:  # noqa: ANN401 (YAML)
    """What a text says. yaml.YAMLError, ValueError or RecursionError where it says nothing clear."""
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def of_file(path: str) -> Any:  # noqa: ANN401 (YAML)
    """What a file of settings says. ConfigError names it."""
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 (the error should carry the path as given)
            return load(file.read())
    except OSError as error:
        raise ConfigError(f"--config: cannot read {path}: {error.strerror}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None


def _refuse_twins(node: yaml.MappingNode) -> None:
    seen = set[str]()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and not key.tag.endswith(":merge"):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands there twice", key.start_mark)
            seen.add(key.value)
