"""Sections of the settings about single requests: traces, the log of predictions, examples.

As in `config`, which puts them in their places. The standard library only: every process reads settings.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from exporter import contexts
from exporter.addresses import Place, leads_to, receiver
from exporter.keys import setting
from exporter.privacy import patterns
from exporter.values import duration, integer, names, nearest, number, off_or, one_of, path, pause, size, switch

OTLP, ZIPKIN = "otlp", "zipkin"
GRPC, HTTP = PROTOCOLS = ("grpc", "http/protobuf")
SAMPLERS: Final = (
    "always_on", "always_off", "traceidratio",
    "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio",
)  # fmt: skip
"""As OTEL_TRACES_SAMPLER calls them."""
STDOUT: Final = "stdout"
_PORTS: Final = {"http": 80, "https": 443}


def _formats(value: object) -> tuple[str, ...]:
    """Formats of trace contexts, those believed first in front."""
    found = tuple(dict.fromkeys(names(value)))
    for one in found:
        if one not in contexts.FORMATS:
            known = ", ".join(contexts.FORMATS)
            raise ValueError(f"must be any of {known}, not {one!r}{nearest(one, {*contexts.FORMATS})}")
    return found


def _endpoint(value: object) -> str:
    """As `receiver`, or HOST:PORT as gRPC has it."""
    text = value if isinstance(value, str) else ""
    if text and "//" not in text:
        parts = urlsplit(f"//{text}")
        try:
            if parts.hostname and parts.port and not parts.path and "@" not in text and text.isascii():
                return text
        except ValueError:
            pass
        raise ValueError("must be HOST:PORT, http://HOST[:PORT]/PATH or https://HOST[:PORT]/PATH")
    return receiver(value)


def refuse_own_address(listeners: Iterable[Place], **addresses: str | None) -> None:
    """ValueError where one of them is a listener of our own: each post would be an exchange that is posted again."""
    for name, said in addresses.items():
        parts = urlsplit(said if said and "//" in said else f"//{said or ''}")
        place = (parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0))
        if parts.hostname and any(leads_to(place, listener) for listener in listeners):
            raise ValueError(f"{name.replace('__', '.')}: is at an address of this exporter itself")


def _place(value: object) -> str:
    """`off`, `stdout`, file:/PATH, http:// or https://."""
    if value is False or value == "off":  # YAML takes it for false
        return "off"
    text = value if isinstance(value, str) else ""
    if text == STDOUT:
        return text
    if text.startswith("file:"):
        found = text.removeprefix("file:")
        if not found.startswith("/") or found.endswith("/") or "\0" in found or not found.isprintable():
            raise ValueError("must be file:/PATH, the path of a file from the root on")
        return text
    if text.startswith(("http:", "https:")):
        return receiver(value)
    raise ValueError("must be off, stdout, file:/PATH, http://HOST/PATH or https://HOST/PATH")


def _errors() -> Any:  # noqa: ANN401 (a field of any type)
    return setting(True, "Whether every one that failed is kept, whatever the lot says.", switch, "true")


def _slow() -> Any:  # noqa: ANN401 (as above)
    return setting(0.0, "And every one that took so long; 0 is for none.", pause, "0s")


def _unusual() -> Any:  # noqa: ANN401 (as above)
    return setting(
        False, "And every one with a row that failed a check, or is unusual as a whole for the training data.", switch,
        "false",
    )  # fmt: skip


def _drifted() -> Any:  # noqa: ANN401 (as above)
    return setting(False, "And every one with a row in the bins that have grown most by drift.", switch, "false")


@dataclass(frozen=True, slots=True)
class Tail:
    """What is kept whatever a lot says, now that it is known how it ended."""

    errors: bool
    slow: float
    """Seconds; 0 where none is slow."""
    unusual: bool
    drifted: bool

    @property
    def looks_at_rows(self) -> bool:
        """Whether rows must be judged for it."""
        return self.unusual or self.drifted


