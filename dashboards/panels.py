# ruff: noqa: INP001 (scripts side by side, not a package)
"""What the dashboard "Model health at a glance" shows: rows of panels, each with its queries in words of the catalogue.

A panel that asks for a label which its family does not have stops the build.
"""

from collections.abc import Iterator
from typing import Final

from evidence import evidence
from pieces import LIMIT, LOSSES, PLAIN, STACKED, Panel, Query, steps
from queries import WINDOW, drifted, here, of, over, over_critical, rate, reference, shares, words

from exporter import catalogue as c
from exporter.snapshots import IMPACT


def now() -> Iterator[Panel]:
    """The verdict."""
    requests, errors = rate(c.REQUESTS), rate(c.REQUESTS, code="~5..")
    dropped, offered = (f"sum({here(rate(family))})" for family in (c.DROPPED, c.OFFERED))
    p99 = f"histogram_quantile(0.99, sum by (le) ({rate(c.REQUEST_DURATION)}))"
    up = steps((None, "red"), (0.5, "orange"), (1, "green"))
    moved = steps((None, "green"), (1, "orange"))
    yield Panel("stat", "Model servers up", "Share of the replicas whose server accepts connections.", "percentunit",
                [Query(f"avg({of(c.SERVER_UP)})")], 4, 4, up)  # fmt: skip
    yield Panel("stat", "Requests", "Requests answered per second, all replicas together.", "reqps",
                [Query(f"sum({requests})")], 4, 4, PLAIN)  # fmt: skip
    yield Panel("stat", "Errors", "Share of the requests answered with a 5xx code.", "percentunit",
                [Query(f"(sum({errors}) or vector(0)) / (sum({requests}) > 0)")], 4, 4, LOSSES)  # fmt: skip
    yield Panel("stat", "p99 latency", "99 of 100 successful requests are answered within this time.", "s",
                [Query(p99)], 4, 4, PLAIN)  # fmt: skip
    yield Panel("stat", "Features drifted", "Features beyond chance and beyond 10 % of values moved, on any replica, in"
                " windows that suffice; grey where none does.", "short", [Query(drifted())], 4, 4, moved)  # fmt: skip
    yield Panel("stat", "Exchanges not counted", "Share of exchanges relayed but dropped from the counts; scores are"
                " about the rest.", "percentunit", [Query(f"{dropped} / ({offered} > 0)")], 4, 4, LOSSES)  # fmt: skip


def drift() -> Iterator[Panel]:
    """Features against the training data."""
    f, chosen = c.FEATURES, {"feature": "$feature"}
    psi, critical = of(f.statistics["psi"], **chosen, **WINDOW), of(f.critical["psi"], **chosen, **WINDOW)
    yield Panel("timeseries", "PSI over its critical value, by feature", "Above 1 is more than chance reaches once in"
                " 1000 windows of that size. The worst replica; windows that do not suffice are left out.", "none",
                [Query(over_critical(f), "{{feature}}")], 12, 9, LIMIT)  # fmt: skip
    yield Panel("timeseries", "PSI of $feature, by replica", "The score and the critical value of each replica for the"
                " number of values it has.", "none",
                [Query(psi, "{{instance}}"), Query(critical, "critical, {{instance}}")], 12, 9)  # fmt: skip
    table = (
        (over_critical(f), "PSI / critical"),
        (f"max by (feature) ({of(f.statistics['psi'], **WINDOW)})", "PSI"),
        (f"max by (feature) ({of(f.statistics['total_variation'], **WINDOW)})", "values moved"),
        (f"max by (feature) ({of(f.quality_ratios['missing'], **WINDOW)})", "missing"),
        (f"min by (feature) ({of(f.samples, **WINDOW)})", "fewest values"),
        (f"min by (feature) ({of(f.sufficient, **WINDOW)})", "suffices"),
    )
    yield Panel("table", "Features, worst first", "The worst replica of each. `suffices` is 1 where every replica's"
                " window holds enough; choose a feature to see its bins.", "none",
                [Query(*row) for row in table], 12, 10)  # fmt: skip
    bars = [Query(reference(f, **chosen), "reference"), Query(shares(f, "$window", "increase", **chosen), "live")]
    yield Panel("barchart", "Bins of $feature", "Share of the values in each bin: training data, and all replicas"
                " together over the chosen window.", "percentunit", bars, 12, 10)  # fmt: skip
    impact = f"max by (feature) ({of(f.statistics[IMPACT], **WINDOW)})"
    yield Panel("timeseries", "Impact", "Importance times what has moved beyond chance, on the worst replica: begin"
                " with the largest. 0 of what has not moved; nothing where the profile knows no importance.",
                "percentunit", [Query(impact, "{{feature}}")], 12, 8, {"min": 0})  # fmt: skip
    live = over(f.live["total_variation"], f.live_critical["total_variation"], "feature, against", **WINDOW)
    yield Panel("timeseries", "Live against live", "Total variation over its critical value, against the window before"
                " (previous), the same hour a week ago (last_week) or another version. Above 1 it is new since then, or"
                " the versions differ; the worst replica.", "none",
                [Query(live, "{{feature}}, {{against}}")], 12, 8, LIMIT)  # fmt: skip


