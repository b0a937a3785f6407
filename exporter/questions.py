"""What people ask, and the families that answer it: the catalogue in the order in which somebody reads it.

Every family answers one question. Features and outputs are asked alike: see `_of_columns`.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Final, NamedTuple

from exporter import catalogue as c
from exporter.families import Columns, Family, Segments
from exporter.snapshots import IMPACT


class Question(NamedTuple):
    """A question in a user's words."""

    text: str
    answers: tuple[Family, ...]


class Section(NamedTuple):
    """What is asked of one thing."""

    title: str
    questions: tuple[Question, ...]


def _asked(text: str, *answers: Family) -> Question:
    return Question(text, answers)


def _with_critical(values: Mapping[str, Family], critical: Mapping[str, Family]) -> Iterator[Family]:
    """Each family with what chance makes of it behind."""
    for word, family in values.items():
        yield family
        if word in critical:
            yield critical[word]


def _some(of: Mapping[str, Family], *beginnings: str) -> Iterator[Family]:
    """Those of words that begin so; of outputs there may be none."""
    return (family for word, family in of.items() if word.startswith(beginnings))


def _all(*parts: Family | Iterable[Family]) -> tuple[Family, ...]:
    return tuple(chain.from_iterable((part,) if isinstance(part, Family) else part for part in parts))


def _drift(of: Columns, word: str) -> Iterator[Question]:
    scores = {name: family for name, family in of.statistics.items() if name != IMPACT}
    of_evidence = of.evidence
    yield Question(f"Which {word} moved, and how much?", _all(_with_critical(scores, of.critical)))
    yield Question(f"What happened to the {word}?", _all(_some(of.aspects, "diagnosis"), of_evidence["drift_info"]))
    yield _asked(f"Since when has the {word} moved?", of_evidence["drift_onset_timestamp_seconds"])
    yield _asked(f"Which range or category of the {word} moved?", of.bin_change)
    yield _asked(f"Does the {word} matter?", of.statistics[IMPACT], of.known["importance"])
    yield Question("Is it new, or was it always so in live traffic?", _all(_with_critical(of.live, of.live_critical)))
    yield Question("Does training differ from serving since the start?", _all(_some(of_evidence, "skew")))
    if associated := _all(_some(of.aspects, "association")):
        yield Question("Does the model still answer the same values alike?", associated)
        yield Question("Are rows odd as a whole, though each value is not?", _all(_some(of.aspects, "unusual_rows")))
    yield Question(
        f"What do values of the {word} look like, now and in training?",
        _all(_some(of.aspects, "quantile", "reference_q")),
    )


def _belief(of: Columns, word: str) -> Iterator[Question]:
    told, known = of.evidence, of.known
    yield _asked("Are there enough values to judge?", of.samples, of.sufficient, of.shortest)
    yield _asked(f"Which {word} has the evidence?", told["drift_evidence_nats"], told["slow_drift_evidence_nats"])
    yield _asked(
        f"What would it take the {word} to page?",
        told["drift_monitored"], told["drift_tolerance_ratio"], told["drift_dependence_factor"],
        told["drift_defaults_info"],
    )  # fmt: skip
    yield _asked(
        "How good a yardstick is the reference?", known["reference_error"], known["dependence"], known["wander"]
    )
    yield _asked(
        f"How are values of the {word} distributed, in training and over all replicas?",
        of.bins, of.bin_info, of.reference_ratio, of.reference_samples, of.reference_missing, of.reference_largest,
        of.bin_step,
    )  # fmt: skip
    yield _asked(
        f"Who owns the {word}, and what may come of its drift?",
        of.override_info, of.tolerance, of.weight, of.snoozed_until,
    )  # fmt: skip
    yield _asked(f"Has somebody accepted the change of the {word}?", of.adopted, of.adoption_expiry, of.training_ratio)


def _quality(of: Columns) -> Iterator[Question]:
    counted = _all(of.values, of.quality_values.values(), of.type_errors)
    ratios = {f"{word}_ratio": family for word, family in of.quality_ratios.items()}
    yield Question("Are values missing or wrong?", (
        *counted, *_with_critical(ratios, of.critical), *_some(of.aspects, "type_error", "infinite"),
    ))  # fmt: skip
    yield Question("Has a client dropped or renamed a field?", _all(_some(of.aspects, "absent")))
    yield Question("Which new categories came?", _all(_some(of.aspects, "unseen")))
    yield Question("Is a sensor stuck, or a default sent again and again?", _all(
        _some(of.aspects, "longest_run", "current_run")
    ))  # fmt: skip
    yield Question("Are values rounded, cut off, cached or replayed?", _all(
        _some(of.aspects, "distinct", "reference_distinct")
    ))  # fmt: skip
    if duplicates := _all(_some(of.aspects, "duplicate_rows")):
        yield Question("Are rows sent twice?", duplicates)


def _of_columns(of: Columns, word: str, title: str) -> Iterator[Section]:
    yield Section(f"{title}: drift", tuple(_drift(of, word)))
    yield Section(f"{title}: data quality", tuple(_quality(of)))
    yield Section(f"{title}: what judgements rest on", tuple(_belief(of, word)))


