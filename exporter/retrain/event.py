"""What is sent: a CloudEvent of version 1.0 in structured JSON (its specification, and the JSON event format).

Its id depends on the model, its version and profile, and the period of `cool_down` in which it was made, and on nothing
else: replicas that find the same, and one that has forgotten that it asked, use the same one. One replica makes no two
events of a model in one period, so that no two have the same.
"""

import hashlib
import json
import math
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import orjson

from exporter import __version__
from exporter.retrain.advice import Advised
from exporter.retrain.findings import MOST_COLUMNS, Details, Found, Of
from exporter.retraining import FIX, RETRAIN, REWORK
from exporter.snapshots import Snapshot

MEDIA: Final = "application/cloudevents+json"
_TYPES: Final = {
    RETRAIN: "io.github.inference-exporter.retrain.requested",
    REWORK: "io.github.inference-exporter.rework.requested",
    FIX: "io.github.inference-exporter.fix.requested",
}
"""By advice: who only trains again asks for the first one."""
_HELP: Final = "https://github.com/inference-exporter/inference-exporter/blob/main/docs/retraining.md"


class Key(NamedTuple):
    """Whose it is."""

    model: str
    version: str
    profile: str
    """Digest of the whole profile."""


class Event(NamedTuple):
    """One that was made."""

    id: str
    model: str
    made_s: float
    """Unix time."""
    body: str


class Said(NamedTuple):
    """What it tells."""

    key: Key
    found: Found
    details: Details
    advised: Advised
    alerts: tuple[str, ...]
    """Names of those that fire, as Alertmanager has told."""
    began_s: float
    """When the episode began."""


def event_id(key: Key, now: float, cool_down_s: float) -> str:
    """32 hexadecimal digits."""
    told = json.dumps([*key, math.floor(now / cool_down_s)])
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def made(said: Said, snapshot: Snapshot, now: float, cool_down_s: float) -> Event:
    """An event of `now`, Unix time."""
    key = said.key
    found_id = event_id(key, now, cool_down_s)
    document = {
        "specversion": "1.0",
        "id": found_id,
        "source": f"/inference-exporter/model/{quote(key.model, safe='')}",
        "type": _TYPES[said.advised.advice],
        "subject": key.model,
        "time": _time(now),
        "datacontenttype": "application/json",
        "data": _data(said, snapshot),
    }
    return Event(found_id, key.model, now, orjson.dumps(document).decode())


def _data(said: Said, snapshot: Snapshot) -> dict[str, Any]:
    key, found = said.key, said.found
    return {
        "model": key.model,
        "model_version": key.version,
        "profile": key.profile,
        "advice": said.advised.advice,
        "why": said.advised.why,
        "episode_began": _time(said.began_s),
        "findings": [
            {"kind": one.kind, "value": _number(one.value), "line": _number(one.line), "found": one.is_found,
             "enough": one.enough, "since": _time(one.since_s)}
            for one in found.findings
        ],
        "alerts": list(said.alerts),
        "faults": list(said.details.faults[:MOST_COLUMNS]),
        "moved": [
            {one.side: one.name, "evidence_nats": _number(one.nats), "since": _time(one.since_s),
             "diagnosis": one.code, "text": one.text}
            for one in said.details.moved
        ],
        "performance": _performance(found.performance),
        "estimated_performance": _performance(found.estimated),
        "target": _target(snapshot),
        "rows": found.rows,
        "truths": found.truths,
        "exporter": __version__,
        "help": _HELP,
    }  # fmt: skip


def _performance(of: Of | None) -> dict[str, Any] | None:
    if of is None:
        return None
    measures = [
        {"measure": one.name, "value": _number(one.value), "lower": _number(one.lower), "upper": _number(one.upper),
         "training": _number(one.training)}
        for one in of.measures
    ]  # fmt: skip
    return {"window": of.window, "samples": of.samples, "measures": measures}


def _target(snapshot: Snapshot) -> list[dict[str, Any]]:
    """What turned out, against the training data, by window."""
    return [
        {"window": one.window, "samples": one.samples, "sufficient": one.sufficient,
         "total_variation": _number(one.total_variation), "critical": _number(one.total_variation_critical)}
        for one in (snapshot.performed.target if snapshot.performed else ())
    ]  # fmt: skip


def _number(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None


def _time(at_s: float) -> str | None:
    """RFC 3339, in UTC; None where nobody knows."""
    if not at_s > 0:
        return None
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