def parts() -> Iterator[Panel]:
    """What the whole and single features do not show."""
    of_rows = c.FEATURES.aspects
    sides = ("features", c.SEGMENT_FEATURES, "feature"), ("predictions", c.SEGMENT_OUTPUTS, "output")
    for title, segments, word in sides:
        beyond = f"{of(segments.variation)} / {of(segments.critical)}"
        enough = f"{beyond} and ignoring ({word}) {of(segments.sufficient)} == 1"
        yield Panel("timeseries", f"Segments, {title}", "Total variation of a part of the traffic over its critical"
                    " value, against the same part of the training data. Above 1 it has drifted, in any window that"
                    f" suffices; the worst {word} and replica.", "none",
                    [Query(f"max by (segment, value) ({enough})", "{{segment}}: {{value}}")], 12, 8, LIMIT)  # fmt: skip
    answers = over(of_rows["association_shift"], of_rows["association_shift_critical"], "feature, output")
    yield Panel("timeseries", "Answers to the same value", "How far mean answers by bin have moved, over the critical"
                " value. Above 1 features were swapped or belong to other rows, what they mean has changed, or another"
                " model answers.", "none", [Query(answers, "{{feature}}: {{output}}")], 12, 8, LIMIT)  # fmt: skip
    pair = (of_rows["unusual_rows_ratio"], "unusual"), (of_rows["unusual_rows_ratio_critical"], "critical")
    yield Panel("timeseries", "Unusual rows", "Share of rows that are as unusual, all features together, as one in a"
                " hundred of the training data's; on the worst replica.", "percentunit",
                [Query(f"max({of(family, **WINDOW)})", legend) for family, legend in pair], 12, 8,
                {"min": 0})  # fmt: skip


def quality() -> Iterator[Panel]:
    """Values that are not as they should be."""
    texts = {"missing": "null or absent", "nonfinite": "NaN, infinite or no number",
             "out_of_range": "beyond what the training data had", "unseen": "unknown categories"}  # fmt: skip
    for name, family in c.FEATURES.quality_ratios.items():
        yield Panel("timeseries", f"{name.replace('_', ' ').capitalize()} values", f"Share of the window's values that"
                    f" are {texts[name]}, on the worst replica; features that have none are left out.", "percentunit",
                    [Query(f"max by (feature) ({of(family, **WINDOW)}) > 0", "{{feature}}")], 6)  # fmt: skip
    undecoded = f"sum by (side, reason, protocol) ({here(rate(c.PAYLOADS_UNDECODED))}) > 0"
    yield Panel("timeseries", "Payloads not decoded", "Per second, by side, reason and protocol. They are relayed, but"
                " not judged.", "ops", [Query(undecoded, "{{side}}: {{reason}} ({{protocol}})")], 12)  # fmt: skip
    yield Panel("timeseries", "Wrong types and unknown fields", "Values per second that have another type than the"
                " profile says, by feature, and those under names that it does not have.", "ops",
                [Query(f"sum by (feature) ({rate(c.FEATURES.type_errors)}) > 0", "{{feature}}"),
                 Query(f"sum({rate(c.UNKNOWN_FIELDS)}) > 0", "unknown fields")], 12)  # fmt: skip
    of_values = c.FEATURES.aspects
    runs, fewest = (of(of_values[f"{name}_critical"], **WINDOW) for name in ("longest_run_values", "distinct_values"))
    repeated = f"max by (feature) ({of(of_values['longest_run_values'], **WINDOW)} / {runs})"
    different = f"max by (feature) ({fewest} / {of(of_values['distinct_values'], **WINDOW)})"
    yield Panel("timeseries", "Runs of one value", "Longest run in the window over what chance makes of it. Above 1 the"
                " value is stuck, or one row comes again and again; the worst replica.", "none",
                [Query(repeated, "{{feature}}")], 8, field=LIMIT)  # fmt: skip
    yield Panel("timeseries", "Too few different values", "How few different values chance leaves at the least, over"
                " those that came. Above 1 values have collapsed: rounded, cut off, repeated; the worst replica.",
                "none", [Query(different, "{{feature}}")], 8, field=LIMIT)  # fmt: skip
    again = of(of_values["duplicate_rows_ratio"], **WINDOW)
    yield Panel("timeseries", "Identical rows", "Share of the window's rows that are identical to one of the 10,000"
                " rows before them, on the worst replica.", "percentunit", [Query(f"max({again})", "identical")], 8,
                field={"min": 0, "max": 1})  # fmt: skip