def _segments(*sides: Segments) -> Section:
    return Section("Segments of the traffic", (
        Question("Which part of the traffic drifted?", _all(*((one.variation, one.critical) for one in sides))),
        Question("How large is each part, and can it be judged?", _all(
            c.SEGMENT_ROWS, c.SEGMENT_REFERENCE_ROWS, *((one.samples, one.sufficient) for one in sides)
        )),
    ))  # fmt: skip


_PAGING: Final = Section("Drift: whether to get up", (
    _asked("Has the traffic drifted, so that somebody should get up?", c.EVIDENCE, c.EVIDENCE_THRESHOLD),
    _asked("Does the traffic drift slowly?", c.SLOW_EVIDENCE, c.SLOW_EVIDENCE_THRESHOLD),
    _asked(
        "Is evidence gathered, and what does it rest on?",
        c.EVIDENCE_READY, c.EVIDENCE_INFO, c.EVIDENCE_PAUSED, c.EVIDENCE_SINCE,
    ),
    _asked("How soon would drift page?", c.EXPECTED_DELAY),
    _asked("How many rows belong together?", c.GROUPED_ROWS),
    _asked("Since when do windows have values?", c.WINDOW_START),
))  # fmt: skip
_FAILED: Final = Section("Failed requests", (
    _asked("Do requests fail because of what is in them?", c.FAILED_VARIATION, c.FAILED_CRITICAL),
    _asked("Which values fail?", c.FAILED_EXCESS, c.FAILED_BINS),
    _asked("Are there enough failed rows to judge?", c.FAILED_SAMPLES),
))  # fmt: skip
_TRAFFIC: Final = Section("Traffic", (
    _asked(
        "How much is the model asked, and how often does it fail?",
        c.REQUESTS, c.ROWS, c.SERVED_ROWS, c.FAILED_ROWS,
    ),
    _asked("How long do answers take?", c.REQUEST_DURATION, c.FAILED_DURATION),
    _asked("How large are requests and answers?", c.REQUEST_SIZE, c.RESPONSE_SIZE),
    _asked("Does anybody still ask the model?", c.LAST_REQUEST),
    _asked("Do clients send what the model was not trained on?", c.UNKNOWN_FIELDS),
    _asked("Can the truth be joined to predictions, once it is known?", c.WITHOUT_ID),
    _asked("What does a language model read and write, and why does it stop?", c.TOKENS, c.FINISHED),
    _asked("How long does a reader wait for the first word?", c.FIRST_BYTE),
    _asked("Which requests are no model requests?", c.PROBES),
))  # fmt: skip
_SERVER: Final = Section("The model server", (
    _asked("Is the server up, and does it keep up?", c.SERVER_UP, c.IN_FLIGHT),
    _asked("What does the server cost?", c.SERVER_CPU, c.SERVER_MEMORY, c.SERVER_PROCESSES, c.SERVER_VISIBLE),
    _asked("Was the server restarted?", c.SERVER_START),
    _asked("Which model is watched, how old is it, and whose?", c.MODEL_INFO, c.TRAINED, c.OWNER),
))  # fmt: skip
_NEEDS: Final = Section("What the model needs", (
    _asked(
        "Can the model's dependencies be reached?",
        c.DEPENDENCY_UP, c.DEPENDENCY_SUCCESS, c.DEPENDENCY_FAILURES, c.DEPENDENCY_PROBES,
    ),
    _asked("How long do dependencies take to answer?", c.DEPENDENCY_DURATION),
    _asked("When does a dependency's certificate end?", c.DEPENDENCY_EXPIRY),
))  # fmt: skip
_PROFILE: Final = Section("The reference profile", (
    _asked(
        "What is live traffic compared with?",
        c.PROFILE_INFO, c.PROFILE_ROWS, c.PROFILE_PROVISIONAL, c.PROFILE_LOADED, c.MODELS, c.PROVISIONAL_ROWS,
    ),
    _asked("Is the reference too old, or another model's?", c.PROFILE_TIME, c.PROFILE_OTHER_VERSION),
    _asked("How good was the model in training?", c.TRAINING_PERFORMANCE, c.PROFILE_INFLUENCED),
    _asked(
        "Do payloads fit the profile?",
        c.PROFILE_PAYLOADS, c.PROFILE_MISMATCHED, c.PROFILE_FIELDS, c.PROFILE_MATCHED_FIELDS, c.PROFILE_UNREADABLE,
    ),
    _asked("Could the profile be fetched?", c.PROFILE_FOUND, c.PROFILE_FOUND_TIME, c.PROFILE_KEPT, c.PROFILE_ERRORS),
))  # fmt: skip
_SIGHT: Final = Section("The exporter: what it sees", (
    _asked("Is all the traffic counted?", c.OBSERVING, c.OFFERED, c.OBSERVED, c.DROPPED, c.UNOBSERVABLE, c.INCOMPLETE),
    _asked("Are all bodies looked at?", c.BODIES_SHED, c.SAMPLING),
    _asked("Does the analyser keep up?", c.RING_FILL, c.RING_QUEUED, c.RING_SIZE),
    _asked(
        "Can the exporter read what it sees?",
        c.PAYLOADS_OFFERED, c.PAYLOADS_DECODED, c.PAYLOADS_UNDECODED, c.PAYLOADS_PARTIAL, c.PARTIAL_ROWS,
    ),
    _asked("Is every model watched?", c.UNATTRIBUTED),
    _asked(
        "What became of events that were posted?",
        c.EVENTS_RECEIVED, c.EVENTS_OBSERVED, c.EVENTS_DROPPED, c.EVENTS_WAITING,
    ),
))  # fmt: skip
_RELAY: Final = Section("The exporter: the relay", (
    _asked(
        "Is traffic relayed?",
        c.PROXY_REQUESTS, c.CONNECTIONS, c.CONNECTIONS_OPEN, c.PROXY_BYTES, c.PROXY_DURATION,
    ),
    _asked("Are clients turned away?", c.CONNECT_ERRORS, c.ACCEPT_ERRORS, c.CLOSED),
    _asked("What does the relay cost a request?", c.HOP, c.OBSERVER_CPU),
))  # fmt: skip
_ITSELF: Final = Section("The exporter: itself", (
    _asked(
        "Is the exporter alive, and are its numbers fresh?",
        c.HEARTBEAT, c.SNAPSHOT_TIME, c.SNAPSHOT_DURATION, c.COLLECTOR_SUCCESS,
    ),
    _asked("Has a page room for all its series?", c.DROPPED_SERIES, c.PAGE_SERIES, c.MAX_SERIES),
    _asked("Was the exporter restarted, and why?", c.START, c.PROCESS_START, c.RESTARTS),
    _asked("What does the exporter cost?", c.PROCESS_CPU, c.PROCESS_MEMORY),
    _asked("Which exporter runs, and are its settings in force?", c.BUILD_INFO, c.RELOAD_SUCCESSFUL, c.RELOAD_TIME),
    _asked("Do windows survive a restart?", c.STATE_RESTORED, c.STATE_TIME, c.STATE_SIZE, c.STATE_ERRORS),
    _asked(
        "Are the model server's own metrics on the page?",
        c.UPSTREAM_METRICS_UP, c.UPSTREAM_METRICS_SERIES, c.UPSTREAM_METRICS_DURATION, c.UPSTREAM_METRICS_ERRORS,
        c.UPSTREAM_METRICS_REFUSED,
    ),
    _asked(
        "Who is refused on the web address, and is its certificate good?",
        c.WEB_REFUSED, c.WEB_CONFIG_SUCCESSFUL, c.WEB_CONFIG_TIME, c.WEB_CERTIFICATE,
    ),
    _asked("Is the log complete?", c.LOG_LINES_LOST),
))  # fmt: skip