@dataclass(frozen=True, slots=True)
class Tracing:
    """Spans of exchanges, for a collector of traces."""

    exporter: str = setting(
        "off",
        "To whom a span of each exchange is sent: off, otlp (collectors, Jaeger, Tempo) or zipkin. It needs"
        " `inference-exporter[otel]`, and honours OpenTelemetry's variables (OTEL_*), see docs/tracing.md.",
        off_or(OTLP, ZIPKIN),
    )
    endpoint: str | None = setting(
        None,
        "Where it is sent: http://HOST:4318/v1/traces, HOST:4317 (grpc) or http://HOST:9411/api/v2/spans (zipkin);"
        " what OTEL_EXPORTER_* say where left out.",
        _endpoint,
    )
    protocol: str | None = setting(
        None,
        "How it is sent where the exporter is otlp: grpc or http/protobuf; what OTEL_EXPORTER_OTLP_PROTOCOL says, else"
        " http/protobuf, where left out.",
        one_of(*PROTOCOLS),
    )
    sampler: str | None = setting(
        None,
        f"Which spans are sent: {', '.join(SAMPLERS)}; what OTEL_TRACES_SAMPLER says, else parentbased_always_on, where"
        " left out: the caller's decision counts, and all are sent that nobody decided on.",
        one_of(*SAMPLERS),
    )
    ratio: float | None = setting(
        None,
        "Share of the traces that is drawn by lot where the sampler is one of a ratio, the same ones everywhere;"
        " OTEL_TRACES_SAMPLER_ARG, else all, where left out.",
        number(0.0, 1.0),
    )
    errors: bool = _errors()
    slow: float = _slow()
    unusual: bool = _unusual()
    drifted: bool = _drifted()
    contexts: tuple[str, ...] = setting(
        (),
        "Formats of trace contexts that are read of requests, the first that says anything being believed: any of"
        f" {', '.join(contexts.FORMATS)}; what OTEL_PROPAGATORS says, else all of them, where left out.",
        _formats,
        "[]",
    )

    @property
    def enable(self) -> bool:
        """Whether spans are sent at all."""
        return self.exporter != "off"

    @property
    def tail(self) -> Tail:
        """What is sent in any case."""
        return Tail(self.errors, self.slow, self.unusual, self.drifted)

    def __post_init__(self) -> None:
        if self.protocol is not None and self.exporter == ZIPKIN:
            raise ValueError("protocol: has no meaning for zipkin")
        if self.endpoint and "//" not in self.endpoint and (self.exporter == ZIPKIN or self.protocol == HTTP):
            raise ValueError("endpoint: HOST:PORT is for grpc; say http://HOST:PORT/PATH")


@dataclass(frozen=True, slots=True)
class PredictionLog:
    """One line of JSON for each exchange that is kept."""

    to: str = setting(
        "off",
        "Where predictions are logged, a line of JSON for each exchange: off, stdout, file:/PATH, or an address that"
        " takes batches of CloudEvents, http:// or https://.",
        _place,
    )
    ratio: float = setting(1.0, "Share of the exchanges that is drawn by lot.", number(0.0, 1.0), "1.0")
    errors: bool = _errors()
    slow: float = _slow()
    unusual: bool = _unusual()
    drifted: bool = _drifted()
    fields: tuple[str, ...] = setting(
        (), "Features and outputs that are logged, by name or with * for anything; all where left out.", patterns, "[]"
    )
    deny: tuple[str, ...] = setting(
        (), "Those of them that are not. What privacy.deny names never is, and privacy.hash counts here, too.",
        patterns, "[]",
    )  # fmt: skip
    hash: tuple[str, ...] = setting(
        (), "Those whose values are logged as hashes under the salt of salt_file.", patterns, "[]"
    )
    max_rows: int = setting(100, "Most rows of one exchange that are logged.", integer(1, 100_000))
    max_line: int = setting(256 << 10, "Longest line; a longer one is left out, and counted.", size(1 << 10), "256KiB")
    max_pending: int = setting(
        16 << 20, "Most bytes of lines that wait to be written; what comes then is left out, and counted.",
        size(1 << 16), "16MiB",
    )  # fmt: skip
    rotate_size: int = setting(
        100 << 20, "Size at which a file is set aside and another one begun.", size(1 << 16), "100MiB"
    )
    rotate_age: float = setting(86400.0, "And its age.", duration, "24h")
    rotate_keep: int = setting(10, "Most files that are set aside; the oldest is deleted then.", integer(0, 10_000))
    token_file: str | None = setting(
        None, "File of a token that an address is shown as `Authorization: Bearer`; it is read for each post.", path
    )
    ca_file: str | None = setting(
        None, "Certificates (PEM) that vouch for an https:// address; those of the system where left out.", path
    )
    timeout: float = setting(5.0, "How long such an address may take to answer.", duration, "5s")

    @property
    def enable(self) -> bool:
        """Whether anything is logged."""
        return self.to != "off"

    @property
    def tail(self) -> Tail:
        """What is logged in any case."""
        return Tail(self.errors, self.slow, self.unusual, self.drifted)

    def __post_init__(self) -> None:
        if self.max_line * 4 > self.max_pending:
            raise ValueError(f"max_pending: must be at least four times max_line ({self.max_line} bytes)")
        for name, said in (("token_file", self.token_file), ("ca_file", self.ca_file)):
            if said is not None and not self.to.startswith("http"):
                raise ValueError(f"{name}: has no meaning where nothing is posted, see prediction_log.to")


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows that failed a check, on the status page."""

    fields: tuple[str, ...] = setting(
        (),
        "Features and outputs of which the status page shows rows that failed a check, or are unusual as a whole, by"
        " name or with * for anything. They are held in memory alone; none are where left out.",
        patterns,
        "[]",
    )
    limit: int = setting(20, "Most rows of one model, the last ones.", integer(1, 100))

    @property
    def enable(self) -> bool:
        """Whether any are held."""
        return bool(self.fields)
