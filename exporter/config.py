"""Every setting, once: key, type, default, bounds and help.

Flags, environment variables, the file's keys and the printed reference all derive from `Settings`. Standard library
only: the supervisor imports this, and a short-lived child parses the YAML for it.
"""

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from exporter.errors import ConfigError
from exporter.values import (
    address,
    duration,
    durations,
    format_duration,
    http_methods,
    integer,
    label_value,
    leads_to,
    nearest,
    one_of,
    path,
    pause,
    size,
    split_address,
    split_upstream,
    switch,
    upstream_url,
    url_paths,
)

_BODIES_PER_RING = 16
"""So that an exchange of two whole bodies takes an eighth of the ring at most."""
ENVIRONMENT_PREFIX = "INFERENCE_EXPORTER_"
_SERVICE_LINK = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$")
_Section = TypeVar("_Section")


def setting(default: object, text: str, parse: Callable[[Any], object], show: str | None = None) -> Any:  # noqa: ANN401
    """A field of a settings class; `show` is the default as people would write it."""
    return field(default=default, metadata={"help": text, "parse": parse, "show": show})


@dataclass(frozen=True, slots=True)
class Web:
    """Where people and Prometheus look."""

    listen_address: str = setting("0.0.0.0:9877", "Address of /metrics and the status page.", address)
    enable_lifecycle: bool = setting(False, "Whether POST /-/observe may switch observation.", switch, "false")


@dataclass(frozen=True, slots=True)
class Health:
    """Where the container platform looks."""

    listen_address: str = setting(
        "0.0.0.0:9878", "Address of /-/healthy and /-/ready, answered by the supervisor.", address
    )


@dataclass(frozen=True, slots=True)
class Model:
    """What the model is called on /metrics."""

    name: str | None = setting(None, "Label model; the profile's name, or 'default', where left out.", label_value)
    version: str | None = setting(
        None, "Label model_version; the profile's version, or 'unknown', where left out.", label_value
    )


@dataclass(frozen=True, slots=True)
class Capture:
    """What is copied off the request path, within bounds."""

    max_body: int = setting(
        1 << 20,
        "Most of a body that is copied for decoding, each way; of a longer one the first rows.",
        size(0),
        "1MiB",
    )
    max_pending: int = setting(
        32 << 20, "Most bytes of bodies one worker holds for unfinished exchanges.", size(0), "32MiB"
    )
    ring: int = setting(16 << 20, "Size of each worker's ring to the analyser.", size(1 << 16), "16MiB")
    probe_paths: tuple[str, ...] = setting(
        ("/health", "/healthz", "/healthcheck", "/livez", "/readyz", "/ready", "/live", "/ping",
         "/v2/health/live", "/v2/health/ready", "/metrics"),
        "Paths of health probes: relayed, but not counted as model requests.", url_paths,
    )  # fmt: skip
    methods: tuple[str, ...] = setting(
        ("POST", "PUT", "PATCH"), "Methods that carry model input; what others carry is not copied.", http_methods
    )
    paths: tuple[str, ...] = setting(
        ("/*",), "Paths that carry model input, * for anything; what others carry is not copied.", url_paths
    )

    def __post_init__(self) -> None:
        if self.ring < _BODIES_PER_RING * self.max_body:
            raise ValueError(f"ring: must be at least {_BODIES_PER_RING} times max_body ({self.max_body} bytes)")


@dataclass(frozen=True, slots=True)
class Windows:
    """Over what the scores are taken."""

    pane: float = setting(60.0, "Width of one pane of the rolling windows.", duration, "1m")
    lengths: tuple[float, ...] = setting(
        (300.0, 3600.0, 86400.0),
        "Lengths of the rolling windows, multiples of the pane.",
        durations,
        "[5m, 1h, 24h]",
    )
    minimum_samples: int = setting(
        200, "Fewest values in a window for its scores to count as sufficient.", integer(1, 10**9)
    )
    snapshot_interval: float = setting(2.0, "How often scores are computed.", duration, "2s")

    def __post_init__(self) -> None:
        if len({format_duration(length) for length in self.lengths}) < len(self.lengths):
            raise ValueError("lengths: two windows would have the same name")
        for length in self.lengths:
            if abs(length / self.pane - round(length / self.pane)) > 1e-9 or length < self.pane:
                raise ValueError(f"lengths: {format_duration(length)} is not a multiple of pane")
            if length / self.pane > 100_000:
                raise ValueError(f"lengths: {format_duration(length)} is more than 100000 panes")