def _fleet_columns(of: c.FleetColumns, word: str) -> Iterator[Question]:
    yield _asked(f"Which {word} drifts all over the fleet, and since when?", of.info, of.onset, of.evidence)
    yield _asked(f"What do most replicas say has happened to the {word}?", of.diagnosis)
    yield _asked(f"What would it take the {word} to page for the fleet?", of.tolerance, of.dependence)


_FLEET: Final = Section("A whole fleet (`inference-exporter fleet`)", (
    _asked("Has the fleet's traffic drifted, so that somebody should get up?", c.FLEET_EVIDENCE, c.FLEET_THRESHOLD),
    _asked("Does the fleet's traffic drift slowly?", c.FLEET_SLOW_EVIDENCE, c.FLEET_SLOW_THRESHOLD),
    *_fleet_columns(c.FLEET_FEATURES, "feature"),
    *_fleet_columns(c.FLEET_OUTPUTS, "output"),
    _asked("Is the fleet's evidence gathered, and what does it rest on?", c.FLEET_READY, c.FLEET_PAUSED, c.FLEET_SINCE),
    _asked("How soon would drift of the fleet page?", c.FLEET_DELAY),
    _asked("Are all replicas and rows of the fleet in it?", c.FLEET_REPLICAS, c.FLEET_ROWS),
    _asked(
        "Does the fleet's Prometheus answer?",
        c.FLEET_PANE, c.FLEET_PANES_SKIPPED, c.FLEET_FAILED, c.FLEET_MODELS, c.FLEET_LEFT_OUT,
    ),
))  # fmt: skip

SECTIONS: Final = (
    _PAGING,
    *_of_columns(c.FEATURES, "feature", "Features"),
    *_of_columns(c.OUTPUTS, "output", "Outputs"),
    _segments(c.SEGMENT_FEATURES, c.SEGMENT_OUTPUTS),
    _FAILED, _TRAFFIC, _SERVER, _NEEDS, _PROFILE, _SIGHT, _RELAY, _ITSELF, _FLEET,
)  # fmt: skip
"""All there is, in the order in which people ask."""
