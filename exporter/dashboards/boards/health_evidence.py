"""Of the health board: evidence of drift, which pages, and what it rests on."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards.looks import BLUE, CRITICAL, GREEN, ORANGE, judged, steps
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import of, recorded

_LINES: Final = 12
_FLOOR: Final = {"min": 0}
_SIDES: Final = ((c.FEATURES.label, c.FEATURES.evidence), (c.OUTPUTS.label, c.OUTPUTS.evidence))


def panels() -> Iterator[Panel]:
    """Of the model, of its columns, and how far it can be trusted."""
    yield from _of_model()
    yield from _of_columns()
    yield from _rests_on()


def _of_model() -> Iterator[Panel]:
    for title, text, nats, threshold in (
        ("Evidence of drift", "It pages at the dashed line: in vain once in 30 days, on average, at most.",
         "model:model_drift_evidence_nats:fleet", c.EVIDENCE_THRESHOLD),
        ("Evidence of slow drift", "It makes a ticket at the dashed line: half the tolerance, by the hour.",
         "model:model_slow_drift_evidence_nats:fleet", c.SLOW_EVIDENCE_THRESHOLD),
    ):  # fmt: skip
        yield Panel("timeseries", title, f"Of all replicas together, by version. {text}", "none",
                    [Query(f"max by (model_version) ({recorded(nats)})", "version {{model_version}}"),
                     Query(f"max({of(threshold, model_version='*')})", "critical")], 12, 8, _FLOOR,
                    overrides=[CRITICAL])  # fmt: skip


def _of_columns() -> Iterator[Panel]:
    nats = [(label, of(found["drift_evidence_nats"])) for label, found in _SIDES]
    yield Panel("timeseries", "Evidence by feature and output", "The replica with most evidence of each, of those that"
                " have most now; one alone pages where it has the logarithm of the number of columns more than the"
                " threshold.", "none", [_most(label, f"max by ({label}) ({expr}%s)") for label, expr in nats], 12, 8,
                _FLOOR)  # fmt: skip
    # Of now: it changes at the end of a warm-up only.
    skews = [(label, f"{of(found['skew_ratio'])} / {of(found['skew_ratio_critical'])}") for label, found in _SIDES]
    yield Panel("bargauge", "Skew between training and serving", "Total variation of all rows up to the end of the"
                " warm-up over its critical value. Above 1 serving differs from training since the first row; that is"
                " no drift. The worst replica, of those columns that differ most.", "none",
                [Query(f"topk({_LINES}, max by ({label}) ({skew}))", f"{{{{{label}}}}}") for label, skew in skews],
                12, 8, {**steps((None, BLUE), (1, ORANGE)), "decimals": 2, "min": 0,
                        "noValue": "the warm-up is not over"})  # fmt: skip


def _most(label: str, template: str) -> Query:
    """Lines of a template, with `%s` behind its series, that are highest at the end."""
    places = template.count("%s")
    now, end = template % (("",) * places), template % ((" @ end()",) * places)
    return Query(f"{now} and on ({label}) topk({_LINES}, {end})", f"{{{{{label}}}}}")


def _rests_on() -> Iterator[Panel]:
    yield Panel("timeseries", "Expected delay", "How soon a page would come if so large a share of a feature's values"
                " changed bin now, at the traffic of each replica; the slowest one. Nothing where it never would.", "s",
                [Query(f"max by (total_variation) ({of(c.EXPECTED_DELAY)})", "{{total_variation}} moved")], 12, 8,
                _FLOOR)  # fmt: skip
    resting = f"count by (calibration, reference) ({of(c.FEATURES.evidence['drift_defaults_info'])})"
    yield Panel("timeseries", "What evidence rests on", "Features of all replicas, by who says how many rows come as"
                " one (default: nobody yet) and by what they are held against: the training data, the rows of the"
                " warm-up, or what is usual in this hour.", "short",
                [Query(resting, "{{calibration}}, {{reference}}")], 6, 8, _FLOOR)  # fmt: skip
    yield Panel("stat", "Measured", "Share of the replicas whose evidence rests on what was measured; the"
                " others hold careful defaults, and find drift later.", "percentunit",
                [Query(f"avg({of(c.EVIDENCE_READY)})", instant=True)], 3, 8,
                steps((None, ORANGE), (1, GREEN)), {"colorMode": "value"})  # fmt: skip
    blind = of(c.FEATURES.evidence["drift_monitored"])
    yield Panel("stat", "Not monitored", "Features that would need more than a fifth of their values"
                " tolerated, on any replica: evidence never pages for them.", "short",
                [Query(f"count(min by (feature) ({blind}) == 0) or 0 * count({blind})", instant=True)], 3, 8,
                judged((1, ORANGE)), {"colorMode": "value"})  # fmt: skip
