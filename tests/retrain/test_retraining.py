"""All of it in one process: what is decided is committed, kept, sent and remembered by whoever comes next."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from retrain.receivers import Answer, receiver
from retrain.retrain_scenes import START, snapshot, watched
from support import eventually
from web.doors import served

from exporter.config import Settings
from exporter.handoff import board
from exporter.retrain import NoRetraining, Retraining, of
from exporter.retrain.deciding import Watched
from exporter.retraining import Retrain
from exporter.sections import State

DRIFTED = watched(snapshot(30.0))


class Run:
    """One analyser's life: its loop is the test."""

    def __init__(self, url: str | None, state: Path | None, ledger: dict[str, Any], **more: Any) -> None:
        said = Retrain(url=url, hold=0.0, backoff=0.05, max_backoff=0.1, **more)
        self.of = Retraining(
            Settings(upstream="http://x:1", retrain=said, state=State(str(state) if state else None)),
            board.attach(board.create()),
        )  # fmt: skip
        self.ledger = ledger
        for name, array in ledger.items():
            self.of.own[name][...] = array

    def look(self, *models: Watched, now: float = START) -> None:
        if self.of.look(models, now):
            self.commit()

    def commit(self) -> None:
        self.ledger.update({name: array.copy() for name, array in self.of.own.items()})
        self.of.hand_over()

    def until(self, outcome: str) -> None:
        def ended() -> bool:
            self.look(DRIFTED)
            return self.of.snapshot().events[outcome] > 0

        eventually(ended, what=outcome)


@contextmanager
def running(url: str | None, state: Path | None = None, ledger: Any = None, **more: Any) -> Iterator[Run]:
    run = Run(url, state, {} if ledger is None else ledger, **more)
    try:
        eventually(lambda: run.of._delivery.found() is not None, what="the disk")
        yield run
    finally:
        run.of._delivery.finish(5.0)


def test_nothing_is_sent_before_it_is_committed() -> None:
    with receiver() as at, running(at.url) as run:
        assert run.of.look([DRIFTED], START)
        assert run.of.snapshot().waiting == 1
        assert not run.of._delivery._ways
        run.commit()
        run.until("sent")
        assert len(at.received) == 1


@pytest.mark.parametrize("survivor", ["ledger", "disk"])
def test_what_was_sent_is_not_sent_by_the_next_one(survivor: str, tmp_path: Path) -> None:
    with receiver() as at:
        with running(at.url, tmp_path) as run:
            run.until("sent")
            run.look(DRIFTED)
            run.of.finish()
            ledger = run.ledger
        with running(at.url, tmp_path if survivor == "disk" else None, ledger if survivor == "ledger" else {}) as run:
            for number in range(5):
                run.look(DRIFTED, now=START + number)
            assert run.of.snapshot().models["m", "1"].state == "fired"
            assert run.of.snapshot().waiting == 0
        assert len(at.received) == 1


@pytest.mark.parametrize("survivor", ["ledger", "disk"])
def test_what_waited_is_sent_by_the_next_one_word_for_word(survivor: str, tmp_path: Path) -> None:
    with receiver(lambda number: Answer(503 if number == 1 else 200)) as at:
        with running(at.url, tmp_path) as run:
            run.look(DRIFTED)
            eventually(lambda: at.received, what="the first post")
            ledger = run.ledger
            (body,) = {one.body for one in run.of._deciding.events.values()}
            run.of._delivery.finish(5.0)
        before = len(at.received)
        other = watched(snapshot(60.0))
        with running(at.url, tmp_path if survivor == "disk" else None, ledger if survivor == "ledger" else {}) as run:
            run.look(other, now=START + 1)
            run.until("sent")
        assert len(at.received) == before + 1
        assert {one.body.decode() for one in at.received} == {body}


def test_nobody_is_asked_before_the_disk_has_told_who_was(tmp_path: Path) -> None:
    with receiver() as at, running(at.url, tmp_path) as run:
        run.of._delivery._found = None
        for _ in range(3):
            assert not run.of.look([DRIFTED], START)
        assert run.of.snapshot().suppressed["state"] == 1
        run.of._delivery._found = b""
        run.until("sent")


def test_whatever_goes_wrong_in_here_the_loop_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with running("http://127.0.0.1:1/") as run, caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert not run.of.look([replace_snapshot(None)], START)
        assert len([one for one in caplog.records if "was not decided" in one.message]) == 1
        run.look(DRIFTED)
        assert run.of.snapshot().waiting == 1


def replace_snapshot(found: Any) -> Watched:
    return DRIFTED._replace(snapshot=found)


def test_a_ledger_of_other_settings_fits() -> None:
    one = Settings(upstream="http://x:1", retrain=Retrain(dry_run=True))
    two = replace(one, models=replace(one.models, limit=1000))
    shapes = []
    for settings in (one, two):
        found = of(settings, board.attach(board.create()))
        shapes.append({name: (array.shape, array.dtype) for name, array in found.own.items()})
        found.finish()
    assert shapes[0] == shapes[1]
    assert isinstance(of(Settings(upstream="http://x:1"), board.attach(board.create())), NoRetraining)


def test_alerts_are_posted_over_the_web() -> None:
    alert = {"status": "firing", "labels": {"alertname": "ModelDrift", "model": "m"}, "fingerprint": "f"}
    body = json.dumps({"version": "4", "alerts": [alert, alert | {"labels": {"alertname": "x"}}]})
    with running(None, dry_run=True, alerts=True) as run, served(alerts=run.of) as at:
        run.look(DRIFTED)
        answer = at.ask("/alerts", "POST", body=body)
        assert (answer.status, json.loads(answer.body)) == (200, {"taken": 1, "other": 1, "unknown_model": 0})
        wrong = at.ask("/alerts", "POST", body='{"version": "4", "alerts": [1]}')
        assert (wrong.status, wrong.body) == (400, b"/alerts/0: must be an object\n")
        assert at.ask("/alerts", "POST", body=b"x" * (1 << 20) + b"x").status == 413
        run.look(DRIFTED, now=START + 1)
        assert run.of.snapshot().alerts == {"taken": 1, "other": 1, "unknown_model": 0}
    with running(None, dry_run=True) as run, served(alerts=run.of) as at:
        refused = at.ask("/alerts", "POST", body=body)
        assert (refused.status, b"retrain.alerts" in refused.body) == (403, True)


def test_room_for_the_ledger_is_for_all_models_that_may_be_watched_by_default() -> None:
    with running("http://127.0.0.1:1/") as run:
        run.look(*[watched(snapshot(30.0), model=f"model-{number}") for number in range(32)])
        size = int.from_bytes(run.of.own["retrain"][:8].tobytes(), "little")
    assert 1000 < size < run.of.own["retrain"].size / 8
    assert run.of.own["retrain"].dtype == np.uint8
