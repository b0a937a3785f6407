# ruff: noqa: INP001 (scripts side by side, not a package)
"""The row of the dashboard about evidence of drift: what pages, and what that rests on."""

from collections.abc import Iterator

from pieces import LIMIT, Panel, Query, steps
from queries import of, of_fleet

from exporter import catalogue as c


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