def coverage() -> Iterator[Panel]:
    """How much of the traffic the scores are about."""
    seen, served = rate(c.ROWS), rate(c.SERVED_ROWS)
    dropped, offered = (f"sum({here(rate(family))})" for family in (c.DROPPED, c.OFFERED))
    fields = f"sum by (side) ({rate(c.PROFILE_MATCHED_FIELDS)}) / (sum by (side) ({rate(c.PROFILE_FIELDS)}) > 0)"
    yield Panel("timeseries", "Rows seen", "Share of the rows served that were decoded; those that were not are an"
                " estimate. What was dropped uncounted comes off.", "percentunit",
                [Query(f"sum({seen}) / (sum({served}) > 0) * (1 - {dropped} / ({offered} > 0) or vector(1))", "seen")],
                8, field={"min": 0, "max": 1})  # fmt: skip
    yield Panel("timeseries", "Columns of the profile found", "Share of the profile's columns that decoded payloads"
                " have, by side. Those with fewer than half are not scored.", "percentunit",
                [Query(fields, "{{side}}")], 8, field={"min": 0, "max": 1})  # fmt: skip
    yield Panel("timeseries", "Predictions without an id", "Rows per second whose exchange has no request id: no truth"
                " that comes later can be joined to them.", "ops",
                [Query(f"sum({rate(c.WITHOUT_ID)})", "without an id")], 8)  # fmt: skip


def failures() -> Iterator[Panel]:
    """Which values break the server."""
    f, by = c.FEATURES, "feature, bin, text, code"
    texts = words(f)
    beyond = f"{of(c.FAILED_VARIATION, **WINDOW)} / {of(c.FAILED_CRITICAL, **WINDOW)}"
    failed, good = (f"increase({of(family)}[$window])" for family in (c.FAILED_BINS, f.bins))
    named = f"sum by ({by}) ({failed} * {texts})"
    others = f"on (feature, bin, text) group_left () sum by (feature, bin, text) ({good} * {texts})"
    buckets = f"sum by (le) ({rate(c.FAILED_DURATION)})"
    yield Panel("timeseries", "Failed against successful requests, by feature", "Total variation over its critical"
                " value. Above 1 the values of failed requests differ beyond chance; the worst replica.", "none",
                [Query(f"max by (feature, code) ({beyond})", "{{feature}}, {{code}}")], 12, 9, LIMIT)  # fmt: skip
    table = (
        (f"max by ({by}) ({of(c.FAILED_EXCESS, **WINDOW)} * {texts})", "more than others"),
        (f"{named} / ({named} + {others} > 0)", "of these failed"),
        (f"{named} > 0", "failed values"),
    )
    yield Panel("table", "Values that fail", "The bin that failed requests have most beyond successful ones, of"
                " features beyond chance on any replica; what share of all requests with such a value failed.", "none",
                [Query(*row) for row in table], 12, 9)  # fmt: skip
    yield Panel("timeseries", "Failed rows", "Rows per second of requests answered with 4xx or 5xx that could be"
                " decoded.", "ops", [Query(f"sum by (code) ({rate(c.FAILED_ROWS)})", "{{code}}")], 12)  # fmt: skip
    yield Panel("timeseries", "Latency of failures", "As the latency of successful requests, of the others;"
                " interpolated within buckets.", "s",
                [Query(f"histogram_quantile({level}, {buckets})", f"p{level * 100:g} failed") for level in (0.5, 0.99)],
                12)  # fmt: skip


def predictions() -> Iterator[Panel]:
    """What the model answers."""
    live = shares(c.OUTPUTS, "$__rate_interval", "rate")
    yield Panel("timeseries", "PSI over its critical value, by output", "As for features: above 1 is more than chance."
                " Against the model's own predictions on the training data.", "none",
                [Query(over_critical(c.OUTPUTS), "{{output}}")], 8, 9, LIMIT)  # fmt: skip
    yield Panel("timeseries", "Predictions over time", "Share of the predictions in each bin, all replicas together.",
                "percentunit", [Query(live, "{{output}}: {{text}}")], 8, 9, STACKED)  # fmt: skip
    bars = [Query(reference(c.OUTPUTS), "reference"), Query(shares(c.OUTPUTS, "$window", "increase"), "live")]
    yield Panel("barchart", "Bins of the predictions", "Share of the predictions in each bin: on the training data,"
                " and over the chosen window.", "percentunit", bars, 8, 9)  # fmt: skip


