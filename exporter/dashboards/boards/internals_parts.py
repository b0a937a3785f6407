"""Of the exporter's internals what is rarely needed, part by part."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards.compared import said, side_by_side
from exporter.dashboards.looks import BLANK, BLUE, GREEN, ORANGE, PLAIN, RED, SHARE, by_name, states
from exporter.dashboards.pieces import Json, Panel, Query, Row
from exporter.dashboards.queries import here, of, rate
from exporter.dashboards.worst import highest
from exporter.families import Family

_FLOOR: Final = {"min": 0}
_TEXT: Final = {"custom_cellOptions": {"type": "color-text"}}


def _each(family: Family, aggregation: str = "max", labels: str = "instance") -> str:
    """Of each exporter."""
    return f"{aggregation} by ({labels}) ({here(of(family))})"


def _by(family: Family, labels: str) -> str:
    """Per second, all exporters together, but for what never happened."""
    return f"sum by ({labels}) ({here(rate(family))}) > 0"


def _lines(title: str, text: str, unit: str, queries: list[Query], field: Json = PLAIN) -> Panel:
    return Panel("timeseries", title, text, unit, queries, 8, 7, PLAIN | _FLOOR | field)


def relay() -> Iterator[Panel]:
    """What the relay counts itself, whatever becomes of the analyser."""
    buckets = f"sum by (le) ({here(rate(c.PROXY_DURATION))})"
    probes = here(rate(c.PROBES))
    yield _lines("Exchanges relayed, by code", "Per second, as the relay itself counts them, health probes"
                 " included. They go on while the analyser is away; compare them with what is observed.", "ops",
                 [Query(f"sum by (code) ({here(rate(c.PROXY_REQUESTS))})", "{{code}}"),
                  Query(f"sum({probes})", "of them probes")])  # fmt: skip
    yield _lines("Latency as relayed", "All codes and health probes included; interpolated within buckets. Compare it"
                 " with the board Serving, which knows model requests alone.", "s",
                 [Query(f"histogram_quantile({level}, {buckets}) >= 0", f"p{level * 100:g}")
                  for level in (0.5, 0.99)])  # fmt: skip
    yield _lines("Bytes relayed", "Per second, heads and bodies, by whom they went to.", "Bps",
                 [Query(f"sum by (to) ({here(rate(c.PROXY_BYTES))})", "to the {{to}}")])  # fmt: skip
    yield _lines("Connections open", "Of clients, by exporter. Each has one to the model server. What grows without end"
                 " is a client that does not close; limit it by max_connections.", "short",
                 [Query(highest(_each(c.CONNECTIONS_OPEN, "sum"), "instance"), "{{instance}}")])  # fmt: skip
    yield _lines("Connections accepted", "Per second, by exporter. Near the number of requests: clients keep none"
                 " alive, which costs both sides.", "ops",
                 [Query(highest(f"sum by (instance) ({here(rate(c.CONNECTIONS))})", "instance"),
                        "{{instance}}")])  # fmt: skip
    yield _lines("Clients turned away", "Per second: 502 because the model server could not be reached, connections"
                 " that could not be let in, and those that the relay ended. Any line is worth a look.", "ops",
                 [Query(f"sum({here(rate(c.CONNECT_ERRORS))}) > 0", "502, server not reached"),
                  Query(_by(c.ACCEPT_ERRORS, "reason"), "not let in: {{reason}}"),
                  Query(_by(c.CLOSED, "reason"), "ended: {{reason}}")], said("nobody was turned away"))  # fmt: skip


def settings() -> Iterator[Panel]:
    """What is in force where, and what survives a restart."""
    queries = [
        Query(_each(c.BUILD_INFO, labels="instance, version, python, compiled"), "build"),
        Query(_each(c.RELOAD_SUCCESSFUL, "min"), "settings"),
        Query(f"1000 * {_each(c.RELOAD_TIME)} > 0", "read"),
        Query(_each(c.WEB_CONFIG_SUCCESSFUL, "min"), "web file"),
        Query(f"1000 * {_each(c.WEB_CERTIFICATE, 'min')}", "certificate ends"),
        Query(_each(c.PROFILE_LOADED, "min"), "profile"),
        Query(_each(c.PROFILE_FOUND, "min"), "last look at its place"),
        Query(f"1000 * {_each(c.PROFILE_FOUND_TIME, 'min')} > 0", "last found"),
        Query(_each(c.PROFILE_KEPT), "it is"),
        Query(_each(c.STATE_RESTORED, "min"), "windows"),
        Query(f"1000 * {_each(c.STATE_TIME, 'min')} > 0", "last kept"),
        Query(_each(c.STATE_SIZE), "kept size"),
    ]
    words = (
        ("settings", (0, "not in force", RED), (1, "in force", GREEN)),
        ("web file", (0, "not in force", RED), (1, "in force", GREEN)),
        ("profile", (0, "none: nothing scored", ORANGE), (1, "loaded", GREEN)),
        ("last look at its place", (0, "nothing usable", ORANGE), (1, "found", GREEN)),
        ("it is", (0, "from its place", GREEN), (1, "a kept copy", ORANGE)),
        ("windows", (0, "begun anew", BLUE), (1, "restored", GREEN)),
    )
    looks = [BLANK, *(by_name(name, mappings=states(*named)["mappings"], **_TEXT) for name, *named in words)]
    labels = {"instance": "exporter", "version": "version", "python": "Python", "compiled": "compiled"}
    times = ("read", "certificate ends", "last found", "last kept")
    looks += [*(by_name(name, unit="dateTimeFromNow") for name in times), by_name("kept size", unit="bytes")]
    yield Panel("table", "What is in force, exporter by exporter", "`not in force`: what was read last is wrong, what"
                " was there before goes on, and the next start fails. `a kept copy`: the profile's place has given none"
                " since the start. Cells stay empty where nothing of the kind is set: no TLS, no state directory.",
                "none", queries, 24, 8, said("no exporter of this model and version"), {}, looks,
                side_by_side(queries, labels, hidden=["A"]))  # fmt: skip
    yield _lines("Profiles that could not be used", "Per second, at each look into a store, and files once until they"
                 " change. The profile before stays in force: see the log.", "ops",
                 [Query(_by(c.PROFILE_ERRORS, "instance"), "{{instance}}")], said("every look was good"))  # fmt: skip
    yield _lines("Models watched", "By what they are compared with, on the exporter that has most. `none`: no profile,"
                 " so nothing of them is scored.", "short",
                 [Query(_each(c.MODELS, labels="reference"), "compared with: {{reference}}"),
                  Query(f"max({of(c.PROVISIONAL_ROWS)})", "rows for a provisional one")])  # fmt: skip
    yield _lines("State that could not be kept or read", "Per second, by reason. Windows go on in memory; a restart"
                 " would begin with what was kept last.", "ops",
                 [Query(_by(c.STATE_ERRORS, "reason"), "{{reason}}")], said("no error"))  # fmt: skip


def web() -> Iterator[Panel]:
    """Who asks the exporter, and what is lost on its side."""
    left = here(f"{of(c.WEB_CERTIFICATE)} - time()")
    yield _lines("Refused on the web address", "Per second, by reason. A wrong password or token of the scraper makes"
                 " all panels empty; `host`: it is asked for by a name that it does not know.", "ops",
                 [Query(_by(c.WEB_REFUSED, "reason"), "{{reason}}")], said("nobody was refused"))  # fmt: skip
    yield _lines("Time left of the certificate", "Of the web address, by exporter. At 14 days it is a ticket; at 0"
                 " nobody can scrape it.", "s",
                 [Query(highest(f"min by (instance) ({left})", "instance"), "{{instance}}")],
                 said("no TLS on the web address"))  # fmt: skip
    yield _lines("Log lines lost", "Per second, by process, because standard error took none: what the log says is not"
                 " all.", "ops", [Query(_by(c.LOG_LINES_LOST, "process"), "{{process}}")],
                 said("the log is complete"))  # fmt: skip


def events() -> Iterator[Panel]:
    """What loggers post, where requests do not pass through."""
    none = said("no events are posted")
    yield _lines("Events received", "Per second, posted to /events: observed, dropped or waiting.", "ops",
                 [Query(f"sum({here(rate(c.EVENTS_RECEIVED))})", "received"),
                  Query(_by(c.EVENTS_OBSERVED, "part_of"), "observed, of {{part_of}}")], none)  # fmt: skip
    yield _lines("Events dropped", "Per second, by reason. `duplicate`, `feedback` and `other_type` are no loss; the"
                 " others are in no count.", "ops", [Query(_by(c.EVENTS_DROPPED, "reason"), "{{reason}}")],
                 said("no event was dropped"))  # fmt: skip
    yield _lines("Events waiting", "For their other half, or to be looked at. What grows without end: answers that"
                 " never come, or the analyser does not keep up.", "short",
                 [Query(highest(_each(c.EVENTS_WAITING, "sum"), "instance"), "{{instance}}")], none)  # fmt: skip


def witnessed() -> Iterator[Panel]:
    """What is kept of single exchanges, and whether it arrives."""
    spans, lines = said("no spans are sent: tracing.exporter"), said("nothing is logged: prediction_log.to")
    of_spans, of_lines = c.WITNESS.spans_exported, c.WITNESS.lines_written
    yield _lines("Spans sent", "Per second: offered to the collector, and taken by it. What lies between is lost, or"
                 " waits.", "ops", [Query(f"sum({here(rate(c.WITNESS.spans_offered))})", "offered"),
                                    Query(f"sum({here(rate(of_spans))})", "taken")], spans)  # fmt: skip
    yield _lines("Lines of the prediction log", "Per second: to be written, and written.", "ops",
                 [Query(f"sum({here(rate(c.WITNESS.lines_offered))})", "offered"),
                  Query(f"sum({here(rate(of_lines))})", "written")], lines)  # fmt: skip
    yield _lines("Spans and lines lost", "Per second, by reason. `queue_full`: more came than is taken; `collector`,"
                 " `unreachable`, `refused`: look there; `no_space`: the disk is full. Nothing else is lost by it.",
                 "ops", [Query(_by(c.WITNESS.spans_dropped, "reason"), "spans: {{reason}}"),
                         Query(_by(c.WITNESS.lines_dropped, "reason"), "lines: {{reason}}")],
                 said("nothing was lost"))  # fmt: skip


def merged() -> Iterator[Panel]:
    """The model server's own metrics, where they are passed on."""
    none = said("merge.upstream_metrics is not set")
    up = f"avg({here(of(c.UPSTREAM_METRICS_UP))})"
    yield _lines("Pages with the server's own metrics", "Share of the exporters that pass them on. Below 100 % see the"
                 " reasons beside it.", "percentunit", [Query(up, "passed on")], SHARE | none)  # fmt: skip
    yield _lines("Why they were not passed on", "Per second: nothing at all, or single families refused.", "ops",
                 [Query(_by(c.UPSTREAM_METRICS_ERRORS, "reason"), "nothing: {{reason}}"),
                  Query(_by(c.UPSTREAM_METRICS_REFUSED, "reason"), "family refused: {{reason}}")],
                 said("all were passed on, or none are asked for"))  # fmt: skip
    yield _lines("Time that fetching them takes", "Of the slowest exporter: it is part of each scrape.", "s",
                 [Query(f"max({here(of(c.UPSTREAM_METRICS_DURATION))})", "slowest")], none)  # fmt: skip
    yield Panel("timeseries", "Series of the server's own", "On its page, by exporter; they count among a scrape's"
                " sample_limit.", "short",
                [Query(highest(_each(c.UPSTREAM_METRICS_SERIES), "instance"), "{{instance}}")], 24, 6,
                PLAIN | _FLOOR | none)  # fmt: skip


ROWS: Final = (
    Row("The relay", relay, folded=True),
    Row("Settings, profile and state", settings, folded=True),
    Row("Web address and log", web, folded=True),
    Row("Events posted by loggers", events, folded=True),
    Row("Spans and the prediction log", witnessed, folded=True),
    Row("The model server's own metrics", merged, folded=True),
)
