"""Model health at a glance: the one to open in the morning."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.boards import health_checks, health_evidence, health_features, health_models
from exporter.dashboards.boards.health_features import FEW, moved, tested, worst
from exporter.dashboards.looks import GREY, ORANGE, PLAIN, by_name, steps
from exporter.dashboards.pieces import Board, Json, Panel, Query, Row
from exporter.dashboards.queries import of, rate, recorded
from exporter.rules import files

_VALUE: Final = {"colorMode": "value"}
"""The verdict alone is a field of colour."""
_NAMED: Final = {"textMode": "value_and_name"} | _VALUE
"""The number is part of a sentence, which the legend ends."""


def now() -> Iterator[Panel]:
    """The verdict, what it rests on, and what is asked meanwhile."""
    yield from health_checks.verdict()
    yield from _words()
    yield from _asked()
    yield health_checks.checklist()
    yield health_features.table()
    yield health_checks.firing()
    yield health_checks.timeline()
    yield health_features.over_time()
    yield health_features.importance()


def _words() -> Iterator[Panel]:
    """What has moved, in words."""
    defaults = files.defaults()
    tolerated, coverage = float(defaults["drift.tolerance"]), float(defaults["payloads.coverage_below"])
    drill: Json = {"links": [links.to(links.FEATURE, "Drill down", feature=links.OF_SERIES % "feature")]}
    few: Json = {"noValue": FEW}
    yield Panel("stat", "Requests moved", "Share of the requests whose value of the feature that moved most has changed"
                " bin since the training, if that is no chance. All replicas together, of the last hour, or of the last"
                " day where an hour holds too few. Beyond what is tolerated look at the feature.", "percentunit",
                [Query(moved(), "moved in {{feature}}", instant=True)], 4, 5,
                steps((None, "text"), (tolerated, ORANGE)) | few | drill | {"decimals": 0}, _NAMED)  # fmt: skip
    yield Panel("stat", "Moved most", "The feature whose PSI is the most times its critical value, and how many times."
                " Beyond 1 is more than chance reaches once in 1000 hours. All replicas together; the worst one where"
                " pages have no room for the bins of so many features.", "none",
                [Query(worst(1), "{{feature}}, times its critical value", instant=True)], 4, 5,
                steps((None, "text"), (1, ORANGE)) | few | drill | {"decimals": 1}, _NAMED)  # fmt: skip
    drifted = recorded("instance_feature:model_feature_psi:sustained")
    count = f"count(count by (feature) ({drifted})) or on () 0 * count({tested()})"
    yield Panel("stat", "Features drifted", "Features that have drifted for ten minutes on any replica, beyond chance"
                " and beyond what is tolerated, and how many have enough values to be tested. Those that are not tested"
                " are neither drifted nor well.", "short",
                [Query(count, "drifted", instant=True),
                 Query(f"count(count by (feature) ({tested()}))", "tested", instant=True)], 4, 5, PLAIN | few,
                _NAMED, [by_name("drifted", **steps((None, "text"), (1, ORANGE)))])  # fmt: skip
    seen = recorded("model:model_rows_observed:ratio1h")
    yield Panel("stat", "Rows seen", "Share of the rows of the last hour that were decoded: all scores are about these."
                " Grey below half, where nothing is said of the others: see Exporter internals.", "percentunit",
                [Query(f"min({seen})", instant=True)], 4, 5,
                steps((None, GREY), (coverage, ORANGE), (0.95, "text")) | {"noValue": "no rows, or rules not loaded"},
                _VALUE, links=[links.to(links.INTERNALS, "What is not seen")])  # fmt: skip


def _asked() -> Iterator[Panel]:
    """Traffic, errors and time, of all versions."""
    every = {"model_version": "*"}
    requests, errors = rate(c.REQUESTS, **every), rate(c.REQUESTS, code="~5..", **every)
    # Of no requests it would be no number; that is filtered out.
    p99 = f"histogram_quantile(0.99, sum by (le) ({rate(c.REQUEST_DURATION, **every)})) >= 0"
    up = steps((None, "red"), (0.5, ORANGE), (1, "text")) | {"noValue": "not probed"}
    losses = steps((None, "text"), (0.01, ORANGE), (0.05, "red")) | {"noValue": "no requests"}
    serving = [links.to(links.SERVING, "How the server answers")]
    yield Panel("stat", "Servers up", "Share of the replicas whose model server accepts connections. Below 100 % some"
                " requests fail: see Serving.", "percentunit",
                [Query(f"avg({of(c.SERVER_UP, **every)})", instant=True)], 6, 3, up, _VALUE, links=serving)  # fmt: skip
    yield Panel("stat", "Requests", "Requests answered per second, all replicas together. It is for traffic's own check"
                " to say whether so many are usual.", "reqps",
                [Query(f"sum({requests})", instant=True)], 6, 3, PLAIN, _VALUE, links=serving)  # fmt: skip
    yield Panel("stat", "Errors", "Share of the requests answered with a 5xx code. The check of errors holds it against"
                " the objective.", "percentunit",
                [Query(f"(sum({errors}) or 0 * sum({requests})) / (sum({requests}) > 0)", instant=True)], 6, 3,
                losses, _VALUE, links=serving)  # fmt: skip
    yield Panel("stat", "p99 latency", "99 of 100 successful requests are answered within this time. The check of"
                " latency holds it against the objective.", "s", [Query(p99, instant=True)], 6, 3,
                PLAIN | {"noValue": "no requests"}, _VALUE, links=serving)  # fmt: skip


BOARD = Board(
    links.HEALTH,
    "Model health at a glance",
    "Is the model healthy, what moved most and since when, and what to look at next?",
    [
        Row("Now", now),
        Row("All models, worst first", health_models.panels),
        Row("Evidence, which pages", health_evidence.panels, folded=True),
    ],
)
