"""Sections of the settings about connections and events, how they come in and how they end, what is kept and scored.

As in `config`, which puts them in their places.
"""

from dataclasses import dataclass

from exporter.keys import setting
from exporter.segmentations import MOST_VALUES, Segmentation, segmentations
from exporter.values import (
    boolean,
    duration,
    durations,
    format_duration,
    header_name,
    integer,
    integers,
    json_pointer,
    label_value,
    names,
    path,
    pause,
    size,
    some_of,
    switch,
)

OPTIONAL_SCORES = (
    "hellinger_distance", "kl_divergence", "l_infinity", "chi_square_pvalue", "tolerant_chi_square_pvalue",
)  # fmt: skip
COMPARISONS = ("previous", "last_week", "versions")
_ROW_PANES = 20
"""Of which windows of rows are made."""
_MOST_SEARCHED = 10
_BODIES_HELD = 4
"""So that one long event leaves room for others."""


@dataclass(frozen=True, slots=True)
class Events:
    """What loggers of model servers post."""

    enable: bool = setting(
        False,
        "Whether POST /events on the web address takes CloudEvents of requests and answers; always without a relay.",
        switch,
        "false",
    )
    max_body: int = setting(4 << 20, "Longest body of a POST of events, inflated.", size(1 << 10), "4MiB")
    token_file: str | None = setting(
        None,
        "File of a bearer token that a POST of events must show; it counts there instead of a password, and is read"
        " again when it changes.",
        path,
    )
    max_waiting: int = setting(
        10_000,
        "Most events that wait for their other half; beyond them the oldest is observed without.",
        integer(1, 1_000_000),
    )
    max_pending: int = setting(
        64 << 20,
        "Most bytes of events held: half for those not yet looked at, half for those that wait for their other half.",
        size(1 << 12),
        "64MiB",
    )
    join_timeout: float = setting(
        60.0, "How long an event waits for its other half; then it is observed without.", duration, "1m"
    )

    def __post_init__(self) -> None:
        if self.max_pending < _BODIES_HELD * self.max_body:
            raise ValueError(f"max_pending: must be at least {_BODIES_HELD} times max_body ({self.max_body} bytes)")


@dataclass(frozen=True, slots=True)
class Drain:
    """How the end is spent."""

    delay: float = setting(0.0, "After SIGTERM, how long connections are still accepted.", pause, "0s")
    timeout: float = setting(30.0, "How long exchanges in flight may take to finish.", duration, "30s")
    close_header: bool = setting(
        False,
        "After SIGTERM, put `Connection: close` into answers that say nothing of their connection; the one exception to"
        " unchanged bytes.",
        boolean,
    )


@dataclass(frozen=True, slots=True)
class ListenTLS:
    """How clients are spoken to."""

    cert_file: str | None = setting(
        None, "Certificate chain (PEM): clients of every listener then speak TLS, HTTP/1.1 only.", path
    )
    key_file: str | None = setting(None, "The certificate's key (PEM, not encrypted).", path)

    def __post_init__(self) -> None:
        if (self.cert_file is None) != (self.key_file is None):
            missing, given = ("key_file", "cert_file") if self.key_file is None else ("cert_file", "key_file")
            raise ValueError(f"{missing}: must be given where {given} is")


@dataclass(frozen=True, slots=True)
class UpstreamTLS:
    """How an https:// upstream is verified."""

    ca_file: str | None = setting(
        None, "Certificates (PEM) that vouch for the model server; those of the system where left out.", path
    )
    server_name: str | None = setting(
        None, "Name in the server's certificate; the URL's host where left out.", label_value
    )
    insecure_skip_verify: bool = setting(False, "Believe any certificate.", boolean)


@dataclass(frozen=True, slots=True)
class RequestId:
    """By what late truth finds a prediction. The ids that protocols and well-known headers have need nothing here."""

    pointer: str | None = setting(
        None, "JSON pointer to the id in a request's or an answer's body, such as /meta/id.", json_pointer
    )
    columns: tuple[str, ...] = setting((), "Features that together are the id of a row.", names)
    header: str | None = setting(None, "Header that holds the id, of a request or of an answer.", header_name)


@dataclass(frozen=True, slots=True)
class Analyser:
    """What the analysing process may use."""

    memory_limit: int = setting(
        1 << 30,
        "Resident memory over which the analyser is killed and started again; keep it well below the container's.",
        size(1 << 24),
        "1GiB",
    )