def resources() -> Iterator[Panel]:
    """Traffic, and what it costs."""
    buckets = f"sum by (le) ({rate(c.REQUEST_DURATION)})"
    yield Panel("timeseries", "Requests by code", "Requests answered per second, by HTTP status code.", "reqps",
                [Query(f"sum by (code) ({rate(c.REQUESTS)})", "{{code}}")], 8)  # fmt: skip
    yield Panel("timeseries", "Latency", "From a successful request's first byte to its answer's last one; interpolated"
                " within buckets.", "s", [Query(f"histogram_quantile({level}, {buckets})", f"p{level * 100:g}")
                                   for level in (0.5, 0.9, 0.99)], 8)  # fmt: skip
    yield Panel("timeseries", "Requests in flight", "Requests whose answer is not complete, by replica.", "short",
                [Query(of(c.IN_FLIGHT), "{{instance}}")], 8)  # fmt: skip
    yield Panel("timeseries", "CPU of the model server", "Cores in use, by replica; nothing where the process cannot be"
                " seen.", "none", [Query(rate(c.SERVER_CPU), "{{instance}}")], 12)  # fmt: skip
    yield Panel("timeseries", "Memory of the model server", "Resident memory, by replica.", "bytes",
                [Query(of(c.SERVER_MEMORY), "{{instance}}")], 12)  # fmt: skip
    yield Panel("timeseries", "Dependencies up", "Share of the replicas whose last probe reached it, of what the model"
                " needs beside its server; nothing where no dependencies are set.", "percentunit",
                [Query(f"avg by (dependency) ({of(c.DEPENDENCY_UP)})", "{{dependency}}")], 12,
                field={"min": 0, "max": 1})  # fmt: skip
    yield Panel("timeseries", "Probes of dependencies", "Time that the last probe took, the slowest replica.", "s",
                [Query(f"max by (dependency) ({of(c.DEPENDENCY_DURATION)})", "{{dependency}}")], 12)  # fmt: skip


def itself() -> Iterator[Panel]:
    """The exporter's own health."""
    age = here(f"timestamp({of(c.SNAPSHOT_TIME)}) - {of(c.SNAPSHOT_TIME)}")
    restarts = f"increase({of(c.RESTARTS)}[$__rate_interval])"
    yield Panel("timeseries", "Exchanges dropped", "Exchanges per second that were relayed but not counted, by reason.",
                "ops", [Query(f"sum by (reason) ({here(rate(c.DROPPED))})", "{{reason}}")], 8)  # fmt: skip
    yield Panel("timeseries", "Ring in use", "Share of the memory between relay and analyser that is taken. What finds"
                " it full is dropped.", "percentunit",
                [Query(here(f"{of(c.RING_QUEUED)} / {of(c.RING_SIZE)}"), "{{instance}}")],
                8, field={"min": 0, "max": 1})  # fmt: skip
    yield Panel("timeseries", "Age of the numbers", "How old the scores were when they were scraped.", "s",
                [Query(age, "{{instance}}")], 8)  # fmt: skip
    yield Panel("timeseries", "CPU of the exporter", "Cores in use, by process, all replicas together.", "none",
                [Query(f"sum by (process) ({here(rate(c.PROCESS_CPU))})", "{{process}}")], 8)  # fmt: skip
    yield Panel("timeseries", "Memory of the exporter", "Resident memory by process, the largest replica.", "bytes",
                [Query(f"max by (process) ({here(of(c.PROCESS_MEMORY))})", "{{process}}")], 8)  # fmt: skip
    yield Panel("timeseries", "Restarts and failed connections", "Processes started again, and client connections per"
                " second for which the model server could not be reached.", "short",
                [Query(f"sum by (process) ({here(restarts)})", "{{process}} restarted"),
                 Query(f"sum({here(rate(c.CONNECT_ERRORS))})", "connections failed")], 8)  # fmt: skip
    share = f"{of(c.PAGE_SERIES)} / {of(c.MAX_SERIES)}"
    yield Panel("timeseries", "Series of a page", "Share of the series that a page may have, by replica.",
                "percentunit", [Query(here(share), "{{instance}}")], 8, field={"min": 0, "max": 1})  # fmt: skip
    yield Panel("timeseries", "Series left out", "What pages have no room for, by family, the replica that lacks most:"
                " panels and alerts that read it see less. Raise --max-series, or see docs/series.md.", "short",
                [Query(f"max by (family) ({here(of(c.DROPPED_SERIES))})", "{{family}}")], 16)  # fmt: skip


ROWS: Final = (
    ("Now", now), ("Evidence", evidence), ("Drift", drift), ("Parts and rows", parts), ("Data quality", quality),
    ("Coverage", coverage), ("Failures", failures), ("Predictions", predictions),
    ("Traffic and resources", resources), ("The exporter itself", itself),
)  # fmt: skip
