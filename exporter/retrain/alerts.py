"""What Alertmanager's webhook says (its JSON of version 4): which alerts of a model fire.

One that fires is told again and again until it is resolved; what is told no longer for two days is over.
"""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

import orjson

from exporter.errors import PostError
from exporter.retrained import ALERT_OUTCOMES
from exporter.values import Fault

MOST_BYTES: Final = 1 << 20
_MOST: Final = 256
"""Alerts that are remembered; beyond them the oldest go."""
_LASTS_S: Final = 2 * 86400.0
_LONGEST: Final = 256
_FIRING: Final = "firing"
_STATES: Final = (_FIRING, "resolved")
TAKEN, OTHER, UNKNOWN = ALERT_OUTCOMES


class Alert(NamedTuple):
    """One that was told."""

    id: str
    """By which it is known again."""
    name: str
    model: str
    version: str
    """Empty where it does not say one."""
    is_firing: bool


class Firing(NamedTuple):
    """One that fires."""

    name: str
    model: str
    version: str
    heard_s: float
    """Unix time at which it was told last."""


def read(body: bytes) -> list[Alert]:
    """Alerts of a POST. PostError with the path to the fault."""
    try:
        document = orjson.loads(body)
    except ValueError:
        raise PostError("malformed", "the body is no JSON") from None
    try:
        return _alerts(document)
    except Fault as fault:
        raise PostError("malformed", f"{fault.path}: {fault}") from None


def _alerts(document: Any) -> list[Alert]:  # noqa: ANN401 (JSON)
    if not isinstance(document, dict):
        raise Fault("/", "must be an object, as Alertmanager's webhook sends it")
    if document.get("version") != "4":
        raise Fault("/version", 'must be "4"')
    alerts = document.get("alerts")
    if not isinstance(alerts, list):
        raise Fault("/alerts", "must be a list")
    return [_alert(one, f"/alerts/{place}") for place, one in enumerate(alerts)]


def _alert(one: Any, path: str) -> Alert:  # noqa: ANN401
    if not isinstance(one, dict):
        raise Fault(path, "must be an object")
    if one.get("status") not in _STATES:
        raise Fault(f"{path}/status", f"must be one of {', '.join(_STATES)}")
    labels = one.get("labels")
    if not isinstance(labels, dict):
        raise Fault(f"{path}/labels", "must be an object")
    for word, value in labels.items():
        if not isinstance(value, str):
            raise Fault(f"{path}/labels/{word[:_LONGEST]}", "must be text")
    name = labels.get("alertname", "")
    if not name:
        raise Fault(f"{path}/labels/alertname", "must be there")
    said = one.get("fingerprint")
    known = said if isinstance(said, str) and said else orjson.dumps(labels, option=orjson.OPT_SORT_KEYS).decode()
    model, version = (labels.get(word, "")[:_LONGEST] for word in ("model", "model_version"))
    return Alert(known[:_LONGEST], name[:_LONGEST], model, version, one["status"] == _FIRING)


class Desk:
    """Takes alerts, for whoever looks at them later. Any thread may ask."""

    def __init__(self, names: Collection[str], clock: Callable[[], float]) -> None:
        """`names` are the alerts that are a reason, `clock` gives Unix time."""
        self._names = frozenset(names)
        self._clock = clock
        self._lock = threading.Lock()
        self._firing: dict[str, Firing] = {}
        self._models: frozenset[str] | None = None
        """None before anybody has said which are watched."""
        self._counts = Counter[str]()

    most_bytes = MOST_BYTES

    def post(self, body: bytes) -> bytes:
        """Take what a POST says: what became of it, in JSON. PostError."""
        alerts = read(body)
        with self._lock:
            if self._models is None:
                raise PostError("busy", "it is not known yet which models are watched")
            outcomes = Counter(self._take(one, self._models) for one in alerts)
            self._counts.update(outcomes)
        told = {word: outcomes[word] for word in ALERT_OUTCOMES}
        words = "of models that are not watched here nothing is known" if outcomes[UNKNOWN] else ""
        return orjson.dumps(told | ({"detail": words} if words else {}))

    def _take(self, one: Alert, models: frozenset[str]) -> str:
        if one.name not in self._names:
            return OTHER
        if one.model not in models:
            return UNKNOWN
        self._firing.pop(one.id, None)
        if one.is_firing:
            self._firing[one.id] = Firing(one.name, one.model, one.version, self._clock())
            while len(self._firing) > _MOST:
                del self._firing[next(iter(self._firing))]
        return TAKEN

    def counted(self) -> Counter[str]:
        """By outcome, since this was asked last."""
        with self._lock:
            found, self._counts = self._counts, Counter()
        return found

    def know(self, models: Iterable[str]) -> None:
        """These are watched now."""
        with self._lock:
            self._models = frozenset(models)

    def firing(self) -> Mapping[str, Firing]:
        """What fires, by id."""
        oldest = self._clock() - _LASTS_S
        with self._lock:
            self._firing = {known: one for known, one in self._firing.items() if one.heard_s > oldest}
            return dict(self._firing)

    def resume(self, firing: Mapping[str, Firing]) -> None:
        """Go on with what was told before."""
        with self._lock:
            self._firing = {**firing, **self._firing}