@dataclass(frozen=True, slots=True)
class State:
    """What outlives a restart."""

    directory: str | None = setting(
        None,
        "Directory of this exporter's own in which the windows are kept, so that they go on after a restart; they start"
        " empty where left out.",
        path,
        alias="state",
    )
    interval: float = setting(60.0, "How often they are written there, beside the orderly end.", duration, "1m")


@dataclass(frozen=True, slots=True)
class Provisional:
    """What a model is compared with that has no profile."""

    enable: bool = setting(
        True,
        "Whether the first rows of a model that has no profile become its reference, until it has one.",
        switch,
        "true",
    )
    rows: int = setting(10_000, "So many rows of requests that were answered with 2xx.", integer(1, 10_000_000))
    period: float = setting(
        86400.0, "Or those of so long, if by then there are provisional.minimum_rows.", duration, "24h"
    )
    minimum_rows: int = setting(
        500,
        "Fewest rows of a reference: each of its twelve bins holds some forty of them then, and a category with a"
        " fiftieth of the rows is told from rare ones.",
        integer(1, 10_000_000),
    )
    max_columns: int = setting(
        500, "Most features, and most outputs, of such a reference; those that come first are watched.",
        integer(1, 10_000),
    )  # fmt: skip

    def __post_init__(self) -> None:
        if self.minimum_rows > self.rows:
            raise ValueError(f"minimum_rows: must not be above provisional.rows ({self.rows})")


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
    rows: tuple[int, ...] = setting(
        (200, 1000, 10_000),
        f"Lengths of windows over the last rows, multiples of {_ROW_PANES}; [] for none. They are counted while a side"
        " is quiet, which it is until its shortest window of time has held minimum_samples, without interruption, for"
        " twelve times its length, and are on the page until the longest one holds nothing.",
        integers(_ROW_PANES, 10_000_000),
        "[200, 1000, 10000]",
    )
    minimum_samples: int = setting(
        200, "Fewest values in a window for its scores to count as sufficient.", integer(1, 10**9)
    )
    compare: tuple[str, ...] = setting(
        ("previous", "versions"),
        "What live windows are held against beside the reference: `previous`, the window of the same length before;"
        " `last_week`, the last full hour (or what is nearest to it among lengths) against the same one a week ago;"
        " `versions`, other versions of the model that are compared with the same profile. [] for none.",
        some_of(*COMPARISONS),
        "[previous, versions]",
    )
    scores: tuple[str, ...] = setting(
        (), f"Scores beside the default ones: {', '.join(OPTIONAL_SCORES)}.", some_of(*OPTIONAL_SCORES), "[]"
    )
    unseen_values: bool = setting(
        True,
        "Whether the categories are named that come most often and that the reference does not list: three a column, of"
        " at least 10 rows each, never an e-mail address or a number of a payment card.",
        switch,
        "true",
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
        for rows in self.rows:
            if rows % _ROW_PANES:
                raise ValueError(f"rows: {rows} is not a multiple of {_ROW_PANES}")


@dataclass(frozen=True, slots=True)
class Segments:
    """By what traffic is divided, so that each part is compared with its own part of the training data."""

    by: tuple[Segmentation, ...] = setting(
        (),
        "What divides traffic into segments, at most four: names of features or of fields of a payload's rows, or"
        " mappings with name and field or header, and values or edges. Of each value `profile build --segment` counts"
        " the training data. It is JSON outside of this file, or names with commas.",
        segmentations,
        "[]",
    )
    search: tuple[str, ...] = setting(
        (),
        "Features whose values, and those of two of them together, are searched for parts of the traffic that the model"
        " serves worse than the rest, as late truth shows (feedback.enable); at most ten. Those of segments.by where"
        " left out.",
        names,
        "[]",
    )
    limit: int = setting(
        10,
        "Most values of one of them, where it does not list them itself; the rest is `other`.",
        integer(1, MOST_VALUES),
    )
    windows: tuple[float, ...] = setting(
        (3600.0, 86400.0),
        "Over what segments are scored: of windows.lengths those nearest to these.",
        durations,
        "[1h, 24h]",
    )

    def __post_init__(self) -> None:
        if len(self.search) > _MOST_SEARCHED or len({*self.search}) < len(self.search):
            raise ValueError(f"search: must be at most {_MOST_SEARCHED} names, each of them once")

    @property
    def searched(self) -> tuple[str, ...]:
        """Features whose values are searched."""
        return self.search or tuple(dict.fromkeys(one.field for one in self.by if one.field))[:_MOST_SEARCHED]

    @property
    def headers(self) -> tuple[str, ...]:
        """Headers of requests that some of them need, in lower case."""
        return tuple(dict.fromkeys(one.header for one in self.by if one.header))


NO_SEGMENTS = Segments()
