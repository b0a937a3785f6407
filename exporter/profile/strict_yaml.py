"""YAML that people write by hand: as PyYAML reads it safely, but what stands there twice is a fault, and so is a bomb.

Of two rules of one name the first would be lost without a word; merges of merges (`<<: [*a, *a]`) double with each
line.
"""

from typing import Any, Final

import yaml

from exporter.errors import ConfigError

_MOST_MERGED: Final = 10_000
"""Keys that merges may put into one mapping."""


class _Loader(yaml.SafeLoader):
    """A hook of PyYAML's, which it calls by name."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
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