@dataclass(frozen=True, slots=True)
class Drain:
    """How the end is spent."""

    delay: float = setting(0.0, "After SIGTERM, how long connections are still accepted.", pause, "0s")
    timeout: float = setting(30.0, "How long exchanges in flight may take to finish.", duration, "30s")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything `serve` can be told."""

    upstream: str | None = setting(None, "URL of the model server, http://HOST:PORT.", upstream_url)
    upstream_pid: int | None = setting(
        None, "Process id of the model server, where it cannot be found by its port.", integer(1, 2**31)
    )
    upstream_probe_interval: float = setting(
        5.0, "How often a TCP connect asks whether the model server is up.", duration, "5s"
    )
    listen: str = setting("0.0.0.0:8080", "Address on which the model server's clients are relayed.", address)
    profile: str | None = setting(None, "Reference profile made by `inference-exporter profile build`.", path)
    workers: int = setting(1, "Relay processes.", integer(1, 64))
    log_level: str = setting("info", "Least severe message logged.", one_of("debug", "info", "warning", "error"))
    web: Web = field(default_factory=Web)
    health: Health = field(default_factory=Health)
    model: Model = field(default_factory=Model)
    capture: Capture = field(default_factory=Capture)
    windows: Windows = field(default_factory=Windows)
    drain: Drain = field(default_factory=Drain)

    def __post_init__(self) -> None:
        if self.upstream is not None:
            host, port = split_upstream(self.upstream)
            own_host, own_port = split_address(self.listen)
            if port == own_port and leads_to(host, own_host):
                raise ValueError(f"upstream: {self.upstream} is the address of the relay itself")


# --- one description for flags, environment and file


@dataclass(frozen=True, slots=True)
class Key:
    """One setting as the outside knows it, e.g. `web.listen_address`."""

    name: str
    help: str
    default: str | None
    parse: Callable[[object], object]

    @property
    def flag(self) -> str:
        """As on the command line: `--web.listen-address`."""
        return "--" + self.name.replace("_", "-")

    @property
    def environment(self) -> str:
        """As in the environment: `INFERENCE_EXPORTER_WEB_LISTEN_ADDRESS`."""
        return ENVIRONMENT_PREFIX + self.name.replace(".", "_").upper()


def every_key() -> tuple[Key, ...]:
    """Every setting, in the order of the reference."""
    return tuple(_keys(Settings, ""))


def _keys(section: type, prefix: str) -> Iterator[Key]:
    for item in dataclasses.fields(section):
        if isinstance(item.type, type) and dataclasses.is_dataclass(item.type):
            yield from _keys(item.type, f"{prefix}{item.name}.")
        else:
            shown = item.metadata["show"] or (None if item.default is None else _show(item.default))
            yield Key(prefix + item.name, item.metadata["help"], shown, item.metadata["parse"])


def _show(value: object) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


# --- putting the layers together: flags over environment over file over default

Layer = tuple[str, Mapping[str, object]]
"""Where the values come from (for error messages) and the values by key name."""


def flatten(document: object, source: str) -> dict[str, object]:
    """The file's nested mapping by key name. ConfigError names an unknown key and the nearest known one."""
    known = {key.name for key in every_key()}
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


def from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    """The settings given as environment variables; a misspelt one is an error, an empty one is not given."""
    known = {key.environment: key.name for key in every_key()}
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


def resolve(*layers: Layer) -> Settings:
    """Settings from layers, the first one winning. ConfigError says which source and key is wrong."""
    values: dict[str, object] = {}
    for source, layer in reversed(layers):
        for key in every_key():
            if key.name in layer and layer[key.name] is not None:
                try:
                    values[key.name] = key.parse(layer[key.name])
                except ValueError as error:
                    raise ConfigError(f"{source}: {key.name}: {error}") from None
    return _build(Settings, "", values)


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


def to_document(settings: Settings) -> dict[str, object]:
    """Settings by key name, ready for JSON: how they travel to child processes."""
    return dict(_flat(dataclasses.asdict(settings), ""))


def _flat(node: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    for word, value in node.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{word}.")
        else:
            yield prefix + word, value


def from_document(document: Mapping[str, object]) -> Settings:
    """The inverse of `to_document`."""
    return resolve(("settings", document))
