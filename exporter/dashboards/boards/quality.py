"""Data quality: values that are not as they should be."""

from collections.abc import Iterator

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.looks import LIMIT
from exporter.dashboards.pieces import Board, Panel, Query, Row
from exporter.dashboards.queries import WINDOW, here, of, over, rate, words


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


def rows() -> Iterator[Panel]:
    """What single features do not show."""
    of_rows = c.FEATURES.aspects
    answers = over(of_rows["association_shift"], of_rows["association_shift_critical"], "feature, output")
    yield Panel("timeseries", "Answers to the same value", "How far mean answers by bin have moved, over the critical"
                " value. Above 1 features were swapped or belong to other rows, what they mean has changed, or another"
                " model answers.", "none", [Query(answers, "{{feature}}: {{output}}")], 12, 8, LIMIT)  # fmt: skip
    pair = (of_rows["unusual_rows_ratio"], "unusual"), (of_rows["unusual_rows_ratio_critical"], "critical")
    yield Panel("timeseries", "Unusual rows", "Share of rows that are as unusual, all features together, as one in a"
                " hundred of the training data's; on the worst replica.", "percentunit",
                [Query(f"max({of(family, **WINDOW)})", legend) for family, legend in pair], 12, 8,
                {"min": 0})  # fmt: skip


BOARD = Board(
    links.QUALITY,
    "Data quality",
    "Are values missing, wrong, stuck or unknown, and how much of the traffic is looked at?",
    [Row("Values", quality), Row("Coverage", coverage), Row("Failures", failures), Row("Rows", rows)],
    frozenset({"version", "window"}),
)
