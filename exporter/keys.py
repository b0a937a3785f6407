"""Settings classes as the outside knows them: each field a key of the file, a flag and an environment variable.

Knows how settings are written and read, not which there are: those are declared in `config`. Standard library only.
"""

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from exporter.errors import ConfigError
from exporter.values import Fault, nearest

ENVIRONMENT_PREFIX = "INFERENCE_EXPORTER_"
_SERVICE_LINK = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$")
_CREDENTIALS = re.compile(r"//[^/\s]*@")
"""In addresses: who reads why one is refused is not to read these."""
_Section = TypeVar("_Section")


def setting(default: object, text: str, parse: Callable[[Any], object], show: str | None = None, **more: object) -> Any:  # noqa: ANN401
    """A field of a settings class; `show` is the default as people would write it.

    `flag` is the option's name where a flag is given once per item of a list, `alias` a shorter one beside it,
    `negation` one that takes no value and says false; `bare` is what a flag without a value says.
    """
    return field(default=default, metadata={"help": text, "parse": parse, "show": show, **more})


@dataclass(frozen=True, slots=True)
class Key:
    """One setting as the outside knows it, e.g. `web.listen_address`."""

    name: str
    help: str
    default: str | None
    parse: Callable[[object], object]
    item: str | None = None
    """The flag's name where it is given once per item."""
    alias: str | None = None
    """A shorter name that the flag has as well."""
    negation: str | None = None
    """A flag's name that takes no value and says false."""
    bare: str | None = None
    """What the flag says without a value, where it needs none."""

    @property
    def flag(self) -> str:
        """As on the command line: `--web.listen-address`."""
        return "--" + (self.item or self.name).replace("_", "-")

    @property
    def flags(self) -> tuple[str, ...]:
        """All its flags."""
        return ("--" + self.alias, self.flag) if self.alias else (self.flag,)

    @property
    def switches(self) -> tuple[str, ...]:
        """Its flags without a value."""
        return (f"--{self.negation}",) if self.negation else ()

    @property
    def environment(self) -> str:
        """As in the environment: `INFERENCE_EXPORTER_WEB_LISTEN_ADDRESS`."""
        return ENVIRONMENT_PREFIX + self.name.replace(".", "_").upper()


def every_key(section: type) -> tuple[Key, ...]:
    """Every setting, in the order of the reference."""
    return tuple(_keys(section, ""))


def _keys(section: type, prefix: str) -> Iterator[Key]:
    for item in dataclasses.fields(section):
        if isinstance(item.type, type) and dataclasses.is_dataclass(item.type):
            yield from _keys(item.type, f"{prefix}{item.name}.")
        else:
            shown = item.metadata["show"] or (None if item.default is None else _show(item.default))
            about = item.metadata
            names = (about.get(word) for word in ("flag", "alias", "negation", "bare"))
            yield Key(prefix + item.name, about["help"], shown, about["parse"], *names)


def _show(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


# --- putting the layers together: flags over environment over file over default

Layer = tuple[str, Mapping[str, object]]
"""Where the values come from (for error messages) and the values by key name."""


def flatten(keys: tuple[Key, ...], document: object, source: str) -> dict[str, object]:
    """The file's nested mapping by key name. ConfigError names an unknown key and the nearest known one."""
    known = {key.name for key in keys}
    sections = {key.rpartition(".")[0] for key in known if "." in key}
    return dict(_flatten(document if document is not None else {}, "", (known, sections), source))


def _flatten(node: object, prefix: str, names: tuple[set[str], set[str]], source: str) -> Iterator[tuple[str, object]]:
    if not isinstance(node, Mapping):
        raise ConfigError(f"{source}: {prefix.rstrip('.') or 'document'}: must be a mapping")
    for word, value in node.items():
        key = f"{prefix}{word}"
        if key in names[1]:
            yield from _flatten(value if value is not None else {}, key + ".", names, source)
        elif key in names[0]:
            yield key, value
        else:
            raise ConfigError(f"{source}: {key}: unknown key{nearest(key, names[0] | names[1])}")


def from_environment(keys: tuple[Key, ...], environ: Mapping[str, str]) -> dict[str, object]:
    """The settings given as environment variables; a misspelt one is an error, an empty one is not given."""
    known = {key.environment: key.name for key in keys}
    given = {word: text for word, text in environ.items() if word.startswith(ENVIRONMENT_PREFIX)}
    for word, text in list(given.items()):
        if word not in known:
            if _is_service_link(word, text):
                del given[word]
                continue
            raise ConfigError(f"environment: {word}: unknown variable{nearest(word, set(known))}")
    return {known[word]: text for word, text in given.items() if text}


def _is_service_link(word: str, text: str) -> bool:
    """Whether Kubernetes set the variable: it does so in every pod, for every Service, and one may be named like us."""
    return _SERVICE_LINK.search(word) is not None or (word.endswith("_PORT") and "://" in text)


def resolve(section: type[_Section], *layers: Layer) -> _Section:
    """Settings from layers, the first one winning. ConfigError says which source and key is wrong."""
    values: dict[str, object] = {}
    for source, layer in reversed(layers):
        for key in every_key(section):
            if key.name in layer and layer[key.name] is not None:
                try:
                    values[key.name] = key.parse(layer[key.name])
                except ValueError as error:
                    inside = _within(error.path) if isinstance(error, Fault) else ""
                    words = _CREDENTIALS.sub("//…@", str(error))
                    raise ConfigError(f"{source}: {key.name}{inside}: {words}") from None
    return _build(section, "", values)


def _within(path: str) -> str:
    """A path behind a key: an item of a list, or a key of a mapping."""
    return path if path.startswith("[") else f".{path}"


def _build(section: type[_Section], prefix: str, values: Mapping[str, object]) -> _Section:
    arguments: dict[str, object] = {}
    for item in dataclasses.fields(cast("Any", section)):
        if isinstance(item.type, type) and dataclasses.is_dataclass(item.type):
            arguments[item.name] = _build(item.type, f"{prefix}{item.name}.", values)
        elif prefix + item.name in values:
            arguments[item.name] = values[prefix + item.name]
    try:
        return section(**arguments)
    except ValueError as error:
        raise ConfigError(f"settings: {prefix}{error}") from None


def to_document(settings: Any) -> dict[str, object]:  # noqa: ANN401 (any settings class)
    """Settings by key name, ready for JSON: how they travel to child processes."""
    return dict(_flat(dataclasses.asdict(settings), ""))


def _flat(node: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    for word, value in node.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{word}.")
        else:
            yield prefix + word, value


def reference(keys: tuple[Key, ...]) -> str:
    """Every key with its help and default, as a YAML file that can be used as it is."""
    lines = ["# inference-exporter: every setting with its default. Flags win over environment variables,",
             "# environment variables over this file."]  # fmt: skip
    section = ""
    for key in keys:
        head, _, word = key.name.rpartition(".")
        if head != section:
            lines += ["", f"{head}:"]
            section = head
        indent = "  " if head else ""
        value = f"{word}: {key.default}" if key.default is not None else f"# {word}:"
        ways = f"{', '.join((*key.switches, *key.flags))} or {key.environment}"
        lines += ["", f"{indent}# {key.help}", f"{indent}# {ways}", indent + value]
    return "\n".join(lines) + "\n"
