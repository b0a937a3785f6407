"""What people ask, and the families that answer it: the catalogue in the order in which somebody reads it.

Every family answers one question. Features and outputs are asked alike: see `_of_columns`.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from exporter import catalogue as c
from exporter.asked import Question, Section, asked, every
from exporter.families import Columns, Family, Segments
from exporter.fleet_families import FleetColumns
from exporter.loop_questions import SECTION as LOOPS
from exporter.retrain_questions import RETRAINING
from exporter.snapshots import IMPACT
from exporter.truth_questions import FEEDBACK
from exporter.truth_questions import SECTIONS as OF_TRUTH
from exporter.witness_questions import WITNESSED


def _with_critical(values: Mapping[str, Family], critical: Mapping[str, Family]) -> Iterator[Family]:
    """Each family with what chance makes of it behind."""
    for word, family in values.items():
        yield family
        if word in critical:
            yield critical[word]


def _some(of: Mapping[str, Family], *beginnings: str) -> Iterator[Family]:
    """Those of words that begin so; of outputs there may be none."""
    return (family for word, family in of.items() if word.startswith(beginnings))


def _drift(of: Columns, word: str) -> Iterator[Question]:
    scores = {name: family for name, family in of.statistics.items() if name != IMPACT}
    of_evidence = of.evidence
    yield Question(f"Which {word} moved, and how much?", every(_with_critical(scores, of.critical)))
    yield Question(f"What happened to the {word}?", every(_some(of.aspects, "diagnosis"), of_evidence["drift_info"]))
    yield asked(f"Since when has the {word} moved?", of_evidence["drift_onset_timestamp_seconds"])
    yield asked(f"Which range or category of the {word} moved?", of.bin_change)
    yield asked(f"Does the {word} matter?", of.statistics[IMPACT], of.known["importance"])
    yield Question("Is it new, or was it always so in live traffic?", every(_with_critical(of.live, of.live_critical)))
    yield Question("Does training differ from serving since the start?", every(_some(of_evidence, "skew")))
    if associated := every(_some(of.aspects, "association")):
        yield Question("Does the model still answer the same values alike?", associated)
        yield Question("Are rows odd as a whole, though each value is not?", every(_some(of.aspects, "unusual_rows")))
    yield Question(
        f"What do values of the {word} look like, now and in training?",
        every(_some(of.aspects, "quantile", "reference_q")),
    )


def _belief(of: Columns, word: str) -> Iterator[Question]:
    told, known = of.evidence, of.known
    yield asked("Are there enough values to judge?", of.samples, of.sufficient, of.shortest)
    yield asked(f"Which {word} has the evidence?", told["drift_evidence_nats"], told["slow_drift_evidence_nats"])
    yield asked(
        f"What would it take the {word} to page?",
        told["drift_monitored"], told["drift_tolerance_ratio"], told["drift_dependence_factor"],
        told["drift_defaults_info"],
    )  # fmt: skip
    yield asked(
        "How good a yardstick is the reference?", known["reference_error"], known["dependence"], known["wander"]
    )
    yield asked(
        f"How are values of the {word} distributed, in training and over all replicas?",
        of.bins, of.bin_info, of.reference_ratio, of.reference_samples, of.reference_missing, of.reference_largest,
        of.bin_step,
    )  # fmt: skip
    yield asked(
        f"Who owns the {word}, and what may come of its drift?",
        of.override_info, of.tolerance, of.weight, of.snoozed_until,
    )  # fmt: skip
    yield asked(f"Has somebody accepted the change of the {word}?", of.adopted, of.adoption_expiry, of.training_ratio)


def _quality(of: Columns) -> Iterator[Question]:
    counted = every(of.values, of.quality_values.values(), of.type_errors)
    ratios = {f"{word}_ratio": family for word, family in of.quality_ratios.items()}
    yield Question("Are values missing or wrong?", (
        *counted, *_with_critical(ratios, of.critical), *_some(of.aspects, "type_error", "infinite"),
    ))  # fmt: skip
    yield Question("Has a client dropped or renamed a field?", every(_some(of.aspects, "absent")))
    yield Question("Which new categories came?", every(_some(of.aspects, "unseen")))
    yield Question("Is a sensor stuck, or a default sent again and again?", every(
        _some(of.aspects, "longest_run", "current_run")
    ))  # fmt: skip
    yield Question("Are values rounded, cut off, cached or replayed?", every(
        _some(of.aspects, "distinct", "reference_distinct")
    ))  # fmt: skip
    if duplicates := every(_some(of.aspects, "duplicate_rows")):
        yield Question("Are rows sent twice?", duplicates)


def _of_columns(of: Columns, word: str, title: str) -> Iterator[Section]:
    yield Section(f"{title}: drift", tuple(_drift(of, word)))
    yield Section(f"{title}: data quality", tuple(_quality(of)))
    yield Section(f"{title}: what judgements rest on", tuple(_belief(of, word)))


def _segments(*sides: Segments) -> Section:
    p = c.SEGMENT_PERFORMANCE
    return Section("Segments of the traffic", (
        Question("Which part of the traffic drifted?", every(*((one.variation, one.critical) for one in sides))),
        Question("How large is each part, and can it be judged?", every(
            c.SEGMENT_ROWS, c.SEGMENT_REFERENCE_ROWS, *((one.samples, one.sufficient) for one in sides)
        )),
        Question("Which part of the traffic does the model serve badly?", every(
            p.error, p.error_critical, p.error_training, p.samples, p.sufficient
        )),
        Question("How good is the model in each part?", every(
            *((p.values[word], p.lower[word], p.upper[word]) for word in p.values)
        )),
    ))  # fmt: skip


_PAGING: Final = Section("Drift: whether to get up", (
    asked("Has the traffic drifted, so that somebody should get up?", c.EVIDENCE, c.EVIDENCE_THRESHOLD),
    asked("Does the traffic drift slowly?", c.SLOW_EVIDENCE, c.SLOW_EVIDENCE_THRESHOLD),
    asked(
        "Is evidence gathered, and what does it rest on?",
        c.EVIDENCE_READY, c.EVIDENCE_INFO, c.EVIDENCE_PAUSED, c.EVIDENCE_SINCE,
    ),
    asked("How soon would drift page?", c.EXPECTED_DELAY),
    asked("How many rows belong together?", c.GROUPED_ROWS),
    asked("Since when do windows have values?", c.WINDOW_START),
))  # fmt: skip


_FAILED: Final = Section("Failed requests", (
    asked("Do requests fail because of what is in them?", c.FAILED_VARIATION, c.FAILED_CRITICAL),
    asked("Which values fail?", c.FAILED_EXCESS, c.FAILED_BINS),
    asked("Are there enough failed rows to judge?", c.FAILED_SAMPLES),
))  # fmt: skip
_TRAFFIC: Final = Section("Traffic", (
    asked(
        "How much is the model asked, and how often does it fail?",
        c.REQUESTS, c.ROWS, c.SERVED_ROWS, c.FAILED_ROWS,
    ),
    asked("How long do answers take?", c.REQUEST_DURATION, c.FAILED_DURATION),
    asked("How large are requests and answers?", c.REQUEST_SIZE, c.RESPONSE_SIZE),
    asked("Does anybody still ask the model?", c.LAST_REQUEST),
    asked("Do clients send what the model was not trained on?", c.UNKNOWN_FIELDS),
    asked("Can the truth be joined to predictions, once it is known?", c.WITHOUT_ID),
    asked("What does a language model read and write, and why does it stop?", c.TOKENS, c.FINISHED),
    asked("How long does a reader wait for the first word?", c.FIRST_BYTE),
    asked("Which requests are no model requests?", c.PROBES),
))  # fmt: skip
_SERVER: Final = Section("The model server", (
    asked("Is the server up, and does it keep up?", c.SERVER_UP, c.IN_FLIGHT),
    asked("What does the server cost?", c.SERVER_CPU, c.SERVER_MEMORY, c.SERVER_PROCESSES, c.SERVER_VISIBLE),
    asked("Was the server restarted?", c.SERVER_START),
    asked("Which model is watched, how old is it, and whose?", c.MODEL_INFO, c.TRAINED, c.OWNER),
))  # fmt: skip


def _age() -> Iterator[Question]:
    yield asked("Since when is this version deployed, and when is it due for training?", c.AGE.deployed, c.AGE.due)
    yield asked("Does the model become worse from day to day?", *c.TREND)
    for of, word in ((c.FEATURES_SINCE_DEPLOY, "features"), (c.OUTPUTS_SINCE_DEPLOY, "outputs")):
        yield asked(f"Which {word} have moved, all in all, since the deployment?", *of)
    yield asked("Since when is it counted what has come since the deployment?", c.AGE.since)


_AGE: Final = Section("How old the model is", tuple(_age()))
_NEEDS: Final = Section("What the model needs", (
    asked(
        "Can the model's dependencies be reached?",
        c.DEPENDENCY_UP, c.DEPENDENCY_SUCCESS, c.DEPENDENCY_FAILURES, c.DEPENDENCY_PROBES,
    ),
    asked("How long do dependencies take to answer?", c.DEPENDENCY_DURATION),
    asked("When does a dependency's certificate end?", c.DEPENDENCY_EXPIRY),
))  # fmt: skip
_GOLDEN: Final = Section("Golden requests", (
    asked("Does the server answer known requests as it should?", c.GOLDEN.passing, c.GOLDEN.cases, c.GOLDEN.failing),
    asked("Which known request is answered wrongly, and in what way?", c.GOLDEN.case, c.GOLDEN.failures),
    asked("When was every answer right for the last time?", c.GOLDEN.right, c.GOLDEN.checks),
    asked("How fast are known requests answered?", c.GOLDEN.duration),
    asked("Are known requests sent at all?", c.GOLDEN.round_time, c.GOLDEN.interval, c.GOLDEN.rounds, c.GOLDEN.file),
    asked("How many known requests came by among the traffic?", c.GOLDEN.exchanges),
))  # fmt: skip
_PROFILE: Final = Section("The reference profile", (
    asked(
        "What is live traffic compared with?",
        c.PROFILE_INFO, c.PROFILE_ROWS, c.PROFILE_PROVISIONAL, c.PROFILE_LOADED, c.MODELS, c.PROVISIONAL_ROWS,
    ),
    asked("Is the reference too old, or another model's?", c.PROFILE_TIME, c.PROFILE_OTHER_VERSION),
    asked("How good was the model in training?", c.TRAINING_PERFORMANCE),
    asked(
        "Do payloads fit the profile?",
        c.PROFILE_PAYLOADS, c.PROFILE_MISMATCHED, c.PROFILE_FIELDS, c.PROFILE_MATCHED_FIELDS, c.PROFILE_UNREADABLE,
    ),
    asked("Could the profile be fetched?", c.PROFILE_FOUND, c.PROFILE_FOUND_TIME, c.PROFILE_KEPT, c.PROFILE_ERRORS),
))  # fmt: skip
_SIGHT: Final = Section("The exporter: what it sees", (
    asked("Is all the traffic counted?", c.OBSERVING, c.OFFERED, c.OBSERVED, c.DROPPED, c.UNOBSERVABLE, c.INCOMPLETE),
    asked("Are all bodies looked at?", c.BODIES_SHED, c.SAMPLING),
    asked("Does the analyser keep up?", c.RING_FILL, c.RING_QUEUED, c.RING_SIZE),
    asked(
        "Can the exporter read what it sees?",
        c.PAYLOADS_OFFERED, c.PAYLOADS_DECODED, c.PAYLOADS_UNDECODED, c.PAYLOADS_PARTIAL, c.PARTIAL_ROWS,
    ),
    asked("Is every model watched?", c.UNATTRIBUTED),
    asked(
        "What became of events that were posted?",
        c.EVENTS_RECEIVED, c.EVENTS_OBSERVED, c.EVENTS_DROPPED, c.EVENTS_WAITING,
    ),
))  # fmt: skip
_RELAY: Final = Section("The exporter: the relay", (
    asked(
        "Is traffic relayed?",
        c.PROXY_REQUESTS, c.CONNECTIONS, c.CONNECTIONS_OPEN, c.PROXY_BYTES, c.PROXY_DURATION,
    ),
    asked("Are clients turned away?", c.CONNECT_ERRORS, c.ACCEPT_ERRORS, c.CLOSED),
    asked("What does the relay cost a request?", c.HOP, c.OBSERVER_CPU),
))  # fmt: skip
_ITSELF: Final = Section("The exporter: itself", (
    asked(
        "Is the exporter alive, and are its numbers fresh?",
        c.HEARTBEAT, c.SNAPSHOT_TIME, c.SNAPSHOT_DURATION, c.COLLECTOR_SUCCESS,
    ),
    asked("Has a page room for all its series?", c.DROPPED_SERIES, c.PAGE_SERIES, c.MAX_SERIES),
    asked("Was the exporter restarted, and why?", c.START, c.PROCESS_START, c.RESTARTS),
    asked("What does the exporter cost?", c.PROCESS_CPU, c.PROCESS_MEMORY),
    asked("Which exporter runs, and are its settings in force?", c.BUILD_INFO, c.RELOAD_SUCCESSFUL, c.RELOAD_TIME),
    asked("Do windows survive a restart?", c.STATE_RESTORED, c.STATE_TIME, c.STATE_SIZE, c.STATE_ERRORS),
    asked(
        "Are the model server's own metrics on the page?",
        c.UPSTREAM_METRICS_UP, c.UPSTREAM_METRICS_SERIES, c.UPSTREAM_METRICS_DURATION, c.UPSTREAM_METRICS_ERRORS,
        c.UPSTREAM_METRICS_REFUSED,
    ),
    asked(
        "Who is refused on the web address, and is its certificate good?",
        c.WEB_REFUSED, c.WEB_CONFIG_SUCCESSFUL, c.WEB_CONFIG_TIME, c.WEB_CERTIFICATE,
    ),
    asked("Is the log complete?", c.LOG_LINES_LOST),
    *WITNESSED,
))  # fmt: skip


def _fleet_columns(of: FleetColumns, word: str) -> Iterator[Question]:
    yield asked(f"Which {word} drifts all over the fleet, and since when?", of.info, of.onset, of.evidence)
    yield asked(f"What do most replicas say has happened to the {word}?", of.diagnosis)
    yield asked(f"What would it take the {word} to page for the fleet?", of.tolerance, of.dependence)


_FLEET: Final = Section("A whole fleet (`inference-exporter fleet`)", (
    asked("Has the fleet's traffic drifted, so that somebody should get up?", c.FLEET_EVIDENCE, c.FLEET_THRESHOLD),
    asked("Does the fleet's traffic drift slowly?", c.FLEET_SLOW_EVIDENCE, c.FLEET_SLOW_THRESHOLD),
    *_fleet_columns(c.FLEET_FEATURES, "feature"),
    *_fleet_columns(c.FLEET_OUTPUTS, "output"),
    asked("Is the fleet's evidence gathered, and what does it rest on?", c.FLEET_READY, c.FLEET_PAUSED, c.FLEET_SINCE),
    asked("How soon would drift of the fleet page?", c.FLEET_DELAY),
    asked("Are all replicas and rows of the fleet in it?", c.FLEET_REPLICAS, c.FLEET_ROWS),
    asked(
        "Does the fleet's Prometheus answer?",
        c.FLEET_PANE, c.FLEET_PANES_SKIPPED, c.FLEET_FAILED, c.FLEET_MODELS, c.FLEET_LEFT_OUT,
    ),
))  # fmt: skip

SECTIONS: Final = (
    _PAGING, *OF_TRUTH,
    *_of_columns(c.FEATURES, "feature", "Features"),
    *_of_columns(c.OUTPUTS, "output", "Outputs"),
    _segments(c.SEGMENT_FEATURES, c.SEGMENT_OUTPUTS),
    RETRAINING, LOOPS, _FAILED, _AGE,
    _TRAFFIC, _SERVER, _NEEDS, _GOLDEN, _PROFILE, _SIGHT, FEEDBACK, _RELAY, _ITSELF, _FLEET,
)  # fmt: skip
"""All there is, in the order in which people ask."""
