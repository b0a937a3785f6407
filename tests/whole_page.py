"""A page with everything on it, made in process: no socket, no clock but its own, the same on every machine.

Hours of a shop's traffic, a step at a time, in two versions of a model, one of which drifts; beside it a model that
somebody has adopted live values for, one that has made its own reference, one that is about to, and a language model.
What the relay and the supervisor count stands in the real ring and on the real board.
"""

import dataclasses
import json
import random
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from events import loggers
from monitor_scenes import exchange
from profile_tables import write_csv
from shown_truths import WINDOWS, estimated, performed, trend, valued
from support import eventually
from whole_health import LATER_S, STARTED_S, health

from exporter import config
from exporter.collect.scene import Page, Scene
from exporter.condition import ProcessVitals, ServerVitals
from exporter.decode import Decoder
from exporter.errors import EventError
from exporter.events.desk import Desk
from exporter.handoff import board
from exporter.monitor.models import Models
from exporter.monitor.naming import OTHER
from exporter.monitor.provisional import Provisionals
from exporter.monitor.said import Said
from exporter.override import Override, Overrides
from exporter.performed import Searched, WorstSegment
from exporter.profile import document
from exporter.profile.build import Plan, build
from exporter.profile.directory import ProfilesByName, in_directory
from exporter.profile.standing import Standing
from exporter.records import (
    Body,
    Capture,
    Label,
)
from exporter.reference import Adoption, Profile
from exporter.snapshots import Snapshot

STEP_S: Final = 300.0
STEPS: Final = 140
DRIFT_AT: Final = 36
ROWS: Final = 100
"""Of a request; each version has one in a step."""
CITIES: Final = ("Berlin", "Paris", "Rome")
COUNTRIES: Final = ("DE", "FR")
SETTINGS: Final = {
    "profile": "/profiles", "windows.lengths": "1h", "windows.rows": [200], "windows.minimum_samples": 100,
    "windows.scores": "hellinger_distance,kl_divergence,l_infinity,chi_square_pvalue,tolerant_chi_square_pvalue",
    "segments.by": ["country"], "segments.windows": "1h", "provisional.rows": 1000, "evidence.warm_up": "30m",
    "evidence.warm_up_rows": 1000, "evidence.group_key": {"field": "session"}, "events.enable": True,
    "upstream": "http://127.0.0.1:8500", "staleness.retrain_every": {"shop": "90d"},
}  # fmt: skip
SAID: Final = Overrides(*(
    {name: Override(owner=owner, severity="page", weight=2.0, snooze_until=LATER_S, tolerance=0.05, wander=0.01)}
    for name, owner in (("amount", "payments"), ("score", "risk"))
))  # fmt: skip
Row = dict[str, Any]


def _training(seed: int = 1) -> dict[str, list[Any]]:
    """Two weeks, a row every few steps."""
    draw, found = random.Random(seed), []
    for at in range(4000):
        row = _row(draw)
        found.append({
            **row, "city": row["city"] if at % 25 else None, **_answer(row),
            "at": STARTED_S - 86400 * 15 + at * 300, "pushed": at % 4 == 0,
        })  # fmt: skip
    return {name: [row[name] for row in found] for name in found[0]}


def _row(draw: random.Random) -> Row:
    country = draw.choice(COUNTRIES)
    return {
        "amount": round(draw.lognormvariate(3, 1) + 5 * COUNTRIES.index(country), 2),
        "city": draw.choice(CITIES), "country": country,
    }  # fmt: skip


def _answer(row: Row) -> Row:
    score = round(row["amount"] / (10 + row["amount"]), 4)
    return {"score": score, "label": "high" if score > 0.7 else "low"}


def _profiles(directory: Path) -> dict[str, Profile]:
    """Of the shop, and of the old shop, of which somebody has adopted what is live."""
    source = write_csv(directory / "shop.csv", _training())
    plan = Plan(
        source, ["score", "label"], model="shop", version="7", trained_at=STARTED_S - 86400, time="at",
        influenced="pushed", importance={"amount": 3, "city": 1, "country": 1}, performance={"auc": 0.91},
        segments={"country": ()},
    )  # fmt: skip
    made, _ = build(plan)
    made = dataclasses.replace(made, source="shop.csv")
    shop = document.save(made, str(directory / "shop.json"))
    adopted = tuple(
        Adoption(side, column.name, column.counts[::-1][1:] + column.counts[:1], (30.0, 20.0, 1.0, 900.0), "ada",
                 "prices rose", STARTED_S - 3600, LATER_S, "24h")
        for side, column in (("features", made.features[0]), ("outputs", made.outputs[0]))
    )  # fmt: skip
    old = document.save(dataclasses.replace(made, model="old", adoptions=adopted), str(directory / "old.json"))
    return {"shop": shop, "old": old}


