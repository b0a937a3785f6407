"""Which queries of the dashboards find nothing in which state, and why: whatever is not listed finds something."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from board_asking import Answer
from board_worlds import BROKEN, DRIFTED, HEALTHY, ROLLED


class Silence(NamedTuple):
    """What finds nothing, where, and why."""

    states: tuple[str, ...]
    reason: str
    queries: tuple[str, ...]
    """Panels or annotations, `board: title`, or one query of them: `board: title, letter`. `*: title` is on each."""


SILENT: Final = (
    Silence((HEALTHY,), "all is well", (
        "model-health: Features that moved most, C",
        "model-health: Features that moved most, D",
        "model-health: Features that moved most, E",
        "model-health: Alerts",
        "model-health: What happened, E",
        "*: Alerts",
        "*: Tickets",
        "model-feature: Drifts since",
        "model-feature: How it moved",
        "model-feature: Ranges that gained and lost",
        "model-feature: What the rules find about $feature, A",
        "model-feature: What the rules find about $feature, E",
        "model-feature: What the rules find about $feature, G",
        "model-feature: Alerts about the model",
        "model-quality: What is wrong now, worst first",
        "model-quality: What tickets are about",
        "model-quality: Out of range values",
        "model-fleet: What drifts all over the fleet, A",
        "model-fleet: What drifts all over the fleet, B",
        "model-fleet: What drifts all over the fleet, C",
    )),
    Silence((HEALTHY, DRIFTED, ROLLED), "nothing is broken", (
        "*: Dependency down",
        "model-feature: What the rules find about $feature, D",
        "model-feature: Values that are missing or wrong, D",
        "model-feature: Values that are missing or wrong, J",
        "model-feature: New categories",
        "model-feature: Values of failed and of successful requests, B",
        "model-feature: Values of failed and of successful requests, C",
        "model-feature: How much failed requests differ",
        "model-quality: Non-finite values",
        "model-quality: Unseen values",
        "model-quality: Values of a wrong type",
        "model-quality: Fields that are absent",
        "model-quality: Payloads not decoded",
        "model-quality: Failed against successful requests, by feature",
        "model-quality: Values that fail",
        "model-quality: Latency of failures",
        "model-predictions: Wrong predictions, A",
        "model-predictions: Wrong predictions, C",
        "model-predictions: Wrong predictions over what is critical, A",
        "model-predictions: Wrong predictions over what is critical, C",
        "model-serving: Latency of failed requests",
        "model-serving: Dependencies, worst first, D",
        "model-serving: Why probes fail",
        "inference-exporter: Payloads not understood, and why",
        "inference-exporter: Clients turned away, A",
        "inference-exporter: Series left out, by family",
        "inference-exporter: Spans sent",
        "inference-exporter: Spans and lines lost",
    )),
    Silence((HEALTHY, ROLLED, BROKEN), "one replica alone has moved or was started anew", (
        "*: Server started",
        "model-feature: What the rules find about $feature, B",
        "model-feature: Replicas, worst first, C",
        "model-serving: Restarts of the model server",
        "model-fleet: Replicas apart, and in what",
        "model-fleet: Replicas apart over time",
    )),
    Silence((HEALTHY, BROKEN), "neither answers nor versions differ", (
        "model-feature: Values that are missing or wrong, I",
        "model-predictions: Drifting since",
        "model-predictions: Outputs, worst first, E",
        "model-predictions: Outputs, worst first, F",
        "model-predictions: Answers that became more or fewer",
        "model-predictions: The same value is answered otherwise",
        "model-fleet: Canary against stable, A",
        "model-fleet: Canary against stable, J",
        "model-fleet: Where the chosen version differs from the others",
        "model-fleet: The chosen version against the others",
        "model-fleet: What drifts all over the fleet, D",
    )),
    Silence((HEALTHY, BROKEN), "there is one version alone", (
        "model-life: Versions beside the stable one, C",
        "model-life: Versions beside the stable one, D",
        "model-life: Versions beside the stable one, E",
        "model-life: Mean predictions against the stable version",
        "model-life: Performance against the stable version",
    )),
    Silence((HEALTHY, BROKEN), "nothing that is counted has moved since the deployment", (
        "model-life: Moved since the deployment, A",
        "model-life: Moved since the deployment, B",
    )),
    Silence((HEALTHY, ROLLED, BROKEN), "nobody is asked to train it again, or was so lately of the other version", (
        "model-life: Last asked",
    )),
    Silence((HEALTHY, ROLLED), "nothing is compared", (
        "model-fleet: Replica apart",
    )),
    Silence((DRIFTED, ROLLED, BROKEN), "over the longest window or where somebody said so: chosen for the healthy", (
        "model-feature: What people say of it, A",
        "model-feature: What people say of it, B",
        "model-feature: What people say of it, C",
        "model-feature: Values moved and what chance reaches, D",
        "model-feature: Quantiles, live and in training, A",
        "model-feature: Answers to the same value, by output",
    )),
    Silence((BROKEN,), "a category is chosen, which has no numbers", (
        "model-feature: Other scores, times their critical values, B",
        "model-feature: Other scores, times their critical values, C",
        "model-feature: Other scores, times their critical values, D",
        "model-feature: Quantiles, live and in training, B",
        "model-feature: Values that are missing or wrong, B",
        "model-feature: Values that are missing or wrong, C",
        "model-feature: By part of the traffic",
    )),
)  # fmt: skip
NEVER: Final[Mapping[str, tuple[str, ...]]] = {
    "a restart is seen where a scrape came shortly before it": (
        "inference-exporter: Restarts by process and reason",
    ),
    "nobody has said or adopted that": (
        "model-feature: What people say of it, D",
        "model-feature: What people say of it, E",
        "model-feature: What people say of it, F",
        "model-feature: Where the values of $feature are, C",
        "model-feature: Where the values of $feature are, D",
        "model-feature: How much may move without evidence, C",
        "inference-exporter: What is in force, exporter by exporter, D",
        "inference-exporter: What is in force, exporter by exporter, E",
        "inference-exporter: What is in force, exporter by exporter, K",
        "inference-exporter: Models watched, B",
    ),
    "of the chosen features that does not happen": (
        "model-feature: What the rules find about $feature, C",
        "model-feature: What the rules find about $feature, F",
        "model-feature: What the rules find about $feature, H",
        "model-feature: Evidence of its drift, B",
        "model-feature: Values that are missing or wrong, E",
        "model-feature: Values that are missing or wrong, G",
        "model-feature: Values that are missing or wrong, H",
    ),
    "nothing of this happens to these exporters": (
        "model-quality: Exchanges dropped from the counts",
        "inference-exporter: Alerts about exporters that fire",
        "inference-exporter: Offered is observed and dropped, B",
        "inference-exporter: Connections read no further, exchanges cut off",
        "inference-exporter: Clients turned away, B",
        "inference-exporter: Clients turned away, C",
        "inference-exporter: Profiles that could not be used",
        "inference-exporter: State that could not be kept or read",
        "inference-exporter: Refused on the web address",
        "inference-exporter: Log lines lost",
    ),
    "the answers are numbers: no kind of them is unseen, none is of a wrong type": (
        "model-predictions: Wrong predictions, B",
        "model-predictions: Wrong predictions, D",
        "model-predictions: Wrong predictions over what is critical, B",
        "model-predictions: Wrong predictions over what is critical, D",
    ),
    "all models answer the score of one class: nobody predicts numbers, one of many classes, or ranks": (
        "model-predictions: How good it is, by its truths, D",
        "model-predictions: How good it is, by its truths, E",
        "model-predictions: How good it is, by its truths, F",
        "model-predictions: Classes, by their truths, D",
        "model-predictions: Errors of numbers",
    ),
    "all of it drifts, so parts are not told of": (
        "model-predictions: Parts that drift",
    ),
    "no language model is served: tests/dashboards/test_many_at_once.py has what one says": (
        "model-predictions: Tokens per second",
        "model-predictions: Tokens per answer",
        "model-predictions: How answers end",
        "model-predictions: Time to the first byte of a stream",
        "model-predictions: First bytes by time",
    ),
    "the world is not a week old": (
        "model-serving: Requests against a week before, B",
    ),
    "nothing runs in Kubernetes, nor has limits": (
        "model-serving: CPU over its limit",
        "model-serving: Memory over its limit",
        "model-serving: Containers beside the exporter",
    ),
    "nobody speaks TLS": (
        "model-serving: Dependencies, worst first, C",
        "inference-exporter: Time left of the certificate",
    ),
    "each exporter has one version": (
        "model-fleet: Features of two versions in one exporter",
        "model-fleet: Answers of two versions in one exporter",
        "model-life: One exporter: chosen version against stable",
    ),
    "of no model with two versions any request fails": (
        "model-life: Versions beside the stable one, F",
    ),
    "nobody mirrors requests: tests/test_versions_end_to_end.py does": (
        "model-life: Copies of requests, A",
    ),
    "no part is served worse than the rest: tests/test_worst_segments_end_to_end.py has one": (
        "model-truth: Whom it serves worse",
        "model-truth: Evidence that a part is served worse, A",
    ),
    "no holdout is kept, and no training data say what the model had influenced": (
        "model-life: What turns out where nobody follows the model?",
        "model-life: Training data that the model had a hand in",
    ),
    "no golden requests are sent: tests/rounds/test_boards.py has what they say": (
        "model-life: Known requests answered as expected",
        "model-life: Known requests that fail, A",
        "model-life: Known requests that fail, B",
        "model-life: All right",
        "model-life: Last round",
        "model-life: Why known requests fail",
        "model-life: How long known requests take, and those of clients, A",
    ),
    "events that ask for a training are logged, none is sent, and one at most, which may be soon or late": (
        "model-life: Why nobody was asked, or did not hear, A",
        "model-life: Why nobody was asked, or did not hear, B",
    ),
    "neither events nor metrics of the server are sent through the exporter": (
        "inference-exporter: Events received",
        "inference-exporter: Events dropped",
        "inference-exporter: Events waiting",
        "inference-exporter: Pages with the server's own metrics",
        "inference-exporter: Why they were not passed on",
        "inference-exporter: Time that fetching them takes",
        "inference-exporter: Series of the server's own",
    ),
}  # fmt: skip
"""What finds nothing in any of these worlds, by the reason."""


def why(answer: Answer) -> str:
    """The reason why it may find nothing; empty where there is none."""
    names = _names(answer.query)
    here = (one.reason for one in SILENT if answer.state in one.states and not names.isdisjoint(one.queries))
    nowhere = (reason for reason, queries in NEVER.items() if not names.isdisjoint(queries))
    return next(here, next(nowhere, ""))


def never(queries: Iterable[str]) -> set[str]:
    """Of these, those that find nothing anywhere."""
    listed = {name for names in NEVER.values() for name in names}
    return {query for query in queries if not _names(query).isdisjoint(listed)}


def strange(queries: Iterable[str]) -> set[str]:
    """What is listed of queries that nobody asks."""
    listed = {name for one in SILENT for name in one.queries} | {name for names in NEVER.values() for name in names}
    return listed - {name for query in queries for name in _names(query)}


def _names(query: str) -> set[str]:
    panel = query.rpartition(", ")[0]
    return {query, panel, f"*: {panel.partition(': ')[2]}"}
