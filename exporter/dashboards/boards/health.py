"""Model health at a glance: the one to open in the morning."""

from collections.abc import Iterator

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.looks import LIMIT, LOSSES, PLAIN, steps
from exporter.dashboards.pieces import Board, Panel, Query, Row
from exporter.dashboards.queries import WINDOW, drifted, here, of, of_fleet, over_critical, rate
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


def evidence() -> Iterator[Panel]:
    """What pages, and what it rests on."""
    floor, measured = {"min": 0}, steps((None, "orange"), (1, "green"))
    for title, text, nats, threshold in (
        ("Evidence of drift", "It pages at the dashed line: in vain once in 30 days, on average, at most.",
         c.EVIDENCE, c.EVIDENCE_THRESHOLD),
        ("Evidence of slow drift", "It makes a ticket at the dashed line: half the tolerance, by the hour.",
         c.SLOW_EVIDENCE, c.SLOW_EVIDENCE_THRESHOLD),
    ):  # fmt: skip
        yield Panel("timeseries", title, f"Of all replicas together. {text}", "none",
                    [Query(of_fleet(nats), "evidence"), Query(f"max({of(threshold)})", "critical")], 12, 8,
                    floor)  # fmt: skip
    sides = [(columns.label, columns.evidence) for columns in (c.FEATURES, c.OUTPUTS)]
    nats_of = [(f"max by ({label}) ({of(found['drift_evidence_nats'])})", f"{{{{{label}}}}}") for label, found in sides]
    yield Panel("timeseries", "Evidence by feature and output", "The replica with most evidence of each; one alone"
                " pages where it has the logarithm of the number of columns more than the threshold.", "none",
                [Query(*one) for one in nats_of], 12, 8, floor)  # fmt: skip
    skews = [
        (f"max by ({label}) ({of(found['skew_ratio'])} / {of(found['skew_ratio_critical'])})", f"{{{{{label}}}}}")
        for label, found in sides
    ]
    yield Panel("timeseries", "Skew between training and serving", "Total variation of all rows up to the end of the"
                " warm-up over its critical value. Above 1 serving differs from training since the first row; that is"
                " no drift. The worst replica.", "none", [Query(*one) for one in skews], 12, 8, LIMIT)  # fmt: skip
    yield Panel("timeseries", "Expected delay", "How soon a page would come if so large a share of a feature's values"
                " changed bin now, at the traffic of each replica; the slowest one. Nothing where it never would.", "s",
                [Query(f"max by (total_variation) ({of(c.EXPECTED_DELAY)})", "{{total_variation}} moved")], 12, 8,
                floor)  # fmt: skip
    resting = f"count by (calibration, reference) ({of(c.FEATURES.evidence['drift_defaults_info'])})"
    yield Panel("timeseries", "What evidence rests on", "Features of all replicas, by who says how many rows come as"
                " one (default: nobody yet) and by what they are held against: the training data, the rows of the"
                " warm-up, or what is usual in this hour.", "short",
                [Query(resting, "{{calibration}}, {{reference}}")], 6, 8, floor)  # fmt: skip
    yield Panel("stat", "Evidence measured", "Share of the replicas whose evidence rests on what was measured; the"
                " others hold careful defaults, and find drift later.", "percentunit",
                [Query(f"avg({of(c.EVIDENCE_READY)})")], 3, 8, measured)  # fmt: skip
    blind = of(c.FEATURES.evidence["drift_monitored"])
    yield Panel("stat", "Features not monitored", "Features that would need more than a fifth of their values"
                " tolerated, on any replica: evidence never pages for them.", "short",
                [Query(f"count(min by (feature) ({blind}) == 0) or 0 * count({blind})")], 3, 8,
                steps((None, "green"), (1, "orange")))  # fmt: skip


def drift() -> Iterator[Panel]:
    """Features against the training data."""
    f = c.FEATURES
    yield Panel("timeseries", "PSI over its critical value, by feature", "Above 1 is more than chance reaches once in"
                " 1000 windows of that size. The worst replica; windows that do not suffice are left out.", "none",
                [Query(over_critical(f), "{{feature}}")], 12, 9, LIMIT)  # fmt: skip
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
    impact = f"max by (feature) ({of(f.statistics[IMPACT], **WINDOW)})"
    yield Panel("timeseries", "Impact", "Importance times what has moved beyond chance, on the worst replica: begin"
                " with the largest. 0 of what has not moved; nothing where the profile knows no importance.",
                "percentunit", [Query(impact, "{{feature}}")], 12, 8, {"min": 0})  # fmt: skip


BOARD = Board(
    links.HEALTH,
    "Model health at a glance",
    "Is the model served, is it fed what it was trained on, and can these numbers be trusted?",
    [Row("Now", now), Row("Evidence", evidence), Row("Drift", drift)],
    frozenset({"window"}),
)