class _Watching:
    """What an analyser has of models, and its clock."""

    def __init__(self, directory: Path) -> None:
        settings = config.resolve(("test", SETTINGS))
        made = _profiles(directory)
        real = in_directory(str(directory))
        _await(real, made)
        self.references = Standing(real, lambda: STARTED_S)
        self.provisional = Provisionals(settings.provisional, self.references, {})
        self.models = Models(
            settings, self.references, Said(SAID, segments=settings.segments), self.provisional,
            lambda at: STARTED_S + at,
        )  # fmt: skip
        self._decoder = Decoder(profile_of=self.models.profile_of)
        self._draw = random.Random(2)
        self.desk = Desk(settings.events, board.attach(board.create()), settings.kept_headers)

    def see(self, path: str, asked: Any, answered: Any, at: float, **changes: Any) -> None:
        seen = exchange(asked, answered, at, path=path, wall_ns=round((STARTED_S + at) * 1e9), **changes)
        self.models.observe(seen, self._decoder.decode(seen))

    def rows(self, count: int) -> list[Row]:
        return [_row(self._draw) for _ in range(count)]

    def step(self, step: int) -> None:
        at = step * STEP_S
        for version in ("7", "8"):
            rows = self.rows(ROWS)
            answers = [_answer(row) for row in rows]
            if step >= DRIFT_AT and version == "8":
                rows = [_wrong(row, place) for place, row in enumerate(rows)]
                answers = [_odd(answer, place) for place, answer in enumerate(answers)]
            sessions = range(step // 4 * ROWS, (step // 4 + 1) * ROWS)
            rows = [row | {"session": session} for row, session in zip(rows, sessions, strict=True)]
            self.see(_path("shop", version), rows, answers, at)
            if step >= STEPS - 8:
                large = [row | {"amount": 900.0} for row in self.rows(5)]
                self.see(_path("shop", version), large, b"{}", at, status=400)
        if step >= STEPS - 12:
            rows = self.rows(5)
            self.see(_path("old", "1"), rows, [_answer(row) for row in rows], at)
        if step % 4 == 0 or step < DRIFT_AT + 12 or step > STEPS - 12:
            self.pause(at)

    def pause(self, at: float) -> None:
        """What an analyser does between exchanges."""
        self.provisional.advance(at)
        self.models.look_at_profiles()
        self.models.shown(at)

    def others(self) -> None:
        """What happens once."""
        at = (STEPS - 6) * STEP_S
        fresh = [{"x": self._draw.random()} for _ in range(1200)]
        self.see(_path("fresh", "1"), fresh[:1000], [1.0] * 1000, at)
        for _ in range(1000):
            self.pause(at)
            if self.references.of("fresh", "1"):
                break
        self.see(_path("fresh", "1"), fresh[1000:], [1.0] * 200, at)
        self.see(_path("new", "1"), fresh[:5], [1.0] * 5, at)
        self._talk(at)
        self.see("/health", b"", b"", at, method="GET")
        self.see(_path("stranger", "1"), b"nonsense", b"{}", at, status=404)
        self.see(_path("shop", "7"), b"nonsense", [{"score": 0.5, "label": "low"}], at)
        self.see(_path("shop", "7"), [{"other": 1, "columns": 2}], [{"score": 0.5, "label": "low"}], at)
        self.see(_path("shop", "7"), [self._more()], [{"score": 0.5, "label": "low"}], at)
        cut = Body(2000, Capture.TRUNCATED, json.dumps({"instances": self.rows(20)}).encode()[:700])
        self.see(_path("shop", "7"), b"", [{"score": 0.5, "label": "low"}] * 20, at, request=cut)
        self.see(_path("shop", "8"), [{"amount": 20.0, "country": "DE"}] * 3, [{"score": 0.5}] * 3, at + 1500)
        self._events()

    def _more(self) -> Row:
        return self.rows(1)[0] | {"colour": "red"}

    def _talk(self, at: float) -> None:
        """A question to a language model, answered as a stream."""
        asked = b'{"model": "llm", "stream": true, "messages": [{"role": "user", "content": "Hi!"}]}'
        told = (
            b'data: {"choices": [{"delta": {"content": "Hello"}, "finish_reason": "stop"}], '
            b'"usage": {"prompt_tokens": 9, "completion_tokens": 2}}\n\ndata: [DONE]\n\n'
        )
        self.see(
            "/v1/chat/completions", asked, told, at, response_headers={"content-type": "text/event-stream"},
            first_byte_ns=2_000_000, duration_ns=5_000_000,
        )  # fmt: skip

    def _events(self) -> None:
        for half in ("request", "response"):
            headers, body = loggers.kserve(half, loggers.instances([1]), "a")
            self.desk.post(loggers.lower(headers), body)
        with suppress(EventError):
            self.desk.post({}, b"")
        headers, body = loggers.kserve("request", loggers.instances([1]), "b")
        self.desk.post(loggers.lower(headers), body)
        self.desk.take()


def _await(profiles: ProfilesByName, wanted: dict[str, Profile]) -> None:
    """A thread reads them."""
    for name, profile in wanted.items():
        eventually(lambda: (found := profiles.of(name, "1")) and found.digest == profile.digest, what=name)  # noqa: B023


def _with_truth(label: Label, snapshot: Snapshot) -> Snapshot:
    """With what there is to say once the truth is known: of models of every kind, each number another one."""
    kind, classes = {
        ("shop", "8"): ("binary", ("high", "low")), ("old", "1"): ("multiclass", ("high", "low", "middle")),
        ("fresh", "1"): ("regression", ()), ("shop", "7"): ("ranking", ()),
    }.get(label, ("", ()))  # fmt: skip
    if not kind:
        return snapshot
    windows = WINDOWS[: 2 if kind == "binary" else 1]
    told = performed(kind, classes, windows)
    snapshot = dataclasses.replace(snapshot, aged=trend(kind, snapshot.aged))
    if kind != "binary":
        return dataclasses.replace(snapshot, performed=told._replace(target=(), concept=None))
    part = WorstSegment("country=DE, amount 20 to 30", STARTED_S - 600.0, 1214, 0.38, 30_000, 0.19, 12.5)
    told = told._replace(searched=Searched(51, (part,), 6.9, 1.5))
    return dataclasses.replace(
        snapshot, performed=told, estimated=estimated(classes, windows), valued=valued(windows)
    )  # fmt: skip


def _path(model: str, version: str) -> str:
    return f"/v1/models/{model}/versions/{version}:predict"


def _wrong(row: Row, place: int) -> Row:
    """As a row looks once its amounts are in cents, with all else that may be wrong with one here and there."""
    changed: Row = row | {"amount": row["amount"] * 100}
    if place % 10 == 0:
        changed["city"] = "Atlantis"
    if place == 1:
        changed["amount"] = float("inf")
    if place == 2:
        changed["amount"] = "many"
    if place == 3:
        changed["city"] = None
    return changed


def _odd(answer: Row, place: int) -> Row:
    """As an answer looks when the model goes wrong."""
    if place % 5 == 0:
        return {"score": float("inf"), "label": "odd"}
    return {"score": answer["score"] / 3, "label": answer["label"]}


def whole_page(directory: Path) -> Page:
    """Everything that may be on a page."""
    watching = _Watching(directory)
    for step in range(STEPS):
        watching.step(step)
    watching.others()
    now = STEPS * STEP_S
    watching.pause(now)
    itself = health(watching.desk.snapshot(), STARTED_S + now)
    server = ServerVitals(True, True, True, 3, ProcessVitals(12.5, 80_000_000, STARTED_S))
    shown = [one._replace(snapshot=_with_truth(one.label, one.snapshot)) for one in watching.models.shown(now)]
    scenes = tuple(
        Scene(*one.label, one.profile, one.snapshot, server, itself, one.visible, one.label.model == OTHER)
        for one in shown
    )
    waiting = [one.label for one in shown if one.visible and one.profile is None and one.label.model != OTHER]
    collecting = watching.provisional.progress(waiting)
    return Page(scenes, itself, watching.models.attributing.snapshot(), collecting)
