"""Every setting, once: key, type, default, bounds and help.

Flags, environment variables, the file's keys and the printed reference all derive from `Settings`, by `keys`.
Standard library only: the supervisor imports this, and a short-lived child parses the YAML for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter import contexts, keys
from exporter.addresses import Route, is_tls, listener, listener_place, refuse_loops, routes, upstream_url
from exporter.ageing import Staleness
from exporter.allowance import Metrics
from exporter.business import BusinessValue, business_values
from exporter.captured import Capture
from exporter.dependencies import Dependency, dependencies, refuse_own
from exporter.facing import Health, Web
from exporter.goldens import Golden
from exporter.guarantees import Evidence
from exporter.hindsight import Feedback, Performance
from exporter.identity import Model, Models
from exporter.keys import Key, Layer, setting
from exporter.locations import location
from exporter.loops import Loops
from exporter.origins import Origin, origins
from exporter.privacy import Privacy
from exporter.retraining import Retrain
from exporter.rollout import Versions
from exporter.sections import (
    Analyser,
    Drain,
    Events,
    ListenTLS,
    Provisional,
    RequestId,
    Segments,
    State,
    UpstreamTLS,
    Windows,
)
from exporter.traced import Examples, PredictionLog, Tracing, refuse_own_address
from exporter.upstream_metrics import Merge, Resource
from exporter.values import (
    boolean,
    duration,
    integer,
    off_or,
    one_of,
    path,
    pause,
    spoken,
    switch,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything `serve` can be told."""

    relay: bool = setting(
        True,
        "Whether clients are relayed to the model server; without it, exchanges are known from events alone.",
        boolean,
        negation="no-relay",
    )
    upstream: str | None = setting(
        None, "Model server: http://HOST:PORT, https://HOST:PORT, or unix:/PATH.", upstream_url
    )
    upstream_pid: int | None = setting(
        None, "Process id of the model server, where it cannot be found by its port.", integer(1, 2**31)
    )
    upstream_probe_interval: float = setting(
        5.0, "How often a TCP connect asks whether the model server is up.", duration, "5s"
    )
    upstream_connect_timeout: float = setting(
        10.0, "How long a connect to the model server may take; then the client gets a 502.", duration, "10s"
    )
    upstream_proxy_protocol: str = setting(
        "off",
        "Whether the server is told its clients' addresses: off, or the PROXY protocol v1 or v2.",
        off_or("v1", "v2"),
    )
    listen: str = setting(
        "0.0.0.0:8080", "Address on which the model server's clients are relayed: HOST:PORT or unix:/PATH.", listener
    )
    routes: tuple[Route, ...] = setting(
        (), "Further ports of the same server, LISTEN=UPSTREAM each; the flag may be repeated.", routes, flag="route"
    )
    head_timeout: float = setting(
        30.0,
        "How long a client may take from the first byte of a request's head to its end, where nothing else is under"
        " way on its connection; 0 is for ever.",
        pause,
        "30s",
    )
    max_connections: int = setting(
        0,
        "Most client connections of one worker, further ones get a 503; 0 is as many as its descriptors allow.",
        integer(0, 1 << 20),
    )
    profile: str | None = setting(
        None,
        "Reference profile made by `inference-exporter profile build`: a file, https://HOST/PATH, s3://BUCKET/KEY,"
        " gs://BUCKET/OBJECT, models:/NAME/VERSION, models:/NAME@ALIAS or runs:/RUN_ID/PATH (MLflow), with {model} and"
        " {version} one for each; or a directory of {model}/{version}.json, {model}/default.json or {model}.json."
        " #sha256=HEX at the end pins a file's bytes. /mnt/models/profile.json where left out, if it is there.",
        location,
    )
    profile_poll_interval: float = setting(
        60.0,
        "How often the store of a profile is asked for another one; files are looked at every two seconds.",
        duration,
        "1m",
    )
    overrides: str | None = setting(
        None, "YAML file of what people say of columns: what is allowed, tolerated, ignored, who is told of it.", path
    )
    salt_file: str | None = setting(
        None, "File with the salt of hashed categories and names; it is shown nowhere.", path
    )
    protocols: tuple[tuple[str, str], ...] = setting(
        (),
        "Payload protocol that is spoken, NAME or PATTERN=NAME for the paths that fit, * for anything; found out where"
        " left out. The flag may be repeated, the first that fits wins.",
        spoken,
        flag="protocol",
    )
    features: tuple[Origin, ...] = setting(
        (),
        "What the profile's features are made of in payloads, where names do not say it: a field, a position, a JSON"
        " pointer (* for the instances), codes or one-hot columns, as `inference-exporter suggest` proposes them. It is"
        " JSON outside of this file.",
        origins,
        "{}",
    )
    outputs: tuple[Origin, ...] = setting((), "The same of the profile's outputs.", origins, "{}")
    upstream_metadata: bool = setting(
        True,
        "Whether the model server is asked for its inputs' names (Open Inference Protocol) where requests name none.",
        switch,
        "true",
    )
    dependencies: tuple[Dependency, ...] = setting(
        (),
        "What the model needs beside its server, probed at an interval: mappings with name and url, http://, https://"
        " or tcp://HOST:PORT, and at will interval (30s), timeout (5s), expect ([2xx]), method (GET),"
        " bearer_token_file, header_files, ca_file, insecure_skip_verify, follow_redirects. The flag takes NAME=URL and"
        " may be repeated.",
        dependencies,
        "[]",
        flag="dependency",
    )
    values: tuple[BusinessValue, ...] = setting(
        (),
        "Business values, of which windows show sum and mean: mappings with name and one of feature, output, pointer"
        " ({side: request or response, pointer: /offer/price}), or feedback: true for what truths say as their value."
        " It is JSON outside of this file.",
        business_values,
        "[]",
    )
    workers: int = setting(1, "Relay processes.", integer(1, 64))
    log_level: str = setting("info", "Least severe message logged.", one_of("debug", "info", "warning", "error"))
    web: Web = field(default_factory=Web)
    metrics: Metrics = field(default_factory=Metrics)
    merge: Merge = field(default_factory=Merge)
    health: Health = field(default_factory=Health)
    model: Model = field(default_factory=Model)
    models: Models = field(default_factory=Models)
    versions: Versions = field(default_factory=Versions)
    capture: Capture = field(default_factory=Capture)
    request_id: RequestId = field(default_factory=RequestId)
    windows: Windows = field(default_factory=Windows)
    segments: Segments = field(default_factory=Segments)
    evidence: Evidence = field(default_factory=Evidence)
    provisional: Provisional = field(default_factory=Provisional)
    analyser: Analyser = field(default_factory=Analyser)
    state: State = field(default_factory=State)
    events: Events = field(default_factory=Events)
    feedback: Feedback = field(default_factory=Feedback)
    performance: Performance = field(default_factory=Performance)
    golden: Golden = field(default_factory=Golden)
    staleness: Staleness = field(default_factory=Staleness)
    retrain: Retrain = field(default_factory=Retrain)
    loops: Loops = field(default_factory=Loops)
    tracing: Tracing = field(default_factory=Tracing)
    prediction_log: PredictionLog = field(default_factory=PredictionLog)
    examples: Examples = field(default_factory=Examples)
    privacy: Privacy = field(default_factory=Privacy)
    drain: Drain = field(default_factory=Drain)
    listen_tls: ListenTLS = field(default_factory=ListenTLS)
    upstream_tls: UpstreamTLS = field(default_factory=UpstreamTLS)

    def __post_init__(self) -> None:
        refuse_loops(self.every_route)
        own = tuple(map(listener_place, self.listeners))
        refuse_own_address(own, tracing__endpoint=self.tracing.endpoint, prediction_log__to=self.prediction_log.to)
        refuse_own(self.dependencies, own)
        self.merge.refuse_circles(self.watched, self.listeners)
        if self.routes and not self.relay:
            raise ValueError("routes: nothing is relayed with relay: false")
        if self.upstream_proxy_protocol != "off" and any(is_tls(route.upstream) for route in self.every_route):
            raise ValueError("upstream_proxy_protocol: cannot be had with an https:// upstream")
        self.metrics.refuse_too_little(self.merge.max_series if self.merge.upstream_metrics else 0)
        if self.evidence.enable:
            self.evidence.refuse_too_often(self.windows.pane)
        if self.privacy.hash and self.salt_file is None:
            raise ValueError("privacy.hash: needs a secret, say salt_file")
        if self.prediction_log.hash and self.salt_file is None:
            raise ValueError("prediction_log.hash: needs a secret, say salt_file")
        if self.feedback.enable:
            self.performance.refuse_shorter(self.windows.pane)
            self.staleness.refuse_shorter(self.windows.pane)
        self.loops.holdout.refuse_unknown(self.segments.by)
        worth = [one.feature or one.output for one in self.values]
        self.privacy.refuse(self.segments.by, self.evidence.group_key, self.request_id.columns, worth)
        self.privacy.refuse_names(self.segments.search, "segments.search")

    @property
    def every_route(self) -> tuple[Route, ...]:
        """What is relayed where; the first one leads to the server that is watched."""
        first = () if self.upstream is None or not self.relay else (Route(self.listen, self.upstream),)
        return first + self.routes

    @property
    def listeners(self) -> tuple[str, ...]:
        """Where anything of this exporter listens."""
        relay = tuple(route.listen for route in self.every_route)
        return (*relay, self.web.listen_address, self.health.listen_address)

    @property
    def watched(self) -> str | None:
        """The server that is probed; None where none is known."""
        return self.routes[0].upstream if self.upstream is None and self.routes else self.upstream

    @property
    def merged(self) -> Resource | None:
        """What else is on our page; None where nothing is."""
        return self.merge.resource(self.watched)

    @property
    def relays(self) -> int:
        """How many processes relay."""
        return self.workers if self.relay else 0

    @property
    def kept_headers(self) -> tuple[str, ...]:
        """Headers that are looked at beside those that protocols have."""
        group = self.evidence.group_key
        own = (self.request_id.header, group.header if group else None, *self.versions.headers)
        return tuple(filter(None, (*own, *self.segments.headers, *self.trace_headers)))

    @property
    def trace_headers(self) -> tuple[str, ...]:
        """Headers in which callers say of which trace a request is part; none where nobody wants to know."""
        wanted = self.tracing.enable or self.prediction_log.enable or self.metrics.exemplars
        return contexts.headers(self.tracing.contexts or tuple(contexts.FORMATS)) if wanted else ()

    @property
    def takes_events(self) -> bool:
        """Whether POST /events takes any."""
        return self.events.enable or not self.relay


# --- the ways in and out


def every_key() -> tuple[Key, ...]:
    """Every setting, in the order of the reference."""
    return keys.every_key(Settings)


def flatten(document: object, source: str) -> dict[str, object]:
    """The file's nested mapping by key name. ConfigError names an unknown key and the nearest known one."""
    return keys.flatten(every_key(), document, source)


def from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    """The settings given as environment variables; a misspelt one is an error, an empty one is not given."""
    return keys.from_environment(every_key(), environ)


def resolve(*layers: Layer) -> Settings:
    """Settings from layers, the first one winning. ConfigError says which source and key is wrong."""
    return keys.resolve(Settings, *layers)


def to_document(settings: Settings) -> dict[str, object]:
    """Settings by key name, ready for JSON: how they travel to child processes."""
    return keys.to_document(settings)


def from_document(document: Mapping[str, object]) -> Settings:
    """The inverse of `to_document`."""
    return resolve(("settings", document))


def reference() -> str:
    """Every key with its help and default, as a YAML file that can be used as it is."""
    return keys.reference(every_key())
