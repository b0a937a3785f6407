"""What Alertmanager's webhook says, and what becomes of it."""

import json
from typing import Any

import pytest

from exporter.errors import PostError
from exporter.retrain.alerts import Desk, read

TWO_DAYS = 2 * 86400.0


def alert(name: str = "ModelDrift", status: str = "firing", **labels: str) -> dict[str, Any]:
    return {
        "status": status, "labels": {"alertname": name, "model": "m", **labels}, "annotations": {"summary": "x"},
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": f"{name}{labels}",
    }  # fmt: skip


def body(*alerts: Any, **more: Any) -> bytes:
    return json.dumps({"version": "4", "groupKey": "{}", "status": "firing", "alerts": alerts} | more).encode()


class Clock:
    now = 1e9

    def __call__(self) -> float:
        return self.now


def desk(clock: Clock | None = None) -> Desk:
    found = Desk(("ModelDrift", "ModelConceptDrift"), clock or Clock())
    found.know(["m"])
    return found


@pytest.mark.parametrize(("wrong", "path"), [
    (b"{", "no JSON"), (b"[]", "/: must be an object"), (b"{}", "/version"), (body(version="3"), "/version"),
    (body(alerts={}), "/alerts"), (body(1), "/alerts/0: must be an object"),
    (body(alert(), alert(status="odd")), "/alerts/1/status"),
    (body(alert() | {"labels": []}), "/alerts/0/labels"),
    (body(alert() | {"labels": {}}), "/alerts/0/labels/alertname"),
    (body(alert() | {"labels": {"alertname": "x", "model": 3}}), "/alerts/0/labels/model"),
])  # fmt: skip
def test_what_cannot_be_read_is_refused_with_the_path_to_it(wrong: bytes, path: str) -> None:
    with pytest.raises(PostError, match=path) as caught:
        read(wrong)
    assert caught.value.reason == "malformed"


def test_an_alert_fires_until_it_is_resolved() -> None:
    at = desk()
    assert json.loads(at.post(body(alert(model_version="7")))) == {"taken": 1, "other": 0, "unknown_model": 0}
    (one,) = at.firing().values()
    assert one[:3] == ("ModelDrift", "m", "7")
    at.post(body(alert(model_version="7")))
    assert len(at.firing()) == 1
    at.post(body(alert(status="resolved", model_version="7")))
    assert not at.firing()


def test_before_it_is_known_which_models_are_watched_whoever_tells_comes_again() -> None:
    at = Desk(("ModelDrift",), Clock())
    with pytest.raises(PostError, match="not known yet") as caught:
        at.post(body(alert()))
    assert caught.value.reason == "busy"
    at.know([])
    assert json.loads(at.post(body(alert())))["unknown_model"] == 1


def test_other_alerts_and_models_are_answered_and_passed_over() -> None:
    at = desk()
    told = json.loads(at.post(body(alert("ModelErrors"), alert(model="stranger"), alert())))
    assert {word: told[word] for word in ("taken", "other", "unknown_model")} == dict.fromkeys(
        ("taken", "other", "unknown_model"), 1
    )
    assert "not watched here" in told["detail"]
    assert len(at.firing()) == 1
    assert dict(at.counted()) == {"taken": 1, "other": 1, "unknown_model": 1}
    assert not at.counted()


def test_what_is_told_no_longer_for_two_days_is_over() -> None:
    clock = Clock()
    at = desk(clock)
    at.post(body(alert()))
    clock.now += TWO_DAYS - 1
    assert at.firing()
    clock.now += 2
    assert not at.firing()


def test_as_many_as_there_is_room_for_are_remembered() -> None:
    at = desk()
    for number in range(300):
        at.post(body(alert(pod=str(number))))
    assert len(at.firing()) == 256
    assert all("'299'" in found for found in list(at.firing())[-1:])
